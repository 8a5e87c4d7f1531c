// SPDX-License-Identifier: Apache-2.0
// Bits of TCP's flag octet (RFC 9293, 3.1) that decide something.
#pragma once
#include <cstdint>

namespace nfstreamd {

inline constexpr std::uint8_t kFinFlag = 0x01, kSynFlag = 0x02, kRstFlag = 0x04, kAckFlag = 0x10;

}  // namespace nfstreamd
