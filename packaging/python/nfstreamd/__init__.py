# SPDX-License-Identifier: Apache-2.0
"""nfstream's interface on nfstreamd's engine: flows of captures and interfaces in Python."""
from ._engine import __version__
from .plugin import NFPlugin
from .streamer import NFStreamer

__all__ = ["NFPlugin", "NFStreamer", "__version__"]
