// SPDX-License-Identifier: Apache-2.0
// What becomes of packets whose checksums do not fit.
#pragma once
#include <cstdint>

namespace nfstreamd {

enum class ChecksumMode : std::uint8_t {
    kOff,     // nobody looks, as nfstream
    kCount,   // metered and counted
    kIgnore,  // counted as an ignored packet
};

}  // namespace nfstreamd
