// SPDX-License-Identifier: Apache-2.0
// What the hooks that one extension has made have done and suffered. Hooks add,
// by several threads; anybody reads.
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "core/metering/flow_extension.hpp"

namespace nfstreamd {

struct ExtensionCounters {
    std::atomic<std::uint64_t> instances{0}, disabled{0};
    std::atomic<std::uint64_t> flows{0}, packets{0};  // shown; brought up to date now and then
    std::atomic<std::uint64_t> errors{0}, slow_calls{0};

    void set_reason(std::string reason) {
        const std::lock_guard lock(mutex_);
        reason_ = std::move(reason);
    }
    FlowExtensionStatus status() const {
        const std::lock_guard lock(mutex_);
        return {.instances = instances.load(),
                .disabled = disabled.load(),
                .flows = flows.load(),
                .packets = packets.load(),
                .errors = errors.load(),
                .slow_calls = slow_calls.load(),
                .reason = reason_};
    }

private:
    mutable std::mutex mutex_;
    std::string reason_;  // why the last instance that was disabled was
};

}  // namespace nfstreamd
