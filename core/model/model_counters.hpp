// SPDX-License-Identifier: Apache-2.0
// What the instances of one model have done and suffered. Instances add, by
// several threads; anybody reads.
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace nfstreamd {

struct ModelCounters {
    std::atomic<std::uint64_t> instances{0}, disabled{0}, shadows_disabled{0};
    std::atomic<std::uint64_t> scored{0}, early{0}, unscored{0};  // flows
    std::atomic<std::uint64_t> errors{0}, slow_calls{0};          // of either model
    std::atomic<std::uint64_t> compared{0}, agreed{0};            // flows that the shadow has scored too
    std::atomic<double> difference{0};                            // sum over these

    void set_reason(std::string reason) {
        const std::lock_guard lock(mutex_);
        reason_ = std::move(reason);
    }
    std::string reason() const {
        const std::lock_guard lock(mutex_);
        return reason_;
    }

private:
    mutable std::mutex mutex_;
    std::string reason_;  // why the last instance that was disabled was
};

}  // namespace nfstreamd
