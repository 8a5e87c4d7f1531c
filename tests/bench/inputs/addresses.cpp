// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/inputs/addresses.hpp"

#include <cstring>
#include <initializer_list>

#include "tests/bench/inputs/octets.hpp"

namespace nfstreamd::bench {
namespace {

constexpr std::uint8_t kTcp = 6, kUdp = 17, kIcmpv6 = 58;

struct Place {
    std::uint32_t at = 0;  // of the IP header; 0: none
    std::uint8_t version = 0;
};

Place find_ip(const std::uint8_t* frame, std::uint32_t size) {
    if (size < 14) return {};
    std::uint32_t at = 14;
    std::uint16_t type = be16(frame + 12);
    while ((type == 0x8100 || type == 0x88a8 || type == 0x9100) && at + 4 <= size) {
        type = be16(frame + at + 2);
        at += 4;
    }
    if (type == 0x8864 && at + 8 <= size) {  // PPPoE
        const std::uint16_t inner = be16(frame + at + 6);
        type = inner == 0x21 ? 0x0800 : inner == 0x57 ? 0x86dd : 0;
        at += 8;
    }
    if (type == 0x8847) {  // MPLS
        for (bool bottom = false; !bottom && at + 4 <= size; at += 4) bottom = frame[at + 2] & 1;
        type = at >= size ? 0 : frame[at] >> 4 == 4 ? 0x0800 : frame[at] >> 4 == 6 ? 0x86dd : 0;
    }
    if (type == 0x0800 && at + 20 <= size && frame[at] >> 4 == 4 && (frame[at] & 15) >= 5) return {at, 4};
    if (type == 0x86dd && at + 40 <= size) return {at, 6};
    return {};
}

// The checksum of the transport header at l4 that covers the addresses; null: there is none.
std::uint8_t* covering_checksum(std::uint8_t* frame, std::uint32_t size, std::uint32_t l4, std::uint8_t protocol) {
    if (protocol == kTcp && l4 + 18 <= size) return frame + l4 + 16;
    if (protocol == kUdp && l4 + 8 <= size && be16(frame + l4 + 6) != 0) return frame + l4 + 6;
    if (protocol == kIcmpv6 && l4 + 4 <= size) return frame + l4 + 2;
    return nullptr;
}

void update(std::uint8_t* sum, bool udp, const std::uint8_t* before, const std::uint8_t* after, unsigned octets) {
    std::uint16_t value = be16(sum);
    for (unsigned i = 0; i < octets; i += 2) value = updated(value, be16(before + i), be16(after + i));
    put16(sum, udp && value == 0 ? 0xffff : value);
}

void shift_ipv4(std::uint8_t* frame, std::uint32_t size, std::uint32_t at, std::uint32_t key) {
    std::uint8_t* const ip = frame + at;
    std::uint8_t before[8];
    std::memcpy(before, ip + 12, sizeof before);
    for (std::uint8_t* address : {ip + 12, ip + 16}) {
        const std::uint32_t value = be32(address);
        if (value == 0 || value == 0xffffffff || value >> 28 == 0xe)
            continue;  // what means a host of its own to nobody
        const bool small_network = value >> 16 == 0xc0a8 || value >> 20 == 0xac1;
        put32(address, value ^ (small_network ? key : key << 8));
    }
    update(ip + 10, false, before, ip + 12, 8);
    if (be16(ip + 6) & 0x1fff || ip[9] == kIcmpv6) return;
    std::uint8_t* sum = covering_checksum(frame, size, at + (ip[0] & 15u) * 4, ip[9]);
    if (sum != nullptr) update(sum, ip[9] == kUdp, before, ip + 12, 8);
}

void shift_ipv6(std::uint8_t* frame, std::uint32_t size, std::uint32_t at, std::uint32_t key) {
    std::uint8_t* const ip = frame + at;
    std::uint8_t before[32];
    std::memcpy(before, ip + 8, sizeof before);
    constexpr std::uint8_t kZero[15] = {};
    for (std::uint8_t* address : {ip + 8, ip + 24}) {
        if (address[0] == 0xff || std::memcmp(address, kZero, sizeof kZero) == 0) continue;
        std::uint8_t* const part = address + (address[0] == 0xfe ? 8 : 4);  // a link-local one stays that
        put16(part, be16(part) ^ key);
    }
    std::uint8_t next = ip[6];
    std::uint32_t l4 = at + 40;
    while ((next == 0 || next == 43 || next == 44 || next == 60) && l4 + 8 <= size) {
        const bool fragment = next == 44;
        if (fragment && be16(frame + l4 + 2) & 0xfff8) return;
        next = frame[l4];
        l4 += fragment ? 8 : (frame[l4 + 1] + 1u) * 8;
    }
    std::uint8_t* sum = covering_checksum(frame, size, l4, next);
    if (sum != nullptr) update(sum, next == kUdp, before, ip + 8, 32);
}

}  // namespace

void shift_addresses(std::uint8_t* frame, std::uint32_t captured, unsigned copy) {
    const std::uint32_t key = copy * 40503u & 0xffff;  // odd: no two of 65536 copies have one
    const Place ip = find_ip(frame, captured);
    if (copy == 0 || ip.version == 0) return;
    ip.version == 4 ? shift_ipv4(frame, captured, ip.at, key) : shift_ipv6(frame, captured, ip.at, key);
}

bool is_of_a_tunnel(const std::uint8_t* frame, std::uint32_t captured) {
    constexpr std::uint16_t kGtp = 2152, kTzsp = 37008, kCapwap = 5247;
    const Place ip = find_ip(frame, captured);
    if (ip.version != 4 || frame[ip.at + 9] != kUdp) return false;
    const std::uint32_t l4 = ip.at + (frame[ip.at] & 15u) * 4;
    if (l4 + 4 > captured) return false;
    for (const std::uint16_t port : {be16(frame + l4), be16(frame + l4 + 2)})
        if (port == kGtp || port == kTzsp || port == kCapwap) return true;
    return false;
}

}  // namespace nfstreamd::bench
