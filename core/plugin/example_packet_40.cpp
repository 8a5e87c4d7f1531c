// SPDX-License-Identifier: Apache-2.0
// Counts the packets of 40 octets of each flow.
#include <nfstreamd_plugin.hpp>

struct Packet40 : nfstreamd::Plugin {
    static constexpr auto packet_parts = NFD_PACKET_SIZES;  // all that it reads of packets
    struct State {
        std::uint64_t packets = 0;
    };
    nfstreamd::Field<std::uint64_t> count{host, "packet_40_count", "Packets of 40 octets on the link."};

    using Plugin::Plugin;
    void on_init(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) { on_update(packet, flow); }
    void on_update(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) {
        if (packet.raw_size == 40) ++flow.state<State>().packets;
    }
    void on_expire(nfstreamd::Flow& flow) { flow.set(count, flow.state<State>().packets); }
};

NFSTREAMD_PLUGIN(Packet40, "1.0")
