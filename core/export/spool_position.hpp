// SPDX-License-Identifier: Apache-2.0
// Where a record is in a spool.
#pragma once
#include <compare>
#include <cstdint>

namespace nfstreamd {

// An entry of a segment, and how many of its records come before.
struct SpoolPosition {
    std::uint64_t segment = 0, offset = 0;
    std::uint64_t before = 0;  // records of the segment before the entry
    std::uint64_t skip = 0;    // records of the entry
    friend auto operator<=>(const SpoolPosition&, const SpoolPosition&) = default;
};

}  // namespace nfstreamd
