// SPDX-License-Identifier: Apache-2.0
// What the instances of one plugin have done and suffered. Instances add, by
// several threads; anybody reads.
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace nfstreamd {

struct PluginCounters {
    std::atomic<std::uint64_t> instances{0}, disabled{0};
    std::atomic<std::uint64_t> flows{0}, packets{0};  // shown; brought up to date now and then
    std::atomic<std::uint64_t> errors{0}, slow_calls{0};

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
