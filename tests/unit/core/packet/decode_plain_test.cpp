// SPDX-License-Identifier: Apache-2.0
// The short way of decode() says what the long way says, of every frame.
#include "core/packet/decode_plain.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "core/packet/decode.hpp"
#include "tests/support/packet_builder.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

constexpr int kEthernet = 1;
const char* const kA = "192.0.2.1";
const char* const kB = "198.51.100.2";
const char* const kA6 = "2001:db8::1";
const char* const kB6 = "2001:db8::2";

std::vector<Bytes> frames() {
    std::vector<Bytes> out;
    for (const std::size_t payload : {0, 1, 6, 20, 100, 1400}) {
        out.push_back(PacketBuilder(payload).tcp(1000, 443, 0x12).ipv4(kA, kB).ethernet().bytes());
        out.push_back(PacketBuilder(payload).udp(5353, 53).ipv4(kA, kB).ethernet().bytes());
        out.push_back(PacketBuilder(payload).tcp(1000, 443, 0x12).ipv4(kA, kB).vlan(7).ethernet().bytes());
        out.push_back(PacketBuilder(payload).tcp(1000, 443, 0x12).ipv6(kA6, kB6).ethernet().bytes());
        out.push_back(PacketBuilder(payload).udp(2152, 2152).ipv4(kA, kB).ethernet().bytes());
        out.push_back(PacketBuilder(payload).udp(4789, 4789).ipv6(kA6, kB6).vlan(9).ethernet().bytes());
    }
    return out;
}

const DecodeOptions kOptions[] = {{false, FragmentMode::kFirst},
                                  {true, FragmentMode::kFirst},
                                  {TunnelSet::all(), FragmentMode::kFirst},
                                  {TunnelSet::all(), FragmentMode::kAll}};

// Return: how many frames took the short way.
int compare(const RawFrame& frame) {
    Packet plain;
    const bool is_plain = decode_plain(frame, plain);
    for (const DecodeOptions& options : kOptions) {
        Packet any, either;
        const DecodeResult expected = decode_any(kEthernet, frame, options, any);
        REQUIRE(decode(kEthernet, frame, options, either) == expected);
        if (expected == DecodeResult::kOk) REQUIRE(either == any);
        if (is_plain) REQUIRE(expected == DecodeResult::kOk);
        if (is_plain) REQUIRE(plain == any);
    }
    return is_plain;
}

}  // namespace

TEST_CASE("decode_plain: takes TCP and UDP over Ethernet, tagged or not, and leaves tunnel ports to the long way") {
    const auto plain = [](const Bytes& bytes) {
        const auto length = static_cast<std::uint32_t>(bytes.size());
        Packet packet;
        return decode_plain({5, bytes.data(), length, length}, packet);
    };
    CHECK(plain(PacketBuilder(20).tcp(1000, 443, 2).ipv4(kA, kB).ethernet().bytes()));
    CHECK(plain(PacketBuilder(20).udp(1000, 53).ipv4(kA, kB).ethernet().bytes()));
    CHECK(plain(PacketBuilder(20).udp(1000, 53).ipv4(kA, kB).vlan(3).ethernet().bytes()));
    CHECK(plain(PacketBuilder(20).tcp(1000, 443, 2).ipv6(kA6, kB6).ethernet().bytes()));
    CHECK_FALSE(plain(PacketBuilder(20).udp(1000, 2152).ipv4(kA, kB).ethernet().bytes()));
    CHECK_FALSE(plain(PacketBuilder(20).udp(6081, 1000).ipv6(kA6, kB6).ethernet().bytes()));
    CHECK_FALSE(plain(PacketBuilder(20).udp(1000, 53).ipv4(kA, kB).vlan(3).vlan(4).ethernet().bytes()));
    CHECK_FALSE(plain(PacketBuilder(20).udp(1000, 53).ipv4(kA, kB, {.fragment = 0x2000}).ethernet().bytes()));
}

TEST_CASE("decode_plain: says what the long way says of frames cut anywhere and with any octet changed") {
    std::mt19937 random(1);
    int plain = 0, compared = 0;
    for (const Bytes& whole : frames()) {
        const auto size = static_cast<std::uint32_t>(whole.size());
        for (std::uint32_t captured = 0; captured <= std::min(size, 120u); ++captured, ++compared)
            plain += compare({5, whole.data(), captured, size, 3});
        for (int i = 0; i < 3000; ++i, ++compared) {
            Bytes changed = whole;
            const int changes = 1 + static_cast<int>(random() % 3);
            for (int c = 0; c < changes; ++c)
                changed[random() % std::min<std::size_t>(size, 80)] = static_cast<std::uint8_t>(random());
            plain += compare({5, changed.data(), size - static_cast<std::uint32_t>(random() % 2), size + 4});
        }
    }
    CHECK(plain > compared / 4);  // both ways were taken
    CHECK(plain < compared);
}
