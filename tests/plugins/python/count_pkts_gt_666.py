# SPDX-License-Identifier: Apache-2.0
"""A callback of nfstream 0.x; the plugin's name in the configuration is the metric's."""


def my_awesome_plugin(packet_information, flow):
    if packet_information.size > 666:
       flow.metrics['count_pkts_gt_666'] += 1
    return flow
