// SPDX-License-Identifier: Apache-2.0
// The longest time for which a metering thread did not look at its capture: one
// vector of packets, or what it does between two polls. Of the last one to two
// minutes. One metering thread.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>

namespace nfstreamd {

class PauseWatch {
public:
    using Steady = std::chrono::steady_clock;
    static constexpr std::chrono::seconds kWindow{60};

    // Work begins, and what was being done before that has ended.
    void begin(Steady::time_point now) noexcept {
        end(now);
        began_ = now;
        busy_ = true;
    }
    // The thread may wait from now on.
    void end(Steady::time_point now) noexcept {
        if (now - window_ >= kWindow) {
            former_ = now - window_ < 2 * kWindow ? longest_ : Steady::duration{};
            longest_ = {};
            window_ = now;
        }
        if (busy_) longest_ = std::max(longest_, now - began_);
        busy_ = false;
    }
    std::uint64_t longest_ns() const noexcept {
        return static_cast<std::uint64_t>(std::chrono::nanoseconds(std::max(longest_, former_)).count());
    }

private:
    Steady::time_point began_{}, window_{};
    Steady::duration longest_{}, former_{};
    bool busy_ = false;
};

}  // namespace nfstreamd
