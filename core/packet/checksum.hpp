// SPDX-License-Identifier: Apache-2.0
// Internet checksums (RFC 1071) of a decoded packet: IPv4 header, TCP, UDP,
// ICMP and ICMPv6. Pure, any thread.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/packet/packet.hpp"

namespace nfstreamd {

// Sum of 16-bit words as they lie in memory, folded to 16 bits; `initial` is
// such a sum. Its complement in memory order is the checksum.
std::uint16_t ones_complement_sum(const std::uint8_t* octets, std::size_t count, std::uint64_t initial = 0) noexcept;

// What the octets sum up to when the checksum among them is right.
constexpr bool is_valid_checksum(std::uint16_t sum) noexcept {
    return sum == 0xffff;
}

enum class ChecksumVerdict : std::uint8_t {
    kGood,       // or nothing to check: a fragment, cut, without a checksum
    kOffloaded,  // left to the interface: the packet goes out, or holds the pseudo-header's sum alone
    kBad
};

// `outgoing`: sent by this host, whose interface may fill the checksums in.
ChecksumVerdict check_checksums(const Packet& packet, bool outgoing) noexcept;

}  // namespace nfstreamd
