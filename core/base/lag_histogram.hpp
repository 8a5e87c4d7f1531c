// SPDX-License-Identifier: Apache-2.0
// How late something happened, as counts by upper bound. One thread observes,
// any thread reads; all zero at first.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/counter.hpp"

namespace nfstreamd {

class LagHistogram {
public:
    static constexpr std::array<std::int64_t, 10> kBoundsMs{10, 50, 100, 250, 500, 1000, 2500, 5000, 10'000, 30'000};
    struct Snapshot {
        std::array<std::uint64_t, kBoundsMs.size() + 1> counts{};  // of each bucket alone; the last has no bound
        std::uint64_t sum_ns = 0;
        std::uint64_t count() const noexcept {
            std::uint64_t total = 0;
            for (const std::uint64_t each : counts) total += each;
            return total;
        }
    };

    void observe(std::int64_t lag_ns) noexcept {
        std::size_t bucket = 0;
        while (bucket < kBoundsMs.size() && lag_ns > kBoundsMs[bucket] * 1'000'000) ++bucket;
        counts_[bucket].add();
        if (lag_ns > 0) sum_ns_.add(static_cast<std::uint64_t>(lag_ns));
    }

    Snapshot snapshot() const noexcept {
        Snapshot snapshot;
        for (std::size_t i = 0; i < counts_.size(); ++i) snapshot.counts[i] = counts_[i].get();
        snapshot.sum_ns = sum_ns_.get();
        return snapshot;
    }

private:
    std::array<Counter, kBoundsMs.size() + 1> counts_;
    Counter sum_ns_;
};

}  // namespace nfstreamd
