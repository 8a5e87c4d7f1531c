// SPDX-License-Identifier: Apache-2.0
// Tunnels beside nfstream's three: decoded by their RFCs, nested, never misread.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/unit/core/packet/decoded.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

constexpr const char *kA = "10.0.0.1", *kB = "10.0.0.2", *kA6 = "2001:db8::1", *kB6 = "2001:db8::2";
constexpr const char *kOuterA = "192.0.2.1", *kOuterB = "192.0.2.2";
constexpr const char *kOuterA6 = "2001:db8:ffff::1", *kOuterB6 = "2001:db8:ffff::2";
constexpr int kEthernet = 1;
constexpr DecodeOptions kEvery{.tunnels = TunnelSet::all()};

DecodeOptions only(TunnelKind kind) {
    return {.tunnels = TunnelSet(false).add(kind)};
}

PacketBuilder udp4(std::size_t payload = 10) {
    return PacketBuilder(payload).udp(1000, 2000).ipv4(kA, kB);
}
PacketBuilder udp6(std::size_t payload = 10) {
    return PacketBuilder(payload).udp(1000, 2000).ipv6(kA6, kB6);
}
Bytes over_udp4(PacketBuilder inner, std::uint16_t port, std::uint16_t source = 40000) {
    return inner.udp(source, port).ipv4(kOuterA, kOuterB).ethernet();
}
Bytes over_ip4(PacketBuilder inner, Ipv4Fields fields = {}) {
    return inner.ipv4(kOuterA, kOuterB, fields).ethernet();
}
std::string outer(const Decoded& d, bool destination) {
    const std::uint8_t* ip = d.packet.outer_ip;
    if (ip == nullptr) return "none";
    IpAddress out;
    out.version = ip[0] >> 4;
    const std::size_t length = out.version == 4 ? 4 : 16, at = out.version == 4 ? 12 : 8;
    std::memcpy(out.bytes.data(), ip + at + (destination ? length : 0), length);
    return to_string(out);
}
bool has_inner_addresses(const Decoded& d) {
    const bool v6 = d.packet.version == 6;
    return d.result == DecodeResult::kOk && d.source() == (v6 ? kA6 : kA) && d.destination() == (v6 ? kB6 : kB) &&
           d.packet.protocol == 17 && d.packet.source_port == 1000 && d.packet.destination_port == 2000;
}
// The packet inside, of a tunnel of this kind between the usual outer addresses.
bool is_in(const Decoded& d, TunnelKind kind, std::uint32_t key, int depth = 1) {
    const bool v4 = d.packet.outer_ip != nullptr && d.packet.outer_ip[0] >> 4 == 4;
    return has_inner_addresses(d) && d.packet.tunnel_id == static_cast<int>(kind) && d.packet.tunnel_key == key &&
           d.packet.tunnel_depth == depth && outer(d, false) == (v4 ? kOuterA : kOuterA6) &&
           outer(d, true) == (v4 ? kOuterB : kOuterB6);
}
// Nothing was opened: the outer packet is metered.
bool is_outer(const Decoded& d) {
    return d.result == DecodeResult::kOk && (d.source() == kOuterA || d.source() == kOuterA6) &&
           d.packet.tunnel_id == 0 && d.packet.tunnel_key == 0 && d.packet.tunnel_segment == 0 &&
           d.packet.tunnel_depth == 0 && d.packet.outer_ip == nullptr;
}

struct Tunnel {
    TunnelKind kind;
    std::uint32_t key;
    Bytes frame;
};

