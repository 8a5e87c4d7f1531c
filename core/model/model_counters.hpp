// SPDX-License-Identifier: Apache-2.0
// What the instances of one model have done and suffered. Instances add, by
// several threads; anybody reads.
#pragma once
#include <atomic>
#include <cstdint>

#include "core/metering/extension_counters.hpp"

namespace nfstreamd {

struct ModelCounters : ExtensionCounters {
    std::atomic<std::uint64_t> shadows_disabled{0};
    std::atomic<std::uint64_t> scored{0}, early{0}, unscored{0};  // flows; errors and slow calls are of either model
    std::atomic<std::uint64_t> compared{0}, agreed{0};            // flows that the shadow has scored too
    std::atomic<double> difference{0};                            // sum over these
};

}  // namespace nfstreamd
