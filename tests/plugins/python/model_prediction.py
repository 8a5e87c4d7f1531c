# SPDX-License-Identifier: Apache-2.0
"""The model is an object, which no configuration can name: the instance has it, of a file beside this one."""
import pathlib

import joblib
import numpy
from nfstream import NFPlugin


class ModelPrediction(NFPlugin):
    def on_init(self, packet, flow):
        flow.udps.model_prediction = 0
    def on_expire(self, flow):
        # You can do the same in on_update entrypoint and force expiration with custom id.
        to_predict = numpy.array([flow.bidirectional_packets,
                                  flow.bidirectional_bytes]).reshape((1,-1))
        flow.udps.model_prediction = self.my_model.predict(to_predict)


prediction = ModelPrediction(my_model=joblib.load(pathlib.Path(__file__).with_name("model.joblib")))
