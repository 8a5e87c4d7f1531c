// SPDX-License-Identifier: Apache-2.0
#include "core/packet/decode.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/core/packet/decoded.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

constexpr const char *kA = "10.0.0.1", *kB = "10.0.0.2", *kA6 = "2001:db8::1", *kB6 = "2001:db8::2";
constexpr int kNull = 0, kEthernet = 1, kPpp = 9, kRaw = 12, kPppSerial = 50, kCHdlc = 104, kSll = 113, kRadiotap = 127,
              kIpv4Link = 228, kIpv6Link = 229, kSll2 = 276;
constexpr DecodeOptions kAllFragments{.tunnels = true, .fragments = FragmentMode::kAll};

PacketBuilder udp4(std::size_t payload = 10) {
    return PacketBuilder(payload).udp(1000, 2000).ipv4(kA, kB);
}
PacketBuilder udp6(std::size_t payload = 10) {
    return PacketBuilder(payload).udp(1000, 2000).ipv6(kA6, kB6);
}

bool is_udp4(const Decoded& d) {
    return d.result == DecodeResult::kOk && d.packet.version == 4 && d.packet.protocol == 17 && d.source() == kA &&
           d.destination() == kB && d.packet.source_port == 1000 && d.packet.destination_port == 2000;
}
bool is_udp6(const Decoded& d) {
    return d.result == DecodeResult::kOk && d.packet.version == 6 && d.packet.protocol == 17 && d.source() == kA6 &&
           d.destination() == kB6 && d.packet.source_port == 1000 && d.packet.destination_port == 2000;
}

// All kinds of frames that the decoder knows.
std::vector<std::pair<int, Bytes>> every_kind() {
    std::vector<std::pair<int, Bytes>> out;
    const auto add = [&](int link_type, const PacketBuilder& builder) { out.emplace_back(link_type, builder.bytes()); };
    add(kEthernet, udp4().ethernet());
    add(kEthernet, PacketBuilder(9).tcp(1, 2, 0xff, 8).ipv4(kA, kB, {.option_words = 10}).ethernet());
    add(kEthernet, udp4().vlan(1).vlan(2).vlan(3, 0x88a8).ethernet());
    add(kEthernet, udp4().mpls(3).vlan(4).ethernet());
    add(kEthernet, udp4().pppoe().vlan(4).ethernet());
    add(kEthernet, udp4().llc(0xaa, 0xaa, true));
    add(kEthernet, udp4().llc(0x06, 0x06, false));
    add(kEthernet, udp4().llc(0x42, 0x42, false));
    add(kNull, udp4().prefix({0, 0, 0, 2}));
    add(kPpp, udp4().prefix({0, 0x21}));
    add(kPpp, udp4().typed_prefix({0x0f, 0}));
    add(kPppSerial, udp4().typed_prefix({0xff, 3}));
    add(kRaw, udp6());
    add(kSll, udp6().sll());
    add(kSll2, udp4().sll2(3, 4));
    add(kRadiotap, udp4().radiotap(1));
    add(kRadiotap, udp4().radiotap(3));
    add(kEthernet, PacketBuilder(9).icmp(8, 0).ipv4(kA, kB).ethernet());
    add(kEthernet, PacketBuilder(9).icmpv6(128, 0).ipv6(kA6, kB6).ethernet());
    add(kEthernet, PacketBuilder(9)
                       .udp(1, 2)
                       .extension(135)
                       .extension(60, 2)
                       .fragment_header(1, 7)
                       .extension(43, 1)
                       .extension(0)
                       .ipv6(kA6, kB6)
                       .ethernet());
    add(kEthernet, udp4().ipv4(kA, kB).ipv6(kA6, kB6).ipv6(kA6, kB6).ethernet());
    add(kEthernet, udp6()
                       .gtp(0x36, {0, 0, 0, 0x85, 1, 0, 0, 0x85, 2, 0, 0, 0, 0, 0, 0, 0})
                       .udp(2152, 2152)
                       .ipv4(kA, kB)
                       .ethernet());
    add(kEthernet, udp4().vlan(9).ethernet().tzsp({0x0a, 2, 1}).udp(37008, 37008).ipv4(kA, kB).ethernet());
    add(kEthernet, udp4().gtp().udp(1, 2152).ipv4(kA, kB).capwap(4).udp(5247, 1).ipv4(kA, kB).ethernet());
    return out;
}

}  // namespace

