// SPDX-License-Identifier: Apache-2.0
// Tells a step of the clock that stamps live packets from silence and from late
// delivery, by the monotonic clock. One metering thread.
#pragma once
#include <algorithm>
#include <chrono>
#include <limits>

#include "core/packet/frame.hpp"

namespace nfstreamd {

class ClockWatch {
public:
    using Steady = std::chrono::steady_clock;
    static constexpr std::chrono::seconds kLimit{10};

    // The time of a packet that is handed over at `now` is a step forward when it is later than that.
    TimestampNs latest(Steady::time_point now) const noexcept {
        if (lead_ == kUnknown) return std::numeric_limits<TimestampNs>::max();
        return lead_ + ns(now) + kLimitNs;
    }
    // And a step back when it is earlier than that; `newest` was the last packet's.
    static TimestampNs earliest(TimestampNs newest) noexcept { return newest - kLimitNs; }

    // A packet of `time` was handed over at `now`. Packets come late, never early:
    // the one with the least delay tells how the clocks stand to each other.
    void note(TimestampNs time, Steady::time_point now) noexcept { lead_ = std::max(lead_, time - ns(now)); }
    void reset() noexcept { lead_ = kUnknown; }

private:
    static constexpr TimestampNs kLimitNs = std::chrono::nanoseconds(kLimit).count();
    static constexpr TimestampNs kUnknown = std::numeric_limits<TimestampNs>::min();
    static TimestampNs ns(Steady::time_point time) noexcept {
        return std::chrono::nanoseconds(time.time_since_epoch()).count();
    }

    TimestampNs lead_ = kUnknown;  // of the stamping clock before the monotonic one
};

}  // namespace nfstreamd