// Each tunnel once, with the same packet inside.
std::vector<Tunnel> every_tunnel() {
    const Bytes erspan2{0, 0, 0, 9, 0x10, 5, 0x03, 0xff, 0, 0, 0, 1};
    const Bytes erspan3{0, 0, 0, 9, 0x20, 5, 0x01, 0x23, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8};
    const Bytes authenticated{0, 1, 2, 3, 'i', 'd', 1, 2, 3, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6};
    return {
        {TunnelKind::kGtp, 0xdeadbeef, over_udp4(udp4().gtp(), 2152)},
        {TunnelKind::kGtp, 0xdeadbeef,
         over_udp4(udp6().gtp(0x34, {0, 0, 0, 0x85, 1, 9, 9, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0}), 2152)},
        {TunnelKind::kCapwap, 0, over_udp4(udp4().capwap(4), 5247)},
        {TunnelKind::kTzsp, 0, over_udp4(udp4().ethernet().tzsp({0, 10, 1, 7, 41, 2, 9, 9, 1}), 37008)},
        {TunnelKind::kVxlan, 0xabcdef, over_udp4(udp4().ethernet().vxlan(0xabcdef), 4789)},
        {TunnelKind::kVxlan, 5, over_udp4(udp6().vlan(77).ethernet().vxlan(5), 4789)},
        {TunnelKind::kGeneve, 0x123456, over_udp4(udp4().ethernet().geneve(0x123456), 6081)},
        {TunnelKind::kGeneve, 7, over_udp4(udp6().geneve(7, 63), 6081)},
        {TunnelKind::kGre, 0, over_ip4(udp4().gre())},
        {TunnelKind::kGre, 0, over_ip4(udp6().gre(0x8000, {1, 2, 0, 0}))},
        {TunnelKind::kGre, 0x01020304, over_ip4(udp4().gre(0xb000, {9, 9, 0, 0, 1, 2, 3, 4, 0, 0, 0, 1}))},
        {TunnelKind::kGre, 0x00abcd01, over_ip4(udp4().ethernet().gre(0x2000, {0, 0xab, 0xcd, 1}))},  // NVGRE
        {TunnelKind::kGre, 0, over_ip4(udp6().mpls(2).gre())},
        {TunnelKind::kGre, 0x4321,
         over_ip4(udp4().ppp().gre(0x3081, {0, 9, 0x43, 0x21, 0, 0, 0, 1, 0, 0, 0, 2}, 0x880b))},  // PPTP
        {TunnelKind::kErspan, 0, over_ip4(udp4().ethernet().gre(0, {}, 0x88be))},
        {TunnelKind::kErspan, 0x3ff, over_ip4(udp4().ethernet().gre(0x1000, erspan2, 0x88be))},
        {TunnelKind::kErspan, 0x123, over_ip4(udp4().ethernet().gre(0x1000, erspan3, 0x22eb))},
        {TunnelKind::kL2tp, 0x00070009, over_udp4(udp4().ppp().l2tp(0x0002, {0, 7, 0, 9}), 1701)},
        {TunnelKind::kL2tp, 0x00010002,
         over_udp4(udp6().ppp(false, true).l2tp(0x4a02, {0, 68, 0, 1, 0, 2, 0, 5, 0, 6, 0, 3, 9, 9, 9}), 40000, 1701)},
        {TunnelKind::kL2tp, 0x11223344, over_ip4(udp4().ethernet().prefix({0x11, 0x22, 0x33, 0x44}).protocol(115))},
        {TunnelKind::kL2tp, 0x11223344,
         over_ip4(
             udp6().ethernet().prefix({0x11, 0x22, 0x33, 0x44, 8, 7, 6, 5, 4, 3, 2, 1, 0x40, 0, 0, 1}).protocol(115))},
        {TunnelKind::kL2tp, 0xaabbccdd,
         over_udp4(udp4().ethernet().l2tp(0x0003, {0, 0, 0xaa, 0xbb, 0xcc, 0xdd, 1, 2, 3, 4}), 1701)},
        {TunnelKind::kTeredo, 0, over_udp4(udp6(), 3544)},
        {TunnelKind::kTeredo, 0, over_udp4(udp6().prefix({0, 0, 1, 2, 3, 4, 5, 6}), 40000, 3544)},
        {TunnelKind::kTeredo, 0, over_udp4(udp6().prefix(authenticated), 3544)},
    };
}

}  // namespace