TEST_CASE("decode: Ethernet gives addresses, ports and MACs") {
    const Decoded d(kEthernet, udp4().ethernet());
    CHECK(is_udp4(d));
    REQUIRE(d.packet.source_mac != nullptr);
    CHECK(std::memcmp(d.packet.source_mac, PacketBuilder::kSourceMac.data(), 6) == 0);
    CHECK(std::memcmp(d.packet.destination_mac, PacketBuilder::kDestinationMac.data(), 6) == 0);
    CHECK(d.packet.timestamp == 5);
    CHECK_FALSE(d.packet.cut);
    CHECK(is_udp6(Decoded(kEthernet, udp6().ethernet())));
}

TEST_CASE("decode: of several VLAN tags the innermost counts, the service tag of QinQ too") {
    CHECK(Decoded(kEthernet, udp4().vlan(100).ethernet()).packet.vlan_id == 100);
    const Decoded twice(kEthernet, udp4().vlan(7).vlan(300).ethernet());
    CHECK(is_udp4(twice));
    CHECK(twice.packet.vlan_id == 7);
    const Decoded service(kEthernet, udp6().vlan(8).vlan(400, 0x88a8).ethernet());
    CHECK(is_udp6(service));
    CHECK(service.packet.vlan_id == 8);
    CHECK(Decoded(kEthernet, udp4().vlan(500, 0x88a8).ethernet()).packet.vlan_id == 500);
}

TEST_CASE("decode: MPLS labels and PPPoE are passed, whatever the IP version inside") {
    for (const int labels : {1, 2, 5}) CHECK(is_udp4(Decoded(kEthernet, udp4().mpls(labels).ethernet())));
    CHECK(is_udp6(Decoded(kEthernet, udp6().mpls(2, 0x8848).ethernet())));
    CHECK(is_udp4(Decoded(kEthernet, udp4().pppoe().ethernet())));
    const Decoded tagged(kEthernet, udp6().pppoe().vlan(3).ethernet());
    CHECK(is_udp6(tagged));
    CHECK(tagged.packet.vlan_id == 3);
}

TEST_CASE("decode: LLC, with SNAP's type read as nfstream reads it") {
    CHECK(is_udp4(Decoded(kEthernet, udp4().llc(0xaa, 0xaa, true))));
    CHECK(is_udp6(Decoded(kEthernet, udp6().llc(0xaa, 3, true))));
    CHECK(Decoded(kEthernet, udp4().llc(0x42, 0x42, false)).result == DecodeResult::kSpanningTree);
    CHECK(Decoded(kEthernet, udp4().llc(0x42, 3, false)).result == DecodeResult::kSpanningTree);
    CHECK(is_udp4(Decoded(kEthernet, udp4().llc(0xaa, 0x42, true))));  // SNAP is asked first
    // behind SNAP IPv4 is not "IPv4": a later fragment is kept, with payload read as ports
    const auto fragment = PacketBuilder(20).udp(1000, 2000).ipv4(kA, kB, {.fragment = 5}).llc(0xaa, 0xaa, true);
    CHECK(Decoded(kEthernet, fragment).result == DecodeResult::kOk);
    CHECK(Decoded(kEthernet, udp4().llc(0x06, 0x06, false)).result == DecodeResult::kNotIp);  // no IP behind a bare LLC
}

