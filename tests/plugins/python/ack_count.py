# SPDX-License-Identifier: Apache-2.0
from nfstream import NFPlugin

class ack_count(NFPlugin):
    def on_init(self, pkt): # flow creation with the first packet
	    if pkt.tcpflags.ack == 1:
	        return 1
	    else:
	        return 0
    def on_update(self, pkt, flow): # flow update with each packet belonging to the flow
	    if pkt.tcpflags.ack == 1:
	        flow.ack_count += 1
