# SPDX-License-Identifier: Apache-2.0
from nfstream import NFPlugin


class my_awesome_plugin(NFPlugin):
    def on_update(self, obs, entry):
        if obs.length >= 666:
            entry.my_awesome_plugin += 1
