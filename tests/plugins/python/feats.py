# SPDX-License-Identifier: Apache-2.0
"""Three features and a model that takes them, of nfstream 3.2; README.md has what is repaired."""
from nfstream import NFPlugin


class feats(NFPlugin):
    def on_init(self, obs):
        return [obs.length, 0, 0]

class feat_2(NFPlugin):
    def on_update(self, obs, entry):
        if entry.total_packets == 2:
            entry.feats[1] = obs.length

class feat_3(NFPlugin):
    def on_update(self, obs, entry):
        if entry.total_packets == 3:
            entry.feats[2] = obs.length

class model_prediction(NFPlugin):
    def on_update(self, obs, entry):
        if entry.total_packets == 3:
            entry.model_prediction = self.user_data.predict_proba([entry.feats[0],
                                                                   entry.feats[1], entry.feats[2]])
            # optionally we can force NFStreamer to immediately expires the flow
            # entry.expiration_id = -1


class Model:
    """What a user would load."""

    def predict_proba(self, features):
        return [len(features), sum(features)]


prediction = model_prediction(user_data=Model())
