// SPDX-License-Identifier: Apache-2.0
// When a capture ring fills faster than it drains: what is given up, in which
// order, and when it is taken up again. Pure: how full the ring is and what time
// it is come in, what to shed comes out. One metering thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nfstreamd {

// Each includes those before it. Packets are sampled only where the operator allows it.
enum class ShedLevel : std::uint8_t { kNothing, kNewDissections, kDissection, kPackets };
std::string_view name(ShedLevel level);

class OverloadPolicy {
public:
    using Steady = std::chrono::steady_clock;
    // So long the ring must have been at ease before one level is taken back. Packets
    // that come back are more work at once than anything else.
    static constexpr std::chrono::seconds kCalm{1}, kCalmOfPackets{5};

    // `from` percent of the ring on something is shed, `highest` at most; unset: nothing ever is.
    OverloadPolicy() = default;
    OverloadPolicy(std::optional<unsigned> from, ShedLevel highest) noexcept
        : from_(from.value_or(0)), highest_(from ? highest : ShedLevel::kNothing) {}

    // Up at once, as far as the fill asks for; down by one level at a time, after the
    // ring has stayed below half of where shedding begins.
    ShedLevel update(unsigned fill_percent, Steady::time_point now) noexcept;
    ShedLevel level() const noexcept { return level_; }

private:
    ShedLevel asked_for(unsigned fill_percent) const noexcept;

    unsigned from_ = 0;
    ShedLevel highest_ = ShedLevel::kNothing, level_ = ShedLevel::kNothing;
    Steady::time_point uneasy_at_{};  // when the ring was last above the lower mark, or the level changed
};

}  // namespace nfstreamd
