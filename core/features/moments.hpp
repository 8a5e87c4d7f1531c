// SPDX-License-Identifier: Apache-2.0
// Mean and sample standard deviation from exact sums of integers, so that a meter
// and a collector that has the sums come to the same number. Pure; any thread.
#pragma once
#include <cmath>
#include <cstdint>

namespace nfstreamd {

__extension__ using Wide = unsigned __int128;

struct Moments {
    double mean = 0, deviation = 0;
};

// a - b, or 0. Most fit into 64 bits, whose conversion is one instruction and the same number.
inline double excess(Wide a, Wide b) noexcept {
    if (a <= b) return 0.0;
    const Wide difference = a - b;
    const auto low = static_cast<std::uint64_t>(difference);
    return low == difference ? static_cast<double>(low) : static_cast<double>(difference);
}

// Of `n` values that add up to `sum`, their squares to `squares`; the deviation is
// sqrt((n * squares - sum^2) / (n * (n - 1))). 0 of no value, without deviation of one.
inline Moments moments(std::uint64_t n, std::uint64_t sum, Wide squares) noexcept {
    Moments out;
    if (n == 0) return out;
    out.mean = static_cast<double>(sum) / static_cast<double>(n);
    if (n < 2) return out;
    const double numerator = excess(squares * n, Wide{sum} * sum);
    out.deviation = std::sqrt(numerator / (static_cast<double>(n) * static_cast<double>(n - 1)));
    return out;
}

}  // namespace nfstreamd
