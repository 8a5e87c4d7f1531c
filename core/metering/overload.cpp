// SPDX-License-Identifier: Apache-2.0
#include "core/metering/overload.hpp"

#include <algorithm>

namespace nfstreamd {

std::string_view name(ShedLevel level) {
    switch (level) {
        case ShedLevel::kNothing:
            return "nothing";
        case ShedLevel::kNewDissections:
            return "new_dissections";
        case ShedLevel::kDissection:
            return "dissection";
        case ShedLevel::kPackets:
            return "packets";
    }
    return "";
}

// The rest of the ring above `from` in quarters: at the first mark, half and three quarters of it.
ShedLevel OverloadPolicy::asked_for(unsigned fill_percent) const noexcept {
    const unsigned rest = 100 - from_;
    if (fill_percent < from_) return ShedLevel::kNothing;
    if (fill_percent < from_ + rest / 2) return ShedLevel::kNewDissections;
    if (fill_percent < from_ + rest * 3 / 4) return ShedLevel::kDissection;
    return ShedLevel::kPackets;
}

ShedLevel OverloadPolicy::update(unsigned fill_percent, Steady::time_point now) noexcept {
    if (highest_ == ShedLevel::kNothing) return level_;
    if (const ShedLevel wanted = std::min(asked_for(fill_percent), highest_); wanted > level_) {
        level_ = wanted;
        uneasy_at_ = now;
        return level_;
    }
    if (level_ == ShedLevel::kNothing) return level_;
    if (fill_percent >= (from_ + 1) / 2) {
        uneasy_at_ = now;
        return level_;
    }
    if (now - uneasy_at_ < (level_ == ShedLevel::kPackets ? kCalmOfPackets : kCalm)) return level_;
    level_ = static_cast<ShedLevel>(static_cast<std::uint8_t>(level_) - 1);
    uneasy_at_ = now;
    return level_;
}

}  // namespace nfstreamd
