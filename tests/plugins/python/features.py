# SPDX-License-Identifier: Apache-2.0
"""The same of nfstream 5: each feature is a value of its own; README.md has what is repaired."""
from nfstream import NFPlugin


class feat_1(NFPlugin):
    def on_init(self, obs):
        return obs.raw_size

class feat_2(NFPlugin):
    def on_update(self, obs, entry):
        if entry.total_packets == 2:
            entry.feat_2 = obs.raw_size

class feat_3(NFPlugin):
    def on_update(self, obs, entry):
        if entry.total_packets == 3:
            entry.feat_3 = obs.raw_size

class model_prediction(NFPlugin):
    def on_update(self, obs, entry):
        if entry.total_packets == 3:
            entry.model_prediction = self.user_data.predict_proba([entry.feat_1,
                                                                   entry.feat_2,
                                                                   entry.feat_3])
            # optionally we can force NFStreamer to immediately expires the flow
            # entry.expiration_id = -1


class Model:
    """What a user would load."""

    def predict_proba(self, features):
        return [len(features), sum(features)]


prediction = model_prediction(user_data=Model())
