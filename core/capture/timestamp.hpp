// SPDX-License-Identifier: Apache-2.0
// A capture's seconds and fraction as one number.
#pragma once
#include <cstdint>
#include <limits>

#include "core/packet/frame.hpp"

namespace nfstreamd {

// Broken files have negative fractions. Their milliseconds are cut towards the
// second, as C divides and so as nfstream has them; what nanoseconds cannot
// hold becomes the nearest they can.
constexpr TimestampNs to_timestamp(std::int64_t seconds, std::int64_t fraction_ns) noexcept {
    constexpr std::int64_t kPerMs = 1'000'000;
    if (fraction_ns < 0) fraction_ns = fraction_ns / kPerMs * kPerMs;
    TimestampNs result = 0;
    if (__builtin_mul_overflow(seconds, std::int64_t{1'000'000'000}, &result) ||
        __builtin_add_overflow(result, fraction_ns, &result))
        return seconds < 0 ? std::numeric_limits<TimestampNs>::min() : std::numeric_limits<TimestampNs>::max();
    return result;
}

}  // namespace nfstreamd
