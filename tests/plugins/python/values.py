# SPDX-License-Identifier: Apache-2.0
"""Values of every kind, NumPy's included; two plugins that share them."""
import numpy
from nfstreamd import NFPlugin


class Gives(NFPlugin):
    def on_init(self, packet, flow):
        udps = flow.udps
        udps.integer, udps.real, udps.truth, udps.text = 1, 0.5, False, "first, \"quoted\""
        udps.large, udps.nothing, udps.numbers, udps.pair = 2**63, None, [], (1, 2)
        flow.udps.numpy_integer = numpy.int64(packet.raw_size)
        flow.udps.numpy_real = numpy.float32(0.25)
        flow.udps.numpy_truth = numpy.bool_(True)
        flow.udps.array = numpy.array([packet.raw_size, 2])
        flow.udps._own = object()
        self.on_update(packet, flow)

    def on_update(self, packet, flow):
        flow.udps.integer += 1
        flow.udps.numbers.append(packet.raw_size)
        flow.udps.mean = float(numpy.mean(flow.udps.numbers))


class Takes(NFPlugin):
    def on_expire(self, flow):
        flow.udps.taken = flow.udps.integer
        flow.udps.text = "last"
