// SPDX-License-Identifier: Apache-2.0
#include "core/packet/checksum.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <vector>

#include "tests/unit/core/packet/decoded.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

constexpr const char *kA = "10.0.0.1", *kB = "10.0.0.2", *kA6 = "2001:db8::1", *kB6 = "2001:db8::2";
constexpr int kEthernet = 1;
constexpr std::size_t kIp = 14;

// RFC 1071, 1: word by word, as a sender of the time would.
std::uint32_t slow_sum(const Bytes& octets, std::size_t from, std::size_t to) {
    std::uint32_t sum = 0;
    for (std::size_t i = from; i < to; i += 2)
        sum += static_cast<std::uint32_t>(octets[i] << 8 | (i + 1 < to ? octets[i + 1] : 0));
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

std::uint32_t pseudo_sum(const Bytes& frame, std::size_t transport, std::uint8_t protocol) {
    const bool v4 = frame[kIp] >> 4 == 4;
    std::uint32_t sum = slow_sum(frame, kIp + (v4 ? 12 : 8), kIp + (v4 ? 20 : 40)) + protocol;
    sum += static_cast<std::uint32_t>(frame.size() - transport);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

void put(Bytes& frame, std::size_t at, std::uint32_t value) {
    frame[at] = static_cast<std::uint8_t>(value >> 8);
    frame[at + 1] = static_cast<std::uint8_t>(value);
}

// A frame without padding whose transport header begins at `transport`, with its right checksum.
Bytes finished(Bytes frame, std::size_t transport, std::uint8_t protocol) {
    const std::size_t field = transport + (protocol == 6 ? 16 : protocol == 17 ? 6 : 2);
    put(frame, field, 0);
    std::uint32_t sum = slow_sum(frame, transport, frame.size());
    if (protocol != 1) sum += pseudo_sum(frame, transport, protocol);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    std::uint32_t checksum = ~sum & 0xffff;
    if (protocol == 17 && checksum == 0) checksum = 0xffff;
    put(frame, field, checksum);
    return frame;
}

ChecksumVerdict verdict(const Bytes& frame, bool outgoing = false, std::size_t captured = SIZE_MAX) {
    const Decoded d(kEthernet, frame, {}, captured);
    REQUIRE(d.result == DecodeResult::kOk);
    return check_checksums(d.packet, outgoing);
}

struct Case {
    const char* what;
    std::size_t transport;
    std::uint8_t protocol;
    Bytes frame;
};

std::vector<Case> every_case(std::size_t payload) {
    const auto made = [](const char* what, std::size_t transport, std::uint8_t protocol, const Bytes& frame) {
        return Case{what, transport, protocol, finished(frame, transport, protocol)};
    };
    return {
        made("TCP", 34, 6, PacketBuilder(payload).tcp(1000, 80, 0x10, 6).ipv4(kA, kB).ethernet()),
        made("UDP", 34, 17, PacketBuilder(payload).udp(1000, 53).ipv4(kA, kB).ethernet()),
        made("ICMP", 34, 1, PacketBuilder(payload).icmp(8, 0).ipv4(kA, kB).ethernet()),
        made("TCP behind options", 46, 6,
             PacketBuilder(payload).tcp(1000, 80).ipv4(kA, kB, {.option_words = 3}).ethernet()),
        made("TCP over IPv6", 54, 6, PacketBuilder(payload).tcp(1000, 80).ipv6(kA6, kB6).ethernet()),
        made("UDP over IPv6", 54, 17, PacketBuilder(payload).udp(1000, 53).ipv6(kA6, kB6).ethernet()),
        made("ICMPv6", 54, 58, PacketBuilder(payload).icmpv6(128, 0).ipv6(kA6, kB6).ethernet()),
        made("UDP behind hop-by-hop options", 62, 17,
             PacketBuilder(payload).udp(1000, 53).extension(0).ipv6(kA6, kB6).ethernet()),
    };
}

}  // namespace

TEST_CASE("checksum: the sum of words is RFC 1071's, for every length") {
    Bytes octets(75);
    std::uint32_t state = 1;
    for (auto& octet : octets) octet = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    for (std::size_t length = 0; length <= octets.size(); ++length) {
        const std::uint16_t sum = ones_complement_sum(octets.data(), length);
        std::uint8_t in_memory[2];
        std::memcpy(in_memory, &sum, 2);
        CHECK((in_memory[0] << 8 | in_memory[1]) == static_cast<int>(slow_sum(octets, 0, length)));
    }
    const Bytes ones(64, 0xff);
    CHECK(ones_complement_sum(ones.data(), ones.size()) == 0xffff);
    const Bytes example{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};  // RFC 1071, 3
    const std::uint16_t sum = ones_complement_sum(example.data(), example.size());
    CHECK(std::memcmp(&sum, "\xdd\xf2", 2) == 0);
}

TEST_CASE("checksum: right ones are good, with any one bit turned they are bad") {
    for (const std::size_t payload : {0, 1, 10, 37})
        for (const Case& c : every_case(payload)) {
            CAPTURE(c.what);
            CHECK(verdict(c.frame) == ChecksumVerdict::kGood);
            for (std::size_t at = c.transport + 4; at < c.frame.size(); ++at) {  // ports and UDP's length decide more
                const bool is_length = c.protocol == 17 && at < c.transport + 6;
                const bool is_offset = c.protocol == 6 && at == c.transport + 12;
                if (is_length || is_offset) continue;
                Bytes spoiled = c.frame;
                spoiled[at] ^= 0x10;
                CHECK(verdict(spoiled) == ChecksumVerdict::kBad);
            }
        }
}

TEST_CASE("checksum: the IPv4 header has its own, and the pseudo-header covers the addresses") {
    Bytes frame = every_case(10)[0].frame;
    frame[kIp + 8] ^= 1;  // TTL
    CHECK(verdict(frame) == ChecksumVerdict::kBad);
    Bytes v6 = every_case(10)[4].frame;
    v6[kIp + 8] ^= 1;  // source address
    CHECK(verdict(v6) == ChecksumVerdict::kBad);
}

TEST_CASE("checksum: left to the interface, it is not bad") {
    for (const Case& c : every_case(10)) {
        if (c.protocol == 1) continue;
        CAPTURE(c.what);
        const std::size_t field = c.transport + (c.protocol == 6 ? 16 : c.protocol == 17 ? 6 : 2);
        Bytes partial = c.frame;
        put(partial, field, pseudo_sum(partial, c.transport, c.protocol));
        CHECK(verdict(partial) == ChecksumVerdict::kOffloaded);
        partial[field] ^= 1;
        CHECK(verdict(partial) == ChecksumVerdict::kBad);
        CHECK(verdict(partial, true) == ChecksumVerdict::kOffloaded);  // it goes out
        CHECK(verdict(c.frame, true) == ChecksumVerdict::kGood);
    }
}

TEST_CASE("checksum: zero is none for UDP over IPv4, over IPv6 for tunnels alone") {
    const auto without = [](std::uint16_t port, bool v6) {
        PacketBuilder udp = PacketBuilder(9).udp(1000, port);
        return (v6 ? udp.ipv6(kA6, kB6) : udp.ipv4(kA, kB)).ethernet().bytes();
    };
    CHECK(verdict(without(53, false)) == ChecksumVerdict::kGood);
    CHECK(verdict(without(53, true)) == ChecksumVerdict::kBad);
    CHECK(verdict(without(4789, true)) == ChecksumVerdict::kGood);
}

TEST_CASE("checksum: nobody judges fragments, cut packets, other protocols and addresses on their way") {
    Bytes bad = every_case(30)[0].frame;
    bad.back() ^= 1;
    CHECK(verdict(bad) == ChecksumVerdict::kBad);
    CHECK(verdict(bad, false, bad.size() - 1) == ChecksumVerdict::kGood);
    const auto udp = [] { return PacketBuilder(16).tcp(1, 2); };
    CHECK(verdict(udp().ipv4(kA, kB, {.fragment = 0x2000}).ethernet()) == ChecksumVerdict::kGood);
    CHECK(verdict(udp().protocol(132).ipv4(kA, kB).ethernet()) == ChecksumVerdict::kGood);
    CHECK(verdict(udp().extension(43).ipv6(kA6, kB6).ethernet()) == ChecksumVerdict::kGood);
    CHECK(verdict(udp().extension(0).ipv6(kA6, kB6).ethernet()) == ChecksumVerdict::kBad);
}

TEST_CASE("checksum: padding of the link is not summed, and a tunnel's inner packet is the one that counts") {
    Bytes padded = every_case(1)[0].frame;
    padded.resize(padded.size() + 7, 0xee);
    CHECK(verdict(padded) == ChecksumVerdict::kGood);
    Bytes inner = every_case(9)[1].frame;
    inner.erase(inner.begin(), inner.begin() + kIp);
    const auto tunnelled = [](const Bytes& ip) {
        return PacketBuilder(ip).gtp().udp(2152, 2152).ipv4(kA, kB).ethernet().bytes();
    };
    CHECK(verdict(tunnelled(inner)) == ChecksumVerdict::kGood);
    inner.back() ^= 1;
    CHECK(verdict(tunnelled(inner)) == ChecksumVerdict::kBad);
}