TEST_CASE("decode: link types without MACs") {
    const auto check = [](int link_type, const Bytes& frame) {
        const Decoded d(link_type, frame);
        CHECK(is_udp4(d));
        CHECK(d.packet.source_mac == nullptr);
    };
    check(kNull, udp4().prefix({0, 0, 0, 2}));
    check(kNull, udp4().prefix({2, 0, 0, 0}));
    check(kPpp, udp4().prefix({0, 0x21}));
    check(kPpp, udp4().typed_prefix({0x0f, 0}));
    check(kCHdlc, udp4().typed_prefix({0x8f, 0}));
    check(kPppSerial, udp4().prefix({0xff, 3, 0, 0x21}));
    check(kRaw, udp4());
    check(kIpv4Link, udp4());
    check(kSll, udp4().sll());
    CHECK(is_udp6(Decoded(kRaw, udp6())));
    CHECK(is_udp6(Decoded(kIpv6Link, udp6())));
    CHECK(is_udp6(Decoded(kNull, udp6().prefix({0, 0, 0, 30}))));
}

TEST_CASE("decode: cooked captures tell the direction, the second kind the interface too") {
    CHECK(Decoded(kSll, udp4().sll(4)).packet.outgoing);
    CHECK_FALSE(Decoded(kSll, udp4().sll(0)).packet.outgoing);
    const Decoded d(kSll2, udp4().sll2(77, 4));
    CHECK(is_udp4(d));
    CHECK(d.packet.outgoing);
    CHECK(d.packet.ingress_interface == 77);
    CHECK_FALSE(Decoded(kSll2, udp4().sll2(77, 0)).packet.outgoing);
}

TEST_CASE("decode: radiotap") {
    const Decoded d(kRadiotap, udp4().radiotap(1));
    CHECK(is_udp4(d));
    CHECK(d.packet.source_mac[0] == 0xa2);
    CHECK(d.packet.destination_mac[0] == 0xa3);
    CHECK(is_udp4(Decoded(kRadiotap, udp4().radiotap(2))));
    CHECK(Decoded(kRadiotap, udp4().radiotap(1, 0x50)).result == DecodeResult::kBadRadioFrame);
    CHECK(is_udp4(Decoded(kRadiotap, udp4().radiotap(1, 0x10))));
    CHECK(Decoded(kRadiotap, udp4().radiotap(1, 0, 0x80)).result == DecodeResult::kNotData);
}

TEST_CASE("decode: what nothing is metered of has a reason") {
    CHECK(Decoded(147, udp4().ethernet()).result == DecodeResult::kUnsupportedLinkType);
    CHECK(Decoded(105, udp4().ethernet()).result == DecodeResult::kUnsupportedLinkType);
    CHECK_FALSE(is_supported_link_type(105));
    CHECK(is_supported_link_type(kSll2));
    CHECK(Decoded(kEthernet, PacketBuilder(Bytes(60, 0)).ethernet_field(0x0806)).result == DecodeResult::kNotIp);
    CHECK(Decoded(kEthernet, Bytes(27)).result == DecodeResult::kTruncated);
    CHECK(name(DecodeResult::kTruncated) == "truncated");
    CHECK(name(DecodeResult::kNotData) == "not-data");
}

TEST_CASE("decode: the four sizes") {
    using Sizes = std::array<int, 4>;
    CHECK(Decoded(kEthernet, udp4(10).ethernet()).sizes() == Sizes{52, 38, 18, 10});
    CHECK(Decoded(kEthernet, udp6(10).vlan(2).ethernet()).sizes() == Sizes{76, 18, 18, 10});  // without the IPv6 header
    CHECK(Decoded(kEthernet, PacketBuilder(10).tcp(1, 2, 0, 8).ipv4(kA, kB, {.option_words = 1}).ethernet()).sizes() ==
          Sizes{80, 66, 42, 10});
    CHECK(Decoded(kEthernet, PacketBuilder(10).icmp(8, 0).ipv4(kA, kB).ethernet()).sizes() == Sizes{52, 38, 18, 10});
    CHECK(Decoded(kEthernet, PacketBuilder(30).protocol(132).ipv4(kA, kB).ethernet()).sizes() == Sizes{64, 50, 0, 0});
    CHECK(Decoded(kEthernet, PacketBuilder(10).udp(1, 2).extension(0, 1).ipv6(kA6, kB6).ethernet()).sizes() ==
          Sizes{88, 34, 18, 10});  // extension headers are IP's
    const Decoded tunnel(kEthernet, udp4(10).gtp().udp(2152, 2152).ipv4("192.0.2.1", "192.0.2.2").ethernet());
    CHECK(tunnel.sizes() == Sizes{96 - 8, 38, 18, 10});  // link: the whole outer frame
    CHECK(Decoded(kEthernet, udp6(10).ethernet()).packet.ip_octets == 58);
    CHECK(Decoded(kEthernet, udp4(10).ethernet()).packet.ip_octets == 38);
}

