// SPDX-License-Identifier: Apache-2.0
// From a decoded packet to the key of its flow and the key's hash.
#include <benchmark/benchmark.h>
#include <pcap/dlt.h>

#include "core/flow/flow_key.hpp"
#include "core/packet/decode.hpp"
#include "tests/support/packet_builder.hpp"

namespace {

using namespace nfstreamd;
using test::Bytes;
using test::PacketBuilder;

template <class Key>
Bytes frame_for() {
    PacketBuilder packet(20);
    packet.tcp(40000, 443);
    if constexpr (Key::kWords == FlowKeyV4::kWords)
        packet.ipv4("10.1.2.3", "192.0.2.7");
    else
        packet.ipv6("2001:db8::1", "2001:db8::2");
    return packet.ethernet();
}

template <class Key>
void key_and_hash(benchmark::State& state) {
    const Bytes octets = frame_for<Key>();
    const auto length = static_cast<std::uint32_t>(octets.size());
    Packet packet;
    if (decode(DLT_EN10MB, {0, octets.data(), length, length}, {}, packet) != DecodeResult::kOk)
        return state.SkipWithError("not decoded");
    const FlowHash hash({1, 3, 5, 7, 11, 13, 17, 19, 23});
    for (auto _ : state) {
        benchmark::DoNotOptimize(packet);
        Key key;
        const bool swapped = make_key(packet, key);
        benchmark::DoNotOptimize(hash(key) + swapped);
    }
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK_TEMPLATE(key_and_hash, FlowKeyV4);
BENCHMARK_TEMPLATE(key_and_hash, FlowKeyV6);

}  // namespace
