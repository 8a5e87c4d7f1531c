// SPDX-License-Identifier: Apache-2.0
// What the makers of inputs write into headers, and their pseudo-random
// numbers: the same input comes out on every machine. Pure.
#pragma once
#include <cstdint>
#include <cstring>

#include "core/base/mixing.hpp"
#include "core/packet/octets.hpp"

namespace nfstreamd::bench {

inline constexpr std::uint64_t kFirstSecond = 1'700'000'000;

class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t below(std::uint64_t limit) { return splitmix_finish(state_ += kSplitmixStep) % limit; }

private:
    std::uint64_t state_;
};

inline void put16(std::uint8_t* p, std::uint64_t value) {
    p[0] = static_cast<std::uint8_t>(value >> 8);
    p[1] = static_cast<std::uint8_t>(value);
}
inline void put32(std::uint8_t* p, std::uint64_t value) {
    put16(p, value >> 16);
    put16(p + 2, value);
}

// RFC 1071, of octets whose own checksum field is zero; `sum` is what else counts, as a pseudo-header does.
inline std::uint16_t checksum(const std::uint8_t* p, unsigned count, std::uint32_t sum = 0) {
    for (unsigned i = 0; i + 1 < count; i += 2) sum += be16(p + i);
    if (count & 1) sum += std::uint32_t{p[count - 1]} << 8;
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

// RFC 1624: the checksum after one of its words has changed.
inline std::uint16_t updated(std::uint16_t checksum, std::uint16_t before, std::uint16_t after) {
    std::uint32_t sum =
        static_cast<std::uint16_t>(~checksum) + static_cast<std::uint16_t>(~before) + std::uint32_t{after};
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

// Ethernet and IPv4 of a frame whose octets are zero so far; `reverse` turns the link's addresses.
inline std::uint8_t* put_ipv4(std::uint8_t* frame, bool reverse, unsigned total, std::uint64_t identification,
                              std::uint8_t protocol, std::uint32_t source, std::uint32_t destination) {
    std::memcpy(frame, reverse ? "\2\0\0\0\0\1\2\0\0\0\0\2" : "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
    put16(frame + 12, 0x0800);
    std::uint8_t* ip = frame + 14;
    ip[0] = 0x45;
    put16(ip + 2, total);
    put16(ip + 4, identification);
    put16(ip + 6, 0x4000);  // do not fragment
    ip[8] = 64;
    ip[9] = protocol;
    put32(ip + 12, source);
    put32(ip + 16, destination);
    put16(ip + 10, checksum(ip, 20));
    return ip;
}

}  // namespace nfstreamd::bench
