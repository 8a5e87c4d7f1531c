# SPDX-License-Identifier: Apache-2.0
"""What plugins derive from: nfstream 6's NFPlugin, and that of nfstream 3."""


class NFPlugin:
    """Extends flows: new values in flow.udps, another end of flows, trained models.

    Named arguments become attributes. In nfstream 3, whose streamer takes `plugins`, these are name,
    volatile and user_data; on_init gets the packet alone, and what it returns is the first value of
    the flow's attribute with the plugin's name.
    """

    volatile = False
    user_data = None

    def __init__(self, **kwargs):
        for name, value in kwargs.items():
            setattr(self, name, value)

    def on_init(self, packet, flow):
        """The first packet of a flow: the place to give flow.udps their first values."""

    def on_update(self, packet, flow):
        """Each later packet, which the flow has counted. flow.expiration_id = -1 ends the flow with it."""

    def on_expire(self, flow):
        """The flow has ended, its values are final."""

    def cleanup(self):
        """The run has ended."""
