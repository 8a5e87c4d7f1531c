// SPDX-License-Identifier: Apache-2.0
#include "core/packet/fragment_table.hpp"

#include <doctest/doctest.h>

#include "tests/support/packet_builder.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

constexpr TimestampNs kSecond = 1'000'000'000;

// A packet over an IP header that the caller keeps.
Packet piece(const Bytes& ip, bool later, std::uint32_t id = 5, TimestampNs time = 0) {
    Packet packet;
    packet.ip = ip.data();
    packet.version = ip[0] >> 4;
    packet.protocol = 17;
    packet.fragment = true;
    packet.later_fragment = later;
    packet.fragment_id = id;
    packet.timestamp = time;
    if (!later) {
        packet.source_port = 1000;
        packet.destination_port = 2000;
    }
    return packet;
}

}  // namespace

TEST_CASE("FragmentTable: a later fragment gets the ports of its first") {
    const Bytes v4 = PacketBuilder(8).ipv4("10.0.0.1", "10.0.0.2");
    const Bytes v6 = PacketBuilder(8).ipv6("2001:db8::1", "2001:db8::2");
    for (const Bytes& ip : {v4, v6}) {
        FragmentTable table(1);
        Packet first = piece(ip, false), later = piece(ip, true);
        CHECK_FALSE(table.resolve(later));
        CHECK(later.source_port == 0);
        CHECK(table.resolve(first));
        CHECK(table.resolve(later));
        CHECK(later.source_port == 1000);
        CHECK(later.destination_port == 2000);
    }
}

TEST_CASE("FragmentTable: another datagram, direction or protocol has no part in it") {
    const Bytes ip = PacketBuilder(8).ipv4("10.0.0.1", "10.0.0.2"),
                back = PacketBuilder(8).ipv4("10.0.0.2", "10.0.0.1");
    FragmentTable table(1);
    Packet first = piece(ip, false);
    table.resolve(first);
    Packet other_id = piece(ip, true, 6), other_way = piece(back, true), other_protocol = piece(ip, true);
    other_protocol.protocol = 6;
    CHECK_FALSE(table.resolve(other_id));
    CHECK_FALSE(table.resolve(other_way));
    CHECK_FALSE(table.resolve(other_protocol));
}

TEST_CASE("FragmentTable: forgets after thirty seconds, and the identifier may come again") {
    const Bytes ip = PacketBuilder(8).ipv4("10.0.0.1", "10.0.0.2");
    FragmentTable table(1);
    Packet first = piece(ip, false), in_time = piece(ip, true, 5, 30 * kSecond),
           late = piece(ip, true, 5, 30 * kSecond + 1);
    table.resolve(first);
    CHECK(table.resolve(in_time));
    CHECK_FALSE(table.resolve(late));
    Packet again = piece(ip, false, 5, 60 * kSecond), its = piece(ip, true, 5, 61 * kSecond);
    again.source_port = 3000;
    table.resolve(again);
    CHECK(table.resolve(its));
    CHECK(its.source_port == 3000);
}

TEST_CASE("FragmentTable: addresses and identifiers that differ alike do not meet in one entry") {
    const auto datagram = [](std::uint32_t i) {  // source xor identifier is the same for all
        return PacketBuilder(8).ipv4(std::to_string(i & 255) + '.' + std::to_string(i >> 8) + ".0.0", "10.0.0.2");
    };
    FragmentTable table(9);
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const Bytes ip = datagram(i);
        Packet first = piece(ip, false, i);
        table.resolve(first);
    }
    int kept = 0;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const Bytes ip = datagram(i);
        Packet later = piece(ip, true, i);
        kept += table.resolve(later);
    }
    CHECK(kept > 800);  // 888 expected of 1000 in 4096 places
}

TEST_CASE("FragmentTable: more datagrams than it holds overwrite, they are never mixed up") {
    const Bytes ip = PacketBuilder(8).ipv4("10.0.0.1", "10.0.0.2");
    FragmentTable table(7);
    for (std::uint32_t id = 0; id < 20'000; ++id) {
        Packet first = piece(ip, false, id);
        first.source_port = static_cast<std::uint16_t>(id);
        table.resolve(first);
    }
    int kept = 0;
    for (std::uint32_t id = 0; id < 20'000; ++id) {
        Packet later = piece(ip, true, id);
        if (!table.resolve(later)) continue;
        ++kept;
        CHECK(later.source_port == static_cast<std::uint16_t>(id));
    }
    CHECK(kept > 1000);
    CHECK(kept <= 4096);
}
