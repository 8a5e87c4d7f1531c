# SPDX-License-Identifier: Apache-2.0
from nfstream import NFStreamer, NFPlugin


class packet_40(NFPlugin):
    def on_init(self, packet, flow):
        flow.udps.magic_message = "NO"
        if packet.raw_size == 40:
            flow.udps.packet_40_count = 1
        else:
            flow.udps.packet_40_count = 0

    def on_update(self, packet, flow):
        if packet.raw_size == 40:
            flow.udps.packet_40_count += 1

    def on_expire(self, flow):
        if flow.udps.packet_40_count >= 10:
            flow.udps.magic_message = "YES"

    def cleanup(self):
        del self.large_dict_passed_as_plugin_attribute
