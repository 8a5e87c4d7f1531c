// SPDX-License-Identifier: Apache-2.0
#include "core/packet/checksum.hpp"

#include <bit>
#include <cstring>

#include "core/packet/octets.hpp"

namespace nfstreamd {
namespace {

constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58;

std::uint64_t add(std::uint64_t a, std::uint64_t b) {  // end-around carry
    const std::uint64_t sum = a + b;
    return sum + (sum < a);
}

std::uint16_t fold(std::uint64_t sum) {
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

std::uint16_t in_memory_order(std::uint32_t number) {
    if constexpr (std::endian::native == std::endian::big) return static_cast<std::uint16_t>(number);
    return __builtin_bswap16(static_cast<std::uint16_t>(number));
}

std::uint16_t field(const std::uint8_t* p) {
    std::uint16_t value;
    std::memcpy(&value, p, 2);
    return value;
}

// RFC 9293, 3.1 and RFC 8200, 8.1: addresses, length, protocol.
std::uint16_t pseudo_header(const Packet& packet, std::uint32_t length) {
    const bool v4 = packet.version == 4;
    std::uint64_t sum = in_memory_order(packet.protocol);
    sum = add(sum, in_memory_order(length & 0xffff));
    sum = add(sum, in_memory_order(length >> 16));
    return ones_complement_sum(packet.ip + (v4 ? 12 : 8), v4 ? 8 : 32, sum);
}

// The addresses of the pseudo-header may stand in routing headers and options.
bool may_have_other_addresses(const Packet& packet) {
    constexpr std::uint8_t kHopByHop = 0, kFragment = 44;
    const std::uint8_t* const end = packet.ip + packet.transport_offset;
    std::uint8_t next = packet.ip[6];
    for (const std::uint8_t* p = packet.ip + 40; p < end;) {
        if (next != kHopByHop && next != kFragment) return true;
        const int length = next == kFragment ? 8 : p[1] * 8 + 8;
        next = p[0];
        p += length;
    }
    return false;
}

// RFC 6935 and 3GPP TS 29.281: over IPv6 tunnels alone may go without.
bool may_lack_checksum(const Packet& packet) {
    const std::uint16_t port = packet.destination_port;
    return packet.version == 4 || port == 4789 || port == 6081 || port == 2152;
}

// Where the checksum stands in the transport header, -1 when there is none to check.
int checksum_offset(const Packet& packet, const std::uint8_t* transport, std::uint32_t& length) {
    switch (packet.protocol) {
        case kTcp:
            return 16;
        case kUdp: {
            const std::uint32_t own = be16(transport + 4);
            if (own > length || (own != 0 && own < 8)) return -1;
            if (own != 0) length = own;
            return field(transport + 6) == 0 && may_lack_checksum(packet) ? -1 : 6;
        }
        case kIcmp:
            return packet.version == 4 && length >= 4 ? 2 : -1;
        case kIcmpv6:
            return packet.version == 6 && length >= 4 ? 2 : -1;
        default:
            return -1;
    }
}

ChecksumVerdict check_transport(const Packet& packet) {
    std::uint32_t length = packet.sizes[2];
    if (length == 0 || packet.transport_offset + length > packet.ip_octets) return ChecksumVerdict::kGood;
    if (packet.version == 6 && may_have_other_addresses(packet)) return ChecksumVerdict::kGood;
    const std::uint8_t* const transport = packet.ip + packet.transport_offset;
    const int offset = checksum_offset(packet, transport, length);
    if (offset < 0) return ChecksumVerdict::kGood;
    const std::uint16_t pseudo = packet.protocol == kIcmp ? 0 : pseudo_header(packet, length);
    if (is_valid_checksum(ones_complement_sum(transport, length, pseudo))) return ChecksumVerdict::kGood;
    return pseudo != 0 && field(transport + offset) == pseudo ? ChecksumVerdict::kOffloaded : ChecksumVerdict::kBad;
}

}  // namespace

std::uint16_t ones_complement_sum(const std::uint8_t* octets, std::size_t count, std::uint64_t initial) noexcept {
    std::uint64_t sum = initial, word;
    for (; count >= sizeof word; octets += sizeof word, count -= sizeof word) {
        std::memcpy(&word, octets, sizeof word);
        sum = add(sum, word);
    }
    word = 0;
    if (count != 0) std::memcpy(&word, octets, count);
    return fold(add(sum, word));
}

ChecksumVerdict check_checksums(const Packet& packet, bool outgoing) noexcept {
    if (packet.fragment || packet.ip_captured < packet.ip_octets) return ChecksumVerdict::kGood;
    ChecksumVerdict verdict = ChecksumVerdict::kGood;
    if (packet.version == 4) {
        const std::size_t header = (packet.ip[0] & 15u) * 4;
        if (!is_valid_checksum(ones_complement_sum(packet.ip, header))) verdict = ChecksumVerdict::kBad;
    }
    if (verdict == ChecksumVerdict::kGood) verdict = check_transport(packet);
    return verdict == ChecksumVerdict::kBad && outgoing ? ChecksumVerdict::kOffloaded : verdict;
}

}  // namespace nfstreamd
