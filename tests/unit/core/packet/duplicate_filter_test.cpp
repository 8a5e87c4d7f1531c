// SPDX-License-Identifier: Apache-2.0
#include "core/packet/duplicate_filter.hpp"

#include <doctest/doctest.h>

#include "tests/support/packet_builder.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

constexpr int kEthernet = 1, kRaw = 12;
constexpr TimestampNs kMs = 1'000'000, kNothingGone = -1;
constexpr const char *kA = "10.0.0.1", *kB = "10.0.0.2", *kA6 = "2001:db8::1", *kB6 = "2001:db8::2";

DuplicateFilter filter(std::uint32_t octets = 1400) {
    return DuplicateFilter(10 * kMs, octets, {11, 22, 33, 44});
}

RawFrame frame(const Bytes& octets, std::uint8_t source = 0, TimestampNs time = 0) {
    const auto size = static_cast<std::uint32_t>(octets.size());
    return {time, octets.data(), size, size, source};
}

std::uint64_t identity(const Bytes& octets, int link_type = kEthernet) {
    static const DuplicateFilter one = filter();
    return one.identify(link_type, frame(octets));
}

PacketBuilder udp(std::size_t payload = 100) {
    return PacketBuilder(payload).udp(1, 2).ipv4(kA, kB);
}
PacketBuilder udp6() {
    return PacketBuilder(100).udp(1, 2).ipv6(kA6, kB6);
}

}  // namespace

TEST_CASE("DuplicateFilter: what the link layer adds does not count") {
    CHECK(identity(udp().ethernet()) != 0);
    CHECK(identity(udp().ethernet()) == identity(udp().vlan(7).ethernet()));
    CHECK(identity(udp().ethernet()) == identity(udp().vlan(7).vlan(8).ethernet()));
    CHECK(identity(udp().ethernet()) == identity(udp().bytes(), kRaw));
    CHECK(identity(udp6().ethernet()) == identity(udp6().vlan(7).ethernet()));
    Bytes padded = udp(2).ethernet();
    padded.resize(64);
    CHECK(identity(padded) == identity(udp(2).ethernet()));
}

TEST_CASE("DuplicateFilter: every octet of the IP packet counts, but for the checksum of its transport") {
    for (const auto& [plain, checksum] :
         {std::pair(Bytes(udp().ethernet()), 14 + 20 + 6), std::pair(Bytes(udp6().ethernet()), 14 + 40 + 6),
          std::pair(Bytes(PacketBuilder(50).tcp(1, 2).ipv4(kA, kB).ethernet()), 14 + 20 + 16)}) {
        const auto original = identity(plain);
        for (std::size_t i = 0; i < plain.size(); ++i) {
            Bytes changed = plain;
            changed[i] ^= 1;
            const int position = static_cast<int>(i);
            const bool counts = i >= 14 && position != checksum && position != checksum + 1;
            if (i == 12 || i == 13 || i == 14) continue;  // EtherType, version and header length: another layout
            CHECK_MESSAGE((identity(changed) == original) == !counts, i);
        }
    }
}

TEST_CASE("DuplicateFilter: the length counts, although fewer octets are looked at") {
    const auto few = filter(64);
    const auto identify = [&](const Bytes& octets) { return few.identify(kEthernet, frame(octets)); };
    CHECK(identify(udp(200).ethernet()) != identify(udp(201).ethernet()));
    Bytes other_end = udp(200).ethernet();
    other_end.back() ^= 1;
    CHECK(identify(udp(200).ethernet()) == identify(other_end));
    Bytes cut = udp(200).vlan(5).ethernet();
    cut.resize(18 + 64);
    CHECK(identify(udp(200).ethernet()) == identify(cut));
}

TEST_CASE("DuplicateFilter: what is not IP or too short has no identity") {
    CHECK(identity(PacketBuilder(46).ethernet_field(0x0806)) == 0);
    CHECK(identity(Bytes(10)) == 0);
    CHECK(identity({}) == 0);
    CHECK(identity(udp().ethernet(), 9999) == 0);
    Bytes cut = udp6().ethernet();
    cut.resize(14 + 39);
    CHECK(identity(cut) == 0);
}

TEST_CASE("DuplicateFilter: identities are keyed") {
    const Bytes octets = udp().ethernet();
    CHECK(DuplicateFilter(kMs, 1400, {1, 2, 3, 4}).identify(kEthernet, frame(octets)) !=
          DuplicateFilter(kMs, 1400, {5, 2, 3, 4}).identify(kEthernet, frame(octets)));
}

TEST_CASE("DuplicateFilter: a copy is one within the window, before or after, of another source") {
    const Bytes octets = udp().ethernet();
    const auto admitted_after = [&](TimestampNs gap, std::uint8_t source) {
        auto f = filter();
        const auto id = f.identify(kEthernet, frame(octets));
        CHECK(f.admit(id, frame(octets, 0, 50 * kMs), kNothingGone));
        return f.admit(id, frame(octets, source, 50 * kMs + gap), kNothingGone);
    };
    CHECK_FALSE(admitted_after(0, 1));
    CHECK_FALSE(admitted_after(10 * kMs, 1));
    CHECK_FALSE(admitted_after(-10 * kMs, 1));
    CHECK(admitted_after(10 * kMs + 1, 1));
    CHECK(admitted_after(-10 * kMs - 1, 1));
    CHECK(admitted_after(0, 0));
}

TEST_CASE("DuplicateFilter: a lower source supersedes a copy that has not left, and no other") {
    const Bytes octets = udp().ethernet();
    auto f = filter();
    const auto id = f.identify(kEthernet, frame(octets));
    const auto low = frame(octets, 1, 2 * kMs), high = frame(octets, 3, kMs), lowest = frame(octets, 0, 3 * kMs);
    CHECK(f.admit(id, high, kNothingGone));
    CHECK_FALSE(f.is_superseded(id, high));
    CHECK(f.admit(id, low, kNothingGone));
    CHECK(f.is_superseded(id, high));
    CHECK_FALSE(f.is_superseded(id, low));
    CHECK_FALSE(f.admit(id, lowest, 2 * kMs));  // those have left
    CHECK_FALSE(f.is_superseded(id, low));
}

TEST_CASE("DuplicateFilter: more packets than it remembers are let through, the latest ones are known") {
    auto f = filter();
    Bytes octets = udp().ethernet();
    const auto numbered = [&](int number) {
        octets[40] = static_cast<std::uint8_t>(number);
        octets[42] = static_cast<std::uint8_t>(number >> 8);
        octets[43] = static_cast<std::uint8_t>(number >> 16);
        return f.identify(kEthernet, frame(octets));
    };
    constexpr int kMany = 300'000;
    int refused = 0;
    for (int i = 0; i < kMany; ++i) refused += !f.admit(numbered(i), frame(octets, 0, i), kNothingGone);
    CHECK(refused == 0);
    for (int i = kMany - 1000; i < kMany; ++i) refused += !f.admit(numbered(i), frame(octets, 1, kMany), kNothingGone);
    CHECK(refused > 990);
}