TEST_CASE("decode: link padding is no payload, and a cut packet keeps the sizes of its headers") {
    Bytes padded = udp4(0).ethernet();
    padded.resize(60);
    const Decoded d(kEthernet, padded);
    CHECK(d.sizes() == std::array<int, 4>{60, 28, 8, 0});
    CHECK(d.packet.ip_captured == 46);

    const Decoded cut(kEthernet, udp4(1000).ethernet(), {}, 60);
    CHECK(is_udp4(cut));
    CHECK(cut.packet.cut);
    CHECK(cut.sizes() == std::array<int, 4>{1042, 1028, 1008, 1000});
    CHECK(Decoded(kEthernet, udp6(1000).ethernet(), {}, 100).result == DecodeResult::kTruncated);
}

TEST_CASE("decode: short or contradicting lengths") {
    const auto with_length = [](int length) {
        return PacketBuilder(20).udp(1000, 2000).ipv4(kA, kB, {.total_length = length}).ethernet().bytes();
    };
    CHECK(Decoded(kEthernet, with_length(0)).result == DecodeResult::kBadHeader);  // TSO
    CHECK(Decoded(kEthernet, with_length(19)).result == DecodeResult::kBadHeader);
    const Decoded no_udp(kEthernet, with_length(27));  // seven octets are no UDP header
    CHECK(no_udp.result == DecodeResult::kOk);
    CHECK(no_udp.packet.source_port == 0);
    CHECK(no_udp.sizes() == std::array<int, 4>{62, 27, 0, 0});
    CHECK(is_udp4(Decoded(kEthernet, with_length(60000))));
    Bytes options = udp4().ethernet();
    options[14] = 0x4f;  // 60 octets of header in 38
    CHECK(Decoded(kEthernet, options).result == DecodeResult::kTruncated);
}

TEST_CASE("decode: TCP flags, header length and ports are read only where they were captured") {
    const Bytes frame = PacketBuilder(100).tcp(1000, 80, 0x12, 6).ipv4(kA, kB).ethernet();
    const Decoded whole(kEthernet, frame);
    CHECK(whole.packet.tcp_flags == 0x12);
    CHECK(whole.packet.sizes[3] == 100);
    const Decoded ports_only(kEthernet, frame, {}, 14 + 20 + 8);
    CHECK(ports_only.packet.source_port == 1000);
    CHECK(ports_only.packet.tcp_flags == 0);
    CHECK(ports_only.packet.sizes[3] == 104);  // as if the header were the shortest
    const Decoded nothing(kEthernet, frame, {}, 14 + 20 + 3);
    CHECK(nothing.result == DecodeResult::kOk);
    CHECK(nothing.packet.source_port == 0);
}

