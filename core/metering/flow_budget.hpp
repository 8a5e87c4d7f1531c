// SPDX-License-Identifier: Apache-2.0
// How many records a run may still make, over all its metering processes
// (nfstream's max_nflows). Any thread.
#pragma once
#include <atomic>
#include <cstdint>

namespace nfstreamd {

class FlowBudget {
public:
    explicit FlowBudget(std::uint64_t records) noexcept : left_(records) {}

    // One record; false: there is none left. Relaxed: the number guards nothing but itself.
    bool take() noexcept {
        std::uint64_t left = left_.load(std::memory_order_relaxed);
        while (left != 0)
            if (left_.compare_exchange_weak(left, left - 1, std::memory_order_relaxed)) return true;
        return false;
    }
    bool spent() const noexcept { return left_.load(std::memory_order_relaxed) == 0; }

private:
    std::atomic<std::uint64_t> left_;
};

}  // namespace nfstreamd
