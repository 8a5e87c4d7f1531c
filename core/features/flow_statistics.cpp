// SPDX-License-Identifier: Apache-2.0
#include "core/features/flow_statistics.hpp"

#include <algorithm>
#include <limits>

#include "core/features/moments.hpp"

namespace nfstreamd {
namespace {

// Bit of TCP's flag octet for each column, in nfstream's order.
constexpr std::uint8_t kFlagBits[kTcpFlagCount] = {0x02, 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x01};

void add_gap(GapSums& sums, std::uint64_t gap_ms, bool first) {
    const auto gap =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(gap_ms, std::numeric_limits<std::uint32_t>::max()));
    sums.min = first ? gap : std::min(sums.min, gap);
    sums.max = std::max(sums.max, gap);
    const std::uint64_t squares = sums.squares + std::uint64_t{gap} * gap;
    sums.squares = squares >= sums.squares ? squares : std::numeric_limits<std::uint64_t>::max();
}

ScopeStatistics scope(const ScopeTotals& totals, std::uint16_t size_min, std::uint16_t size_max, Wide size_squares,
                      const GapSums& gaps) {
    ScopeStatistics out;
    const Moments sizes = moments(totals.packets, totals.bytes, size_squares);
    out.min_ps = size_min;
    out.max_ps = size_max;
    out.mean_ps = sizes.mean;
    out.stddev_ps = sizes.deviation;
    out.ps_squares =
        static_cast<std::uint64_t>(std::min<Wide>(size_squares, std::numeric_limits<std::uint64_t>::max()));
    if (totals.packets > 1) {
        // gaps add up to the duration
        const Moments piat = moments(totals.packets - 1, totals.duration_ms, gaps.squares);
        out.min_piat_ms = gaps.min;
        out.max_piat_ms = gaps.max;
        out.mean_piat_ms = piat.mean;
        out.stddev_piat_ms = piat.deviation;
    }
    return out;
}

}  // namespace

void update(FlowStatistics& statistics, const PacketInFlow& packet) noexcept {
    const int d = packet.direction;
    const bool first = packet.packets_of_direction == 0;
    statistics.size_squares[d] += std::uint64_t{packet.size} * packet.size;
    statistics.size_min[d] = first ? packet.size : std::min(statistics.size_min[d], packet.size);
    statistics.size_max[d] = std::max(statistics.size_max[d], packet.size);
    if (packet.packets != 0) add_gap(statistics.flow_gaps, packet.gap_ms, packet.packets == 1);
    if (!first) add_gap(statistics.gaps[d], packet.gap_of_direction_ms, packet.packets_of_direction == 1);
    if (packet.tcp_flags != 0)
        for (int i = 0; i < kTcpFlagCount; ++i) statistics.flag_packets[d][i] += (packet.tcp_flags & kFlagBits[i]) != 0;
}

StatisticsRecord summarise(const FlowStatistics& s, const ScopeTotals& forward, const ScopeTotals& reverse,
                           const ScopeTotals& flow) noexcept {
    StatisticsRecord out;
    out.forward = scope(forward, s.size_min[0], s.size_max[0], s.size_squares[0], s.gaps[0]);
    out.reverse = scope(reverse, s.size_min[1], s.size_max[1], s.size_squares[1], s.gaps[1]);
    const bool answered = reverse.packets != 0;
    out.bidirectional =
        scope(flow, answered ? std::min(s.size_min[0], s.size_min[1]) : s.size_min[0],
              std::max(s.size_max[0], s.size_max[1]), Wide{s.size_squares[0]} + s.size_squares[1], s.flow_gaps);
    for (int i = 0; i < kTcpFlagCount; ++i) {
        out.forward.flag_packets[i] = s.flag_packets[0][i];
        out.reverse.flag_packets[i] = s.flag_packets[1][i];
        out.bidirectional.flag_packets[i] = std::uint64_t{s.flag_packets[0][i]} + s.flag_packets[1][i];
    }
    return out;
}

}  // namespace nfstreamd