TEST_CASE("decode: ToS, TTL, traffic class, hop limit, flow label, ICMP type and code") {
    const Decoded v4(kEthernet, PacketBuilder(0).icmp(3, 13).ipv4(kA, kB, {.tos = 0xb8, .ttl = 3}).ethernet());
    CHECK(v4.packet.tos == 0xb8);
    CHECK(v4.packet.ttl == 3);
    CHECK(v4.packet.icmp_type == 3);
    CHECK(v4.packet.icmp_code == 13);
    CHECK(v4.packet.source_port == 0);
    const Decoded v6(kEthernet, PacketBuilder(0)
                                    .icmpv6(129, 1)
                                    .ipv6(kA6, kB6, {.traffic_class = 0xb9, .hop_limit = 4, .flow_label = 0xfedcb})
                                    .ethernet());
    CHECK(v6.packet.tos == 0xb9);
    CHECK(v6.packet.ttl == 4);
    CHECK(v6.packet.flow_label == 0xfedcb);
    CHECK(v6.packet.icmp_type == 129);
    CHECK(v6.packet.icmp_code == 1);
}

TEST_CASE("decode: IPv6 extension headers") {
    for (const std::uint8_t kind : {0, 43, 60, 135})
        for (const std::uint8_t units : {0, 1, 5}) {
            CAPTURE(kind);
            CHECK(is_udp6(Decoded(kEthernet,
                                  PacketBuilder(10).udp(1000, 2000).extension(kind, units).ipv6(kA6, kB6).ethernet())));
        }
    CHECK(is_udp6(Decoded(kEthernet, PacketBuilder(10)
                                         .udp(1000, 2000)
                                         .extension(60)
                                         .fragment_header(0, 1)
                                         .extension(43)
                                         .extension(0)
                                         .ipv6(kA6, kB6)
                                         .ethernet())));
    for (const std::uint8_t opaque : {50, 51}) {
        const Decoded d(kEthernet, PacketBuilder(10).udp(1, 2).extension(opaque).ipv6(kA6, kB6).ethernet());
        CHECK(d.packet.protocol == opaque);
        CHECK(d.packet.source_port == 0);
    }
    CHECK(Decoded(kEthernet, PacketBuilder(10).protocol(59).ipv6(kA6, kB6).ethernet()).result ==
          DecodeResult::kNoTransport);
    Bytes overlong = PacketBuilder(10).udp(1, 2).extension(0).ipv6(kA6, kB6).ethernet();
    overlong[14 + 40 + 1] = 3;  // beyond the payload
    CHECK(Decoded(kEthernet, overlong).result == DecodeResult::kBadHeader);
}

TEST_CASE("decode: fragments, first or all") {
    const auto v4 = [](std::uint16_t field) {
        return PacketBuilder(16).udp(1000, 2000).ipv4(kA, kB, {.id = 77, .fragment = field}).ethernet().bytes();
    };
    CHECK(is_udp4(Decoded(kEthernet, v4(0x4000))));  // don't fragment
    CHECK_FALSE(Decoded(kEthernet, v4(0x4000)).packet.fragment);
    const Decoded first(kEthernet, v4(0x2000));
    CHECK(is_udp4(first));
    CHECK(first.packet.fragment);
    CHECK(first.packet.fragment_id == 77);
    CHECK_FALSE(first.packet.later_fragment);
    for (const std::uint16_t field : {0x2001, 0x0001, 0x1fff}) {
        CHECK(Decoded(kEthernet, v4(field)).result == DecodeResult::kFragment);
        const Decoded later(kEthernet, v4(field), kAllFragments);
        CHECK(later.result == DecodeResult::kOk);
        CHECK(later.packet.later_fragment);
        CHECK(later.packet.source_port == 0);
        CHECK(later.sizes() == std::array<int, 4>{58, 44, 24, 24});
    }
    const auto v6 = [](std::uint16_t field) {
        return PacketBuilder(16).udp(1000, 2000).fragment_header(field, 0x12345678).ipv6(kA6, kB6).ethernet().bytes();
    };
    CHECK(is_udp6(Decoded(kEthernet, v6(1))));
    CHECK(Decoded(kEthernet, v6(1)).packet.fragment);
    CHECK_FALSE(Decoded(kEthernet, v6(0)).packet.fragment);  // an atomic one
    CHECK(Decoded(kEthernet, v6(8)).result == DecodeResult::kFragment);
    const Decoded later(kEthernet, v6(9), kAllFragments);
    CHECK(later.result == DecodeResult::kOk);
    CHECK(later.packet.later_fragment);
    CHECK(later.packet.fragment_id == 0x12345678);
    CHECK(later.packet.protocol == 17);
    CHECK(later.packet.source_port == 0);
}