TEST_CASE("tunnels: each kind gives the packet inside, the addresses around it and its own id") {
    for (const Tunnel& tunnel : every_tunnel()) {
        CAPTURE(name(tunnel.kind));
        CAPTURE(tunnel.key);
        CHECK(is_in(Decoded(kEthernet, tunnel.frame, kEvery), tunnel.kind, tunnel.key));
    }
}

TEST_CASE("tunnels: one that is not in the list stays the outer packet") {
    for (const Tunnel& tunnel : every_tunnel()) {
        CAPTURE(name(tunnel.kind));
        for (std::size_t i = 1; i < kTunnelNames.size(); ++i) {
            const auto chosen = static_cast<TunnelKind>(i);
            const bool is_ours = chosen > TunnelKind::kTzsp;
            const Decoded d(kEthernet, tunnel.frame, only(chosen));
            if (chosen == tunnel.kind && is_ours) CHECK(is_in(d, tunnel.kind, tunnel.key));
            if (chosen != tunnel.kind) CHECK(is_outer(d));
        }
        CHECK(is_outer(Decoded(kEthernet, tunnel.frame, {.tunnels = false})));
        CHECK((tunnel.kind <= TunnelKind::kTzsp || is_outer(Decoded(kEthernet, tunnel.frame, {}))));
    }
}

TEST_CASE("tunnels: over IPv6, behind options and extension headers, and in the other direction") {
    const auto vxlan = [] { return udp4().ethernet().vxlan(9).udp(40000, 4789); };
    CHECK(is_in(Decoded(kEthernet, vxlan().ipv6(kOuterA6, kOuterB6).ethernet(), kEvery), TunnelKind::kVxlan, 9));
    CHECK(is_in(Decoded(kEthernet, vxlan().extension(60).extension(0).ipv6(kOuterA6, kOuterB6).ethernet(), kEvery),
                TunnelKind::kVxlan, 9));
    CHECK(is_in(Decoded(kEthernet, vxlan().ipv4(kOuterA, kOuterB, {.option_words = 3}).ethernet(), kEvery),
                TunnelKind::kVxlan, 9));
    CHECK(is_in(Decoded(kEthernet, udp6().gre().ipv6(kOuterA6, kOuterB6).ethernet(), kEvery), TunnelKind::kGre, 0));
    CHECK(is_in(Decoded(kEthernet, udp4().gtp().udp(2152, 2152).ipv6(kOuterA6, kOuterB6).ethernet(), kEvery),
                TunnelKind::kGtp, 0xdeadbeef));
    // what comes from the port is no VXLAN, it goes to the port
    CHECK(is_outer(Decoded(kEthernet, over_udp4(udp4().ethernet().vxlan(9), 40000, 4789), kEvery)));
}

TEST_CASE("tunnels: the frame inside brings its MACs, and its VLAN where it has one") {
    const auto frame = [](PacketBuilder inner) {
        return inner.ethernet().vxlan(1).udp(1, 4789).ipv4(kOuterA, kOuterB).vlan(40).ethernet().bytes();
    };
    const Decoded tagged(kEthernet, frame(udp4().vlan(50)), kEvery);
    CHECK(is_in(tagged, TunnelKind::kVxlan, 1));
    CHECK(tagged.packet.vlan_id == 50);
    CHECK(tagged.packet.source_mac > tagged.block.get() + 40);
    CHECK(Decoded(kEthernet, frame(udp4()), kEvery).packet.vlan_id == 40);
    const Decoded wifi(kEthernet, over_udp4(udp4().capwap(2), 5247), kEvery);
    CHECK(wifi.packet.source_mac[0] == 0xb2);
    CHECK(wifi.packet.destination_mac[0] == 0xb3);
}

