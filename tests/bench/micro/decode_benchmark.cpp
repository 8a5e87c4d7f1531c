// SPDX-License-Identifier: Apache-2.0
// What it costs to make a packet of a frame, by what stands in front of it. The
// frames are in the cache: reading them is another matter.
#include <benchmark/benchmark.h>
#include <pcap/dlt.h>

#include "core/packet/decode.hpp"
#include "tests/support/packet_builder.hpp"

namespace {

using namespace nfstreamd;
using test::Bytes;
using test::PacketBuilder;

constexpr char kClient[] = "10.1.2.3", kServer[] = "192.0.2.7", kClient6[] = "2001:db8::1", kServer6[] = "2001:db8::2";

Bytes plain() {
    return PacketBuilder(100).tcp(40000, 443).ipv4(kClient, kServer).ethernet();
}
Bytes vlan() {
    return PacketBuilder(100).tcp(40000, 443).ipv4(kClient, kServer).vlan(7).ethernet();
}
Bytes qinq_mpls() {
    return PacketBuilder(100).udp(40000, 53).ipv4(kClient, kServer).mpls(2).vlan(7).vlan(8, 0x88a8).ethernet();
}
Bytes ipv6() {
    return PacketBuilder(100).tcp(40000, 443).ipv6(kClient6, kServer6).ethernet();
}
Bytes ipv6_extensions() {
    return PacketBuilder(100).udp(40000, 443).extension(60).extension(0, 1).ipv6(kClient6, kServer6).ethernet();
}
PacketBuilder inner() {
    return PacketBuilder(100).tcp(40000, 443).ipv4(kClient, kServer);
}
Bytes gtp() {
    return inner().gtp().udp(2152, 2152).ipv4("10.9.0.1", "10.9.0.2").ethernet();
}
Bytes vxlan() {
    return inner().ethernet().vxlan(7).udp(50000, 4789).ipv4("10.9.0.1", "10.9.0.2").ethernet();
}
Bytes gre_in_vxlan() {
    return inner()
        .gre()
        .ipv4("10.8.0.1", "10.8.0.2")
        .ethernet()
        .vxlan(7)
        .udp(50000, 4789)
        .ipv4("10.9.0.1", "10.9.0.2")
        .ethernet();
}

void decode_frame(benchmark::State& state, Bytes (*make)(), bool all_tunnels) {
    const Bytes octets = make();
    const auto length = static_cast<std::uint32_t>(octets.size());
    const RawFrame frame{1'700'000'000'000'000'000, octets.data(), length, length};
    DecodeOptions options;
    if (all_tunnels) options.tunnels = TunnelSet::all();
    for (auto _ : state) {
        Packet packet;
        const DecodeResult result = decode(DLT_EN10MB, frame, options, packet);
        if (result != DecodeResult::kOk) state.SkipWithError("not decoded");
        benchmark::DoNotOptimize(packet);
    }
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(decode_frame, plain, plain, false);
BENCHMARK_CAPTURE(decode_frame, vlan, vlan, false);
BENCHMARK_CAPTURE(decode_frame, qinq_mpls, qinq_mpls, false);
BENCHMARK_CAPTURE(decode_frame, ipv6, ipv6, false);
BENCHMARK_CAPTURE(decode_frame, ipv6_extensions, ipv6_extensions, false);
BENCHMARK_CAPTURE(decode_frame, gtp, gtp, false);
BENCHMARK_CAPTURE(decode_frame, plain_all_tunnels, plain, true);
BENCHMARK_CAPTURE(decode_frame, vxlan, vxlan, true);
BENCHMARK_CAPTURE(decode_frame, gre_in_vxlan, gre_in_vxlan, true);

}  // namespace
