# SPDX-License-Identifier: Apache-2.0
"""nfstream's own plugins. WFPlugin is in nfstreamd.plugins.wfeatures, too."""
from .dhcp import DHCP
from .ja4 import JA4
from .mdns import MDNS
from .slicer import FlowSlicer
from .splt import SPLT
from .wfeatures import WFPlugin

__all__ = ["DHCP", "FlowSlicer", "JA4", "MDNS", "SPLT", "WFPlugin"]