TEST_CASE("tunnels: in one another, the innermost tells kind, key and addresses") {
    const auto check = [](PacketBuilder inner, TunnelKind kind, std::uint32_t key, int depth) {
        const Decoded d(kEthernet, inner.ethernet(), kEvery);
        CAPTURE(name(kind));
        CHECK(is_in(d, kind, key, depth));
    };
    const char *x = "198.51.100.1", *y = "198.51.100.2";
    check(udp4().gtp().udp(2152, 2152).ipv4(kOuterA, kOuterB).ethernet().vxlan(3).udp(1, 4789).ipv4(x, y),
          TunnelKind::kGtp, 0xdeadbeef, 2);
    check(udp4().ethernet().vxlan(3).udp(1, 4789).ipv4(kOuterA, kOuterB).gre().ipv4(x, y), TunnelKind::kVxlan, 3, 2);
    check(udp6().ethernet().geneve(4).udp(1, 6081).ipv6(kOuterA6, kOuterB6).ipv4(x, y), TunnelKind::kGeneve, 4, 2);
    check(udp4()
              .gre()
              .ipv4(kOuterA, kOuterB)
              .ethernet()
              .vxlan(3)
              .udp(1, 4789)
              .ipv4(x, y)
              .gtp()
              .udp(2152, 9)
              .ipv6(kA6, kB6),
          TunnelKind::kGre, 0, 3);
    // the kind is the tunnel's, whatever IP in IP lies in it
    const Decoded d(kEthernet,
                    udp4().ipv4(x, y).ethernet().vxlan(3).udp(1, 4789).ipv4(kOuterA, kOuterB).ethernet().bytes(),
                    kEvery);
    CHECK(is_in(d, TunnelKind::kVxlan, 3, 2));
}

TEST_CASE("tunnels: the overlay network is that of the innermost tunnel that has one") {
    const auto segment = [](PacketBuilder inner) {
        return Decoded(kEthernet, inner.ethernet(), kEvery).packet.tunnel_segment;
    };
    const std::uint32_t vxlan = segment(udp4().ethernet().vxlan(3).udp(1, 4789).ipv4(kOuterA, kOuterB));
    CHECK(vxlan != 0);
    CHECK(segment(udp4().ethernet().vxlan(4).udp(1, 4789).ipv4(kOuterA, kOuterB)) != vxlan);
    CHECK(segment(udp4().ethernet().vxlan(0).udp(1, 4789).ipv4(kOuterA, kOuterB)) != 0);
    CHECK(segment(udp4().ethernet().geneve(3).udp(1, 6081).ipv4(kOuterA, kOuterB)) != vxlan);
    CHECK(segment(udp4().gtp().udp(1, 2152).ipv4(kA, kB).ethernet().vxlan(3).udp(1, 4789).ipv4(kOuterA, kOuterB)) ==
          vxlan);
    CHECK(segment(udp4().gtp().udp(1, 2152).ipv4(kOuterA, kOuterB)) == 0);
    CHECK(segment(udp4().gre(0x2000, {0, 0, 0, 3}).ipv4(kOuterA, kOuterB)) == 0);
}

TEST_CASE("tunnels: IP in IP has no kind, its addresses are known") {
    for (const DecodeOptions& options : {DecodeOptions{}, kEvery, DecodeOptions{.tunnels = false}}) {
        const Decoded d(kEthernet, udp4().ipv6("::1", "::2").ipv4(kOuterA, kOuterB).ethernet(), options);
        CHECK(has_inner_addresses(d));
        CHECK(d.packet.tunnel_id == 0);
        CHECK(d.packet.tunnel_depth == 2);
        CHECK(outer(d, false) == "::1");
        CHECK(outer(d, true) == "::2");
    }
}

TEST_CASE("tunnels: nfstream's three give addresses and TEID by its own rules, too") {
    const Decoded gtp(kEthernet, over_udp4(udp4().gtp(), 2152));
    CHECK(is_in(gtp, TunnelKind::kGtp, 0xdeadbeef));
    CHECK(
        is_in(Decoded(kEthernet, over_udp4(udp4().gtp(), 2152), only(TunnelKind::kGtp)), TunnelKind::kGtp, 0xdeadbeef));
    CHECK(is_in(Decoded(kEthernet, over_udp4(udp4().capwap(), 5247)), TunnelKind::kCapwap, 0));
    CHECK(is_in(Decoded(kEthernet, over_udp4(udp4().ethernet().tzsp(), 37008)), TunnelKind::kTzsp, 0));
}

