// SPDX-License-Identifier: Apache-2.0
// What statistical_analysis and splt_analysis add to a packet, and what they
// take when the flow ends. Of flows in the cache.
#include <benchmark/benchmark.h>

#include "core/features/flow_sequences.hpp"
#include "core/features/flow_statistics.hpp"

namespace {

using namespace nfstreamd;

constexpr unsigned kSequence = 20;

PacketInFlow packet_number(std::uint32_t n) {
    const bool first = n == 0;
    return {.direction = static_cast<int>(n & 1),
            .size = static_cast<std::uint16_t>(60 + n * 37 % 1440),
            .tcp_flags = 0x18,
            .packets = n,
            .packets_of_direction = n / 2,
            .gap_ms = first ? 0 : n * 7 % 100u,
            .gap_of_direction_ms = n < 2 ? 0 : n * 11 % 200u};
}

void statistics_update(benchmark::State& state) {
    FlowStatistics statistics{};
    std::uint32_t n = 0;
    for (auto _ : state) {
        update(statistics, packet_number(n));
        n = n == 999 ? 0 : n + 1;
    }
    benchmark::DoNotOptimize(statistics);
    state.SetItemsProcessed(state.iterations());
}

void statistics_summarise(benchmark::State& state) {
    FlowStatistics statistics{};
    for (std::uint32_t n = 0; n < 100; ++n) update(statistics, packet_number(n));
    const ScopeTotals way{50, 40'000, 3'000}, both{100, 80'000, 3'000};
    for (auto _ : state) benchmark::DoNotOptimize(summarise(statistics, way, way, both));
    state.SetItemsProcessed(state.iterations());
}

void sequence_record(benchmark::State& state) {
    FlowSequences sequences;
    if (!sequences.allocate(64, kSequence)) return state.SkipWithError("no memory");
    std::uint32_t n = 0;
    for (auto _ : state) {
        sequences.record(n / kSequence, n % kSequence, static_cast<int>(n & 1), 100, n & 63);
        n = n + 1 == 64 * kSequence ? 0 : n + 1;
    }
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(statistics_update);
BENCHMARK(statistics_summarise);
BENCHMARK(sequence_record);

}  // namespace
