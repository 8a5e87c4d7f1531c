// SPDX-License-Identifier: Apache-2.0
// nfstream's statistical_analysis as integer sums: exact, and half of what
// running means take. What the flow entry counts anyway (packets, bytes, times)
// is not kept twice. Lies in an array beside the entries; one thread.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/record/flow_record.hpp"

namespace nfstreamd {

struct GapSums {  // times between packets, milliseconds; a gap of 49 days and more counts as that
    std::uint64_t squares;
    std::uint32_t min, max;
};

struct FlowStatistics {
    std::uint64_t size_squares[2];
    std::uint16_t size_min[2], size_max[2];
    GapSums gaps[2], flow_gaps;
    std::uint32_t flag_packets[2][kTcpFlagCount];

    void prefetch() const noexcept {
        const auto* octets = reinterpret_cast<const char*>(this);
        for (const std::size_t at : {std::size_t{0}, std::size_t{64}, sizeof(FlowStatistics) - 1})
            __builtin_prefetch(octets + at, 1);
    }
};

// What the entry knows when a packet comes, before it is counted.
struct PacketInFlow {
    int direction;
    std::uint16_t size;  // by accounting mode
    std::uint8_t tcp_flags;
    std::uint32_t packets, packets_of_direction;
    std::uint64_t gap_ms, gap_of_direction_ms;  // since the last packet (of that direction), if there was one
};

void update(FlowStatistics& statistics, const PacketInFlow& packet) noexcept;

// Counters of one scope when the flow ends.
struct ScopeTotals {
    std::uint64_t packets, bytes, duration_ms;
};
StatisticsRecord summarise(const FlowStatistics& statistics, const ScopeTotals& forward, const ScopeTotals& reverse,
                           const ScopeTotals& flow) noexcept;

}  // namespace nfstreamd
