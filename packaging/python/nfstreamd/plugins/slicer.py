# SPDX-License-Identifier: Apache-2.0
from ..plugin import NFPlugin


class FlowSlicer(NFPlugin):
    """Ends flows that have `limit` packets."""

    def on_init(self, packet, flow):
        self.on_update(packet, flow)

    def on_update(self, packet, flow):
        if flow.bidirectional_packets == self.limit:
            flow.expiration_id = -1