TEST_CASE("tunnels: with wrong headers they are the outer packet") {
    const auto stays = [](const Bytes& frame) { return is_outer(Decoded(kEthernet, frame, kEvery)); };
    const auto ip_udp = [](PacketBuilder inner, std::uint16_t port) { return over_udp4(std::move(inner), port); };
    // VXLAN
    CHECK(stays(ip_udp(udp4().ethernet().vxlan(1, 0), 4789)));                                // no identifier
    CHECK(stays(ip_udp(PacketBuilder(Bytes(46, 0)).ethernet_field(0x0806).vxlan(1), 4789)));  // ARP
    CHECK(stays(ip_udp(udp4().vxlan(1), 4789)));                                              // no Ethernet
    CHECK(stays(ip_udp(PacketBuilder(Bytes(7, 8)), 4789)));
    CHECK(stays(ip_udp(PacketBuilder(Bytes()).vxlan(1), 4789)));
    Bytes contradicting = ip_udp(udp4().ethernet().vxlan(1), 4789);
    contradicting[14 + 20 + 8 + 8 + 14] = 0x44;  // four words of header
    CHECK(stays(contradicting));
    // GENEVE
    CHECK(stays(ip_udp(udp4().ethernet().geneve(1, 0, 1), 6081)));
    CHECK(stays(ip_udp(PacketBuilder(Bytes{0x3f, 0, 0x65, 0x58, 0, 0, 1, 0}), 6081)));  // options beyond the end
    CHECK(stays(ip_udp(PacketBuilder(Bytes(40, 0)).geneve(1), 6081)));
    // GRE
    CHECK(stays(over_ip4(udp4().gre(0x4000, {0, 0, 0, 0}))));  // source routes
    CHECK(stays(over_ip4(udp4().gre(0x0002))));                // version 2
    CHECK(stays(over_ip4(udp4().gre(0, {}, 0x0806))));
    CHECK(stays(over_ip4(PacketBuilder(Bytes()).gre(0x2000, {}, 0x0800))));  // the key is missing
    // PPTP
    const Bytes call{0, 9, 0, 1, 0, 0, 0, 1};
    CHECK(stays(over_ip4(udp4().ppp().gre(0x2001, call, 0x880b))));                     // nothing but a sign of life
    CHECK(stays(over_ip4(udp4().ppp().gre(0x3001, call, 0x0800))));                     // not PPP
    CHECK(stays(over_ip4(udp4().ppp(true, false, 0xc021).gre(0x3001, call, 0x880b))));  // negotiation
    CHECK(stays(over_ip4(udp4().ppp(true, false, 0x00fd).gre(0x3001, call, 0x880b))));  // compressed
    // ERSPAN
    CHECK(stays(over_ip4(udp4().ethernet().gre(0x1000, {0, 0, 0, 1, 0x20, 0, 0, 1, 0, 0, 0, 0}, 0x88be))));
    CHECK(stays(over_ip4(udp4().ethernet().gre(0x1000, {0, 0, 0, 1, 0x10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 0x22eb))));
    // L2TP
    CHECK(stays(ip_udp(udp4().ppp().l2tp(0x8002, {0, 7, 0, 9}), 1701)));           // control
    CHECK(stays(ip_udp(udp4().ppp().l2tp(0x0012, {0, 7, 0, 9}), 1701)));           // reserved bits
    CHECK(stays(ip_udp(udp4().ppp().l2tp(0x4002, {9, 9, 0, 7, 0, 9}), 1701)));     // longer than the datagram
    CHECK(stays(ip_udp(udp4().ppp().l2tp(0x0202, {0, 7, 0, 9, 99, 99}), 1701)));   // an offset beyond the end
    CHECK(stays(over_ip4(udp4().ethernet().prefix({0, 0, 0, 0}).protocol(115))));  // control
    Bytes spoiled = over_ip4(udp4().ethernet().prefix({1, 2, 3, 4}).protocol(115));
    spoiled[14 + 20 + 4 + 14 + 10] ^= 1;  // a checksum that is none: not what stands at this offset
    CHECK(stays(spoiled));
    // Teredo
    CHECK(stays(ip_udp(udp4(), 3544)));
    CHECK(stays(ip_udp(PacketBuilder(Bytes()).protocol(59).ipv6(kA6, kB6), 3544)));  // a bubble
    CHECK(stays(ip_udp(PacketBuilder(Bytes{0, 1, 255, 255, 1, 2}), 3544)));
    // GTP, CAPWAP, TZSP
    CHECK(stays(ip_udp(udp4().gtp(0x30, {}, 1), 2152)));
    CHECK(stays(ip_udp(PacketBuilder(Bytes(40, 0)).gtp(), 2152)));  // nfstream ignores it
    CHECK(stays(ip_udp(udp4().gtp(0x34, {0, 0, 0, 0x85, 0}), 2152)));
    CHECK(stays(ip_udp(udp4().prefix({1, 0x10, 1, 0, 0, 0, 0, 0}), 5247)));  // encrypted
    CHECK(stays(ip_udp(udp4().ethernet().tzsp({1}, 18), 37008)));            // not tunnel_id 3, as nfstream has it
}

TEST_CASE("tunnels: cut by the snapshot length before the IP header inside, they are the outer packet") {
    for (const Tunnel& tunnel : every_tunnel()) {
        CAPTURE(name(tunnel.kind));
        const Decoded whole(kEthernet, tunnel.frame, kEvery);
        const std::size_t needed = whole.ip_offset() + (whole.packet.version == 4 ? 20 : 40);
        for (std::size_t length = 14 + 20 + 8; length < tunnel.frame.size(); ++length) {
            const Decoded d(kEthernet, tunnel.frame, kEvery, length);
            CHECK(d.result == DecodeResult::kOk);
            if (length < needed) CHECK(d.source() == kOuterA);
            if (d.source() != kOuterA) {
                CHECK(d.packet.tunnel_id == whole.packet.tunnel_id);
                CHECK(d.sizes()[2] == whole.sizes()[2]);
            }
        }
    }
}

TEST_CASE("tunnels: a later fragment of the outer packet is never opened, the first is") {
    const auto fragment = [](std::uint16_t field, DecodeOptions options, auto inner) {
        return Decoded(kEthernet, over_ip4(inner, {.id = 7, .fragment = field}), options);
    };
    DecodeOptions all = kEvery;
    all.fragments = FragmentMode::kAll;
    for (const PacketBuilder& inner : {udp4().ethernet().vxlan(1).udp(1, 4789), udp4().gre(), udp4().ipv4(kA, kB)}) {
        CHECK(fragment(0x2010, kEvery, inner).result == DecodeResult::kFragment);
        CHECK(fragment(0x0010, kEvery, inner).result == DecodeResult::kFragment);
        const Decoded later = fragment(0x2010, all, inner);
        CHECK(is_outer(later));
        CHECK(later.packet.later_fragment);
        const Decoded first = fragment(0x2000, all, inner);
        CHECK(has_inner_addresses(first));
        CHECK_FALSE(first.packet.fragment);  // the packet inside is none
    }
    const auto v6 = [](std::uint16_t field) {
        return udp4().gre().fragment_header(field, 5).ipv6(kOuterA6, kOuterB6).ethernet().bytes();
    };
    CHECK(Decoded(kEthernet, v6(8), kEvery).result == DecodeResult::kFragment);
    CHECK(is_outer(Decoded(kEthernet, v6(8), all)));
    const Decoded first(kEthernet, v6(1), kEvery);
    CHECK(is_in(first, TunnelKind::kGre, 0));
    CHECK_FALSE(first.packet.fragment);
}

TEST_CASE("tunnels: of a first fragment the packet inside counts with all its octets, IPv6 too") {
    PacketBuilder whole = udp6(1000).ethernet().vxlan(1).udp(1, 4789);
    const Bytes octets = whole.bytes();
    const Bytes head(octets.begin(), octets.begin() + 400);
    const Decoded d(kEthernet, PacketBuilder(head).protocol(17).ipv4(kOuterA, kOuterB, {.fragment = 0x2000}).ethernet(),
                    kEvery);
    CHECK(is_in(d, TunnelKind::kVxlan, 1));
    CHECK(d.packet.ip_octets == 1048);
    CHECK(d.sizes()[3] == 1000);
    CHECK(d.ip_offset() + d.packet.ip_captured == d.size);
}

TEST_CASE("tunnels: fragments of the packet inside are fragments") {
    const auto inner = [](std::uint16_t field) {
        return PacketBuilder(16).udp(1000, 2000).ipv4(kA, kB, {.id = 5, .fragment = field}).gre();
    };
    CHECK(Decoded(kEthernet, over_ip4(inner(4)), kEvery).result == DecodeResult::kFragment);
    const Decoded first(kEthernet, over_ip4(inner(0x2000)), kEvery);
    CHECK(is_in(first, TunnelKind::kGre, 0));
    CHECK(first.packet.fragment);
    DecodeOptions all = kEvery;
    all.fragments = FragmentMode::kAll;
    const Decoded later(kEthernet, over_ip4(inner(4)), all);
    CHECK(later.source() == kA);
    CHECK(later.packet.later_fragment);
    CHECK(later.packet.tunnel_id == 6);
}

TEST_CASE("tunnels: octets of the link behind the outer packet are not looked at") {
    Bytes padded = over_udp4(PacketBuilder(Bytes()).vxlan(1), 4789);
    const Bytes frame = udp4().ethernet();
    padded.insert(padded.end(), frame.begin(), frame.end());
    CHECK(is_outer(Decoded(kEthernet, padded, kEvery)));
}

TEST_CASE("tunnels: endless nesting ends") {
    PacketBuilder nested = udp4(1);
    for (int i = 0; i < 60; ++i) nested.gre().ipv4(kOuterA, kOuterB);
    CHECK(is_in(Decoded(kEthernet, nested.ethernet(), kEvery), TunnelKind::kGre, 0, 60));
    PacketBuilder endless = udp4(1);
    for (int i = 0; i < 100; ++i) endless.gre().ipv4(kOuterA, kOuterB);
    CHECK(Decoded(kEthernet, endless.ethernet(), kEvery).result == DecodeResult::kBadHeader);
}

TEST_CASE("tunnels: no octet outside the frame is read, wherever it is cut and whatever one of them says") {
    DecodeOptions all = kEvery;
    all.fragments = FragmentMode::kAll;
    for (const Tunnel& tunnel : every_tunnel()) {
        CAPTURE(name(tunnel.kind));
        for (std::size_t length = 0; length <= tunnel.frame.size(); ++length) {
            const Decoded d(kEthernet, tunnel.frame, all, length);
            if (d.result == DecodeResult::kOk) REQUIRE(d.ip_offset() + d.packet.ip_captured == length);
        }
        for (std::size_t at = 0; at < tunnel.frame.size(); ++at)
            for (const int value : {0x00, 0x01, 0x0f, 0x45, 0x60, 0x7f, 0xff}) {
                Bytes changed = tunnel.frame;
                changed[at] = static_cast<std::uint8_t>(value);
                const Decoded d(kEthernet, changed, all);
                if (d.result == DecodeResult::kOk) REQUIRE(d.ip_offset() + d.packet.ip_captured == changed.size());
            }
    }
}
