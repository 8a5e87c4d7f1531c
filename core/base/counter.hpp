// SPDX-License-Identifier: Apache-2.0
// A number that one thread writes and any thread reads. Relaxed: a reader may
// see one counter before another, never a torn or a lost value.
#pragma once
#include <atomic>
#include <cstdint>

namespace nfstreamd {

class Counter {
public:
    void add(std::uint64_t n = 1) noexcept {  // the owning thread only
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    void set(std::uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
    std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

}  // namespace nfstreamd
