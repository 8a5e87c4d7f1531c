// SPDX-License-Identifier: Apache-2.0
// nfstream's running means (Welford) of sizes and times between packets, with
// its order of operations: equal to its results in the last digit, too, where
// the exact sums of flow_statistics.hpp are nearer to the truth. Lies in an array
// beside the entries; one thread.
#pragma once
#include <cstdint>

#include "core/features/flow_statistics.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

struct RunningMean {
    double mean, squares;  // sum of squared distances from the mean
};

struct RunningMeans {  // of the flow, then by direction; what a flow before has left does no harm
    RunningMean size[3], gap[3];
};

void update(RunningMeans& means, const PacketInFlow& packet) noexcept;

// Puts them in the place of those that are there.
void restate(const RunningMeans& means, std::uint64_t forward_packets, std::uint64_t reverse_packets,
             StatisticsRecord& record) noexcept;

}  // namespace nfstreamd
