// SPDX-License-Identifier: Apache-2.0
#include "core/selection/packet_hash_filter.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "core/packet/decode.hpp"
#include "tests/support/packet_builder.hpp"

namespace nfstreamd {
namespace {

using test::Bytes;
using test::PacketBuilder;
using Names = std::vector<std::string>;

Packet decoded(const Bytes& frame) {
    Packet packet;
    const RawFrame raw{1, frame.data(), static_cast<std::uint32_t>(frame.size()),
                       static_cast<std::uint32_t>(frame.size())};
    REQUIRE(decode(1, raw, {}, packet) == DecodeResult::kOk);
    return packet;
}

std::string host(int number) {
    return "10." + std::to_string(number >> 16 & 255) + '.' + std::to_string(number >> 8 & 255) + '.' +
           std::to_string(number & 255);
}

Bytes udp4(int source, int destination, int source_port, int destination_port, std::uint16_t id = 0) {
    return PacketBuilder(10)
        .udp(static_cast<std::uint16_t>(source_port), static_cast<std::uint16_t>(destination_port))
        .ipv4(host(source), host(destination), {.id = id})
        .ethernet();
}

// RFC 5475, A.2, step by step as it stands there.
std::uint32_t bob_of_the_rfc(const Bytes& k, std::uint32_t initialiser) {
    std::uint32_t a = 0x9e3779b9, b = 0x9e3779b9, c = initialiser;
    const auto mix = [&] {
        a -= b;
        a -= c;
        a ^= (c >> 13);  // clang-format off
        b -= c; b -= a; b ^= (a << 8);
        c -= a; c -= b; c ^= (b >> 13);
        a -= b; a -= c; a ^= (c >> 12);
        b -= c; b -= a; b ^= (a << 16);
        c -= a; c -= b; c ^= (b >> 5);
        a -= b; a -= c; a ^= (c >> 3);
        b -= c; b -= a; b ^= (a << 10);
        c -= a; c -= b; c ^= (b >> 15);  // clang-format on
    };
    const auto at = [&](std::size_t i, int shift) { return std::uint32_t{k[i]} << shift; };
    std::size_t p = 0, len = k.size();
    while (len >= 12) {
        a += at(p, 0) + at(p + 1, 8) + at(p + 2, 16) + at(p + 3, 24);
        b += at(p + 4, 0) + at(p + 5, 8) + at(p + 6, 16) + at(p + 7, 24);
        c += at(p + 8, 0) + at(p + 9, 8) + at(p + 10, 16) + at(p + 11, 24);
        mix();
        p += 12;
        len -= 12;
    }
    c += static_cast<std::uint32_t>(k.size());
    if (len >= 11) c += at(p + 10, 24);
    if (len >= 10) c += at(p + 9, 16);
    if (len >= 9) c += at(p + 8, 8);
    if (len >= 8) b += at(p + 7, 24);
    if (len >= 7) b += at(p + 6, 16);
    if (len >= 6) b += at(p + 5, 8);
    if (len >= 5) b += at(p + 4, 0);
    if (len >= 4) a += at(p + 3, 24);
    if (len >= 3) a += at(p + 2, 16);
    if (len >= 2) a += at(p + 1, 8);
    if (len >= 1) a += at(p, 0);
    mix();
    return c;
}

TEST_CASE("bob_hash: is the function of RFC 5475 for every length") {
    Bytes octets;
    std::set<std::uint32_t> seen;
    for (int length = 0; length < 60; ++length) {
        for (const std::uint32_t initialiser : {0u, 1u, 0xdeadbeefu}) {
            CHECK(bob_hash(octets, initialiser) == bob_of_the_rfc(octets, initialiser));
            seen.insert(bob_hash(octets, initialiser));
        }
        octets.push_back(static_cast<std::uint8_t>(length * 37 + 200));
    }
    CHECK(seen.size() == 180);
}

TEST_CASE("PacketHashFilter: both directions of a flow are selected together") {
    for (const Names& fields : {Names{"src_ip", "dst_ip"}, Names{"src_port", "dst_port"},
                                Names{"src_ip", "dst_ip", "src_port", "dst_port", "protocol", "vlan_id"}}) {
        const PacketHashFilter filter({fields, 0.5, 3});
        int selected = 0;
        for (int i = 0; i < 500; ++i) {
            // ends of either order, and of one address
            const int a = i * 7919 % 1000, b = i % 5 == 0 ? a : i * 104'729 % 1000;
            const Bytes there = udp4(a, b, 1000 + i, 53 + 2000 * (i % 2)),
                        back = udp4(b, a, 53 + 2000 * (i % 2), 1000 + i);
            CHECK(filter.selects(decoded(there)) == filter.selects(decoded(back)));
            selected += filter.selects(decoded(there));
        }
        CHECK(selected > 150);
        CHECK(selected < 350);
    }
}

TEST_CASE("PacketHashFilter: IPv6, too") {
    const PacketHashFilter filter({{"src_ip", "dst_ip", "src_port", "dst_port"}, 0.5, 0});
    int selected = 0;
    for (int i = 1; i < 200; ++i) {
        const std::string a = "2001:db8::" + std::to_string(i), b = "2001:db8:1::1";
        const Bytes there = PacketBuilder(4).udp(1000, 53).ipv6(a, b).ethernet();
        const Bytes back = PacketBuilder(4).udp(53, 1000).ipv6(b, a).ethernet();
        CHECK(filter.selects(decoded(there)) == filter.selects(decoded(back)));
        selected += filter.selects(decoded(there));
    }
    CHECK(selected > 50);
    CHECK(selected < 150);
}

TEST_CASE("PacketHashFilter: selects the fraction that was asked for") {
    for (const double fraction : {0.01, 0.1, 0.5, 0.9}) {
        const PacketHashFilter filter({{"src_ip", "dst_ip"}, fraction, 0});
        int selected = 0;
        constexpr int kFlows = 5000;
        for (int i = 0; i < kFlows; ++i) selected += filter.selects(decoded(udp4(i, 100'000 + i / 7, 1, 2)));
        CHECK(selected > kFlows * fraction - 250);
        CHECK(selected < kFlows * fraction + 250);
    }
}

TEST_CASE("PacketHashFilter: probes of one seed select the same packets, of another seed others") {
    const PacketHashFilter a({{"src_ip", "ip_id"}, 0.5, 42}), b({{"ip_id", "src_ip"}, 0.5, 42}),
        other({{"src_ip", "ip_id"}, 0.5, 43});
    int differ = 0;
    for (int i = 0; i < 400; ++i) {
        const Bytes frame = udp4(1, 2, 3, 4, static_cast<std::uint16_t>(i));
        CHECK(a.selects(decoded(frame)) == b.selects(decoded(frame)));
        differ += a.selects(decoded(frame)) != other.selects(decoded(frame));
    }
    CHECK(differ > 100);
}

TEST_CASE("PacketHashFilter: only the chosen fields count, and each of them does") {
    struct Change {
        const char* field;
        Bytes frame;
    };
    const Bytes base = udp4(1, 2, 3, 4, 5);
    const Change changes[] = {{"src_ip", udp4(9, 2, 3, 4, 5)},
                              {"dst_ip", udp4(1, 9, 3, 4, 5)},
                              {"src_port", udp4(1, 2, 9, 4, 5)},
                              {"dst_port", udp4(1, 2, 3, 9, 5)},
                              {"ip_id", udp4(1, 2, 3, 4, 9)},
                              {"protocol", PacketBuilder(10).tcp(3, 4).ipv4(host(1), host(2), {.id = 5}).ethernet()}};
    for (const auto name : hash_field_names()) {
        for (const Change& change : changes) {
            int differ = 0;
            for (std::uint32_t seed = 0; seed < 64; ++seed) {
                const PacketHashFilter filter({{std::string(name)}, 0.5, seed});
                differ += filter.selects(decoded(base)) != filter.selects(decoded(change.frame));
            }
            CHECK_MESSAGE((differ > 0) == (name == change.field), name, " and a change of ", change.field);
        }
    }
}

TEST_CASE("PacketHashFilter: without fields or with the whole range it is off") {
    CHECK_FALSE(PacketHashFilter().on());
    CHECK_FALSE(PacketHashFilter({{}, 0.5, 0}).on());
    CHECK_FALSE(PacketHashFilter({{"src_ip"}, 1, 0}).on());
    CHECK(PacketHashFilter({{"src_ip"}, 0.999, 0}).on());
    const PacketHashFilter none({{"src_ip"}, 0, 0});
    CHECK(none.on());
    for (int i = 0; i < 100; ++i) CHECK_FALSE(none.selects(decoded(udp4(i, 1, 1, 1))));
}

TEST_CASE("check_packet_hash: unknown and repeated fields and a fraction of nothing are errors") {
    CHECK(check_packet_hash({}));
    CHECK(check_packet_hash({{"src_ip", "dst_ip"}, 0.1, 0}));
    const auto unknown = check_packet_hash({{"src_mac"}, 0.1, 0});
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().message ==
          "\"src_mac\" cannot be hashed; known: src_ip, dst_ip, src_port, dst_port, "
          "protocol, vlan_id, ip_id");
    CHECK_FALSE(check_packet_hash({{"src_ip", "src_ip"}, 0.1, 0}));
    CHECK_FALSE(check_packet_hash({{}, 0.1, 0}));
}

}  // namespace
}  // namespace nfstreamd
