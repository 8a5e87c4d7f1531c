// SPDX-License-Identifier: Apache-2.0
#include "core/record/end_reason.hpp"

#include <array>

namespace nfstreamd {
namespace {

using enum EndReason;

// nfstream 6 and 3 know 0 (idle, end of input) and 1 (active), and negative
// numbers of plugins; 0.x has 2 for the end of input. What they lack counts as 0.
constexpr std::array<EndReasonRow, kEndReasons> kRows{{
    {kIdle, "idle", 1, 0, 0, 0},
    {kActive, "active", 2, 1, 1, 1},
    {kNatural, "natural", 3, 0, 0, 0},
    {kForced, "forced", 4, 0, 0, 2},
    {kPlugin, "plugin", 4, -1, -1, 2},
    {kLackOfResources, "lack-of-resources", 5, 0, 0, 0},
    {kEndOfInput, "end-of-input", 4, 0, 0, 2},
    {kInterfaceGone, "interface-gone", 4, 0, 0, 2},
    {kResourceConstraint, "resource-constraint", 5, 0, 0, 0},
    {kClockStep, "clock-step", 4, 0, 0, 2},
}};

constexpr bool rows_are_in_order() {
    for (std::size_t i = 0; i < kRows.size(); ++i)
        if (static_cast<std::size_t>(kRows[i].reason) != i) return false;
    return true;
}
static_assert(rows_are_in_order());

}  // namespace

std::span<const EndReasonRow, kEndReasons> end_reasons() noexcept {
    return kRows;
}
const EndReasonRow& row(EndReason reason) noexcept {
    return kRows[static_cast<std::size_t>(reason)];
}

}  // namespace nfstreamd
