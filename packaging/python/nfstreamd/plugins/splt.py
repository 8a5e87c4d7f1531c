# SPDX-License-Identifier: Apache-2.0
from ..plugin import NFPlugin

SIZES = ("raw_size", "ip_size", "transport_size", "payload_size")  # by accounting_mode


class SPLT(NFPlugin):
    """The first `sequence_length` packets: direction, size by `accounting_mode`, time since the one before.

    udps.splt_direction, splt_ps and splt_piat_ms are lists; -1 where the flow has had no such packet.
    """

    def on_init(self, packet, flow):
        for name in ("splt_direction", "splt_ps", "splt_piat_ms"):
            setattr(flow.udps, name, [-1] * self.sequence_length)
        self._note(0, packet, flow)

    def on_update(self, packet, flow):
        number = flow.bidirectional_packets
        if number <= self.sequence_length:
            self._note(number - 1, packet, flow)

    def _note(self, place, packet, flow):
        flow.udps.splt_direction[place] = packet.direction
        flow.udps.splt_ps[place] = getattr(packet, SIZES[self.accounting_mode])
        flow.udps.splt_piat_ms[place] = packet.delta_time
