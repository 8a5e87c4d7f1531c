// SPDX-License-Identifier: Apache-2.0
// CRC32C, the checksum of iSCSI and SCTP (RFC 3720, B.4): finds damage, no
// malice. Any thread.
#pragma once
#include <cstdint>
#include <string_view>

namespace nfstreamd {

// Goes on from the checksum of what came before.
std::uint32_t crc32c(std::string_view octets, std::uint32_t before = 0) noexcept;

}  // namespace nfstreamd
