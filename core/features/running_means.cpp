// SPDX-License-Identifier: Apache-2.0
#include "core/features/running_means.hpp"

#include <cmath>

namespace nfstreamd {
namespace {

// `number` of the value, from 1.
void add(RunningMean& running, double value, std::uint64_t number) noexcept {
    if (number == 1) {
        running = {value, 0};
        return;
    }
    const double before = running.mean;
    running.mean += (value - before) / static_cast<double>(number);
    running.squares += (value - before) * (value - running.mean);
}

double deviation(const RunningMean& running, std::uint64_t count) noexcept {
    return count > 1 ? std::sqrt(running.squares / static_cast<double>(count - 1)) : 0;
}

}  // namespace

void update(RunningMeans& means, const PacketInFlow& packet) noexcept {
    const int scope = 1 + packet.direction;
    add(means.size[0], packet.size, std::uint64_t{packet.packets} + 1);
    add(means.size[scope], packet.size, std::uint64_t{packet.packets_of_direction} + 1);
    if (packet.packets > 0) add(means.gap[0], static_cast<double>(packet.gap_ms), packet.packets);
    if (packet.packets_of_direction > 0)
        add(means.gap[scope], static_cast<double>(packet.gap_of_direction_ms), packet.packets_of_direction);
}

void restate(const RunningMeans& means, std::uint64_t forward_packets, std::uint64_t reverse_packets,
             StatisticsRecord& record) noexcept {
    ScopeStatistics* const scopes[] = {&record.bidirectional, &record.forward, &record.reverse};
    const std::uint64_t packets[] = {forward_packets + reverse_packets, forward_packets, reverse_packets};
    for (int i = 0; i < 3; ++i) {
        if (packets[i] == 0) continue;
        scopes[i]->mean_ps = means.size[i].mean;
        scopes[i]->stddev_ps = deviation(means.size[i], packets[i]);
        if (packets[i] == 1) continue;
        scopes[i]->mean_piat_ms = means.gap[i].mean;
        scopes[i]->stddev_piat_ms = deviation(means.gap[i], packets[i] - 1);
    }
}

}  // namespace nfstreamd
