# SPDX-License-Identifier: Apache-2.0
"""Wavelet features of traffic over time (Bujlow, Carela-Espanol, Barlet-Ros: comparison of DPI tools)."""
from ..plugin import NFPlugin

EPSILON = 1e-7


class WFPlugin(NFPlugin):
    """Features of ip_size over `active_timeout` seconds in 2**`levels` bins, for both directions.

    For k from 0 to levels, 0 the approximation, then details from coarse to fine: udps.f_p_k_N (relative energy),
    f_u_k_N (mean of absolute values), f_sigma_k_N (deviation), f_S_k_N (entropy), and the same with b_ for the way
    back. The first packet is not in a bin.
    """

    def on_init(self, packet, flow):
        bins = 2**self.levels
        self.bin_size = self.active_timeout / bins * 1000
        flow.udps.forward = [0.0] * bins
        flow.udps.backward = [0.0] * bins
        flow.udps.first_packet_timestamp = packet.time

    def on_update(self, packet, flow):
        place = int((packet.time - flow.udps.first_packet_timestamp) // self.bin_size)
        series = flow.udps.forward if packet.direction == 0 else flow.udps.backward
        series[place] += packet.ip_size

    def on_expire(self, flow):
        udps = flow.udps
        for prefix, series in (("f", udps.forward), ("b", udps.backward)):
            for name, values in zip(("p_k", "u_k", "sigma_k", "S_k"), features(series, self.levels)):
                for level, value in enumerate(values):
                    setattr(udps, f"{prefix}_{name}_{level}", value)
        del udps.forward, udps.backward, udps.first_packet_timestamp


def haar(series, levels):
    """Stationary Haar transform: approximation, then details from coarse to fine, a row each."""
    import numpy

    scale = numpy.sqrt(0.5)
    approximation = numpy.asarray(series, dtype=float)
    details = []
    for level in range(levels):
        ahead = numpy.roll(approximation, -(2**level))
        details.append((approximation - ahead) * scale)
        approximation = (approximation + ahead) * scale
    return numpy.array([approximation] + details[::-1])


def features(series, levels):
    """Relative energy, mean of absolute values, deviation and entropy of each row of the transform."""
    import numpy

    rows = haar(series, levels)
    energy = numpy.sum(rows**2, axis=1)
    relative = energy / (energy.sum() + EPSILON)
    share = rows**2 / (energy[:, None] + EPSILON)
    entropy = -numpy.sum(share * numpy.log(share + EPSILON), axis=1)
    return relative, numpy.mean(numpy.abs(rows), axis=1), numpy.std(rows, axis=1), entropy