TEST_CASE("decode: IP in IP, to any depth") {
    CHECK(is_udp4(Decoded(kEthernet, udp4().ipv4("192.0.2.1", "192.0.2.2").ethernet())));
    CHECK(is_udp4(Decoded(kEthernet, udp4().ipv4("192.0.2.1", "192.0.2.2", {.option_words = 4}).ethernet())));
    CHECK(is_udp4(Decoded(kEthernet, udp4().ipv6("2001:db8:1::1", "2001:db8:1::2").ethernet())));
    CHECK(is_udp6(Decoded(kEthernet, udp6().ipv4("192.0.2.1", "192.0.2.2").ethernet())));
    CHECK(is_udp6(Decoded(kEthernet, udp6().ipv6("2001:db8:1::1", "2001:db8:1::2").ethernet())));
    PacketBuilder nested = udp4();
    for (int i = 0; i < 20; ++i) nested.ipv4("192.0.2.1", "192.0.2.2").ipv6(kB6, kA6);
    const Decoded d(kEthernet, nested.ethernet());
    CHECK(is_udp4(d));
    CHECK(d.packet.tunnel_id == 0);
    // an outer fragment is not dropped: its inner packet is metered
    CHECK(is_udp4(Decoded(kEthernet, udp4().ipv4("192.0.2.1", "192.0.2.2", {.fragment = 0x2000}).ethernet())));
    // and without tunnels the same
    CHECK(is_udp4(Decoded(kEthernet, udp4().ipv4("192.0.2.1", "192.0.2.2").ethernet(), {.tunnels = false})));
}

TEST_CASE("decode: endless nesting ends") {
    Bytes frame = PacketBuilder(Bytes()).ethernet_field(0x0800);
    for (int i = 0; i < 4000; ++i) {  // headers of one word each that say IP-in-IP
        const Bytes header{0x41, 4, 0, 40};
        frame.insert(frame.end(), header.begin(), header.end());
    }
    for (std::size_t i = 14 + 9; i + 4 < frame.size(); i += 4) frame[i] = 4;
    CHECK(Decoded(kEthernet, frame).result == DecodeResult::kBadHeader);
}

TEST_CASE("decode: GTP-U") {
    const auto outer = [](PacketBuilder inner) {
        return Decoded(kEthernet, inner.udp(40000, 2152).ipv4("192.0.2.1", "192.0.2.2").ethernet());
    };
    const Decoded plain = outer(udp4().gtp());
    CHECK(is_udp4(plain));
    CHECK(plain.packet.tunnel_id == 1);
    CHECK(is_udp6(outer(udp6().gtp())));
    CHECK(is_udp4(outer(udp4().gtp(0x32, {0, 1, 0, 0}))));  // sequence number
    const Decoded extended = outer(udp4().gtp(0x34, {0, 0, 0, 0x85, 1, 9, 9, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0}));
    CHECK(is_udp4(extended));
    CHECK(extended.packet.tunnel_id == 1);

    const auto is_outer = [](const Decoded& d) {
        return d.result == DecodeResult::kOk && d.packet.tunnel_id == 0 && d.packet.source_port == 40000;
    };
    CHECK(is_outer(outer(udp4().gtp(0x30, {}, 1))));               // an echo request
    CHECK(is_outer(outer(udp4().gtp(0x50))));                      // GTP version 2
    CHECK(is_outer(outer(udp4().gtp(0x34, {0, 0, 0, 0x85, 0}))));  // an extension of no length
    Bytes not_ip(30, 0);
    CHECK(outer(PacketBuilder(not_ip).gtp()).result == DecodeResult::kBadHeader);
    // what is inside is not opened again
    CHECK(outer(udp4().ipv4("192.0.2.3", "192.0.2.4").gtp()).packet.protocol == 4);
    const Decoded off(kEthernet, udp4().gtp().udp(40000, 2152).ipv4("192.0.2.1", "192.0.2.2").ethernet(),
                      {.tunnels = false});
    CHECK(is_outer(off));
    // as nfstream: not over IPv6
    CHECK(is_outer(Decoded(kEthernet, udp4().gtp().udp(40000, 2152).ipv6(kA6, kB6).ethernet())));
}

TEST_CASE("decode: TZSP") {
    const auto outer = [](PacketBuilder inner) {
        return Decoded(kEthernet, inner.udp(40000, 37008).ipv4("192.0.2.1", "192.0.2.2").vlan(5).ethernet());
    };
    const Decoded d = outer(udp4().ethernet().tzsp());
    CHECK(is_udp4(d));
    CHECK(d.packet.tunnel_id == 3);
    CHECK(d.packet.vlan_id == 5);
    CHECK(d.packet.source_mac > d.block.get() + 40);  // the inner frame's
    CHECK(outer(udp4().vlan(6).ethernet().tzsp()).packet.vlan_id == 6);
    const Decoded other = outer(udp4().ethernet().tzsp({1}, 18));  // not Ethernet inside
    CHECK(other.packet.source_port == 40000);
    CHECK(other.packet.tunnel_id == 3);  // as nfstream: the port says it
}

TEST_CASE("decode: CAPWAP") {
    const auto outer = [](PacketBuilder inner) {
        return Decoded(kEthernet, inner.udp(5247, 40000).ipv4("192.0.2.1", "192.0.2.2").ethernet());
    };
    const Decoded d = outer(udp4().capwap());
    CHECK(is_udp4(d));
    CHECK(d.packet.tunnel_id == 2);
    CHECK(d.packet.source_mac[0] == 0xb2);
    CHECK(d.packet.destination_mac[0] == 0xb3);
    const Decoded nested = outer(udp4().ipv4("192.0.2.3", "192.0.2.4").capwap(4));
    CHECK(is_udp4(nested));
    CHECK(nested.packet.tunnel_id == 2);
    CHECK(is_udp6(outer(udp6().capwap())));
}

TEST_CASE("decode: no octet outside the frame is read, wherever it is cut") {
    for (const auto& kind : every_kind()) {
        const int link_type = kind.first;
        const Bytes& frame = kind.second;
        CAPTURE(link_type);
        bool metered = false;
        for (std::size_t length = 0; length <= frame.size(); ++length)
            for (const DecodeOptions& options : {DecodeOptions{}, kAllFragments, DecodeOptions{.tunnels = false}}) {
                const Decoded d(link_type, frame, options, length);
                if (d.result != DecodeResult::kOk) continue;
                metered = true;
                REQUIRE(d.ip_offset() + d.packet.ip_captured == length);
                REQUIRE(d.packet.cut == (length < frame.size()));
            }
        const bool has_no_ip = frame[14] == 0x42 || frame[14] == 0x06 || (link_type == kRadiotap && frame[19] == 3);
        CHECK(metered != has_no_ip);
    }
}

TEST_CASE("decode: no octet outside the frame is read, whatever one of them says") {
    for (const auto& kind : every_kind()) {
        const int link_type = kind.first;
        const Bytes& frame = kind.second;
        CAPTURE(link_type);
        for (std::size_t at = 0; at < frame.size(); ++at)
            for (const int value : {0x00, 0x01, 0x0f, 0x45, 0x60, 0x7f, 0xff}) {
                Bytes changed = frame;
                changed[at] = static_cast<std::uint8_t>(value);
                const Decoded d(link_type, changed, kAllFragments);
                if (d.result == DecodeResult::kOk) REQUIRE(d.ip_offset() + d.packet.ip_captured == changed.size());
            }
    }
}
