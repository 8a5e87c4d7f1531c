// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_key.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <string>

#include "core/packet/decode.hpp"
#include "tests/support/packet_builder.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

struct Ends {
    std::string source, destination;
    std::uint16_t source_port, destination_port;
    Ends reversed() const { return {destination, source, destination_port, source_port}; }
};

const Ends kV4{"10.0.0.1", "10.0.0.2", 5000, 80}, kV6{"2001:db8::1", "2001:db8::2", 5000, 80};

template <class Key>
struct Made {
    Key key;
    bool swapped;
};

template <class Key>
Made<Key> make(const Ends& ends, const std::function<void(Packet&)>& change = {}) {
    PacketBuilder builder = PacketBuilder(4).udp(ends.source_port, ends.destination_port);
    if constexpr (std::is_same_v<Key, FlowKeyV4>)
        builder.ipv4(ends.source, ends.destination);
    else
        builder.ipv6(ends.source, ends.destination);
    const Bytes ip = builder;
    Packet packet;
    packet.ip = ip.data();
    packet.protocol = 17;
    packet.source_port = ends.source_port;
    packet.destination_port = ends.destination_port;
    if (change) change(packet);
    Made<Key> out;
    out.swapped = make_key(packet, out.key);
    return out;
}

template <class Key>
IpAddress address(const Key& key, bool high) {
    IpAddress out;
    put_address(key, high, out);
    return out;
}

template <class Key>
void check_directions(const Ends& ends) {
    const auto there = make<Key>(ends), back = make<Key>(ends.reversed());
    CHECK(there.key == back.key);
    CHECK(there.swapped != back.swapped);
    // source and destination are found again, whichever way the first packet went
    CHECK(to_string(address(there.key, there.swapped)) == ends.source);
    CHECK(to_string(address(there.key, !there.swapped)) == ends.destination);
    CHECK(there.key.port(there.swapped) == ends.source_port);
    CHECK(there.key.port(!there.swapped) == ends.destination_port);
    CHECK(to_string(address(back.key, back.swapped)) == ends.destination);
    CHECK(back.key.port(back.swapped) == ends.destination_port);
}

template <class Key>
void check_identity(const Ends& ends) {
    const Key key = make<Key>(ends).key;
    CHECK(key.protocol() == 17);
    const auto differs = [&](const std::function<void(Packet&)>& change) {
        return !(make<Key>(ends, change).key == key);
    };
    CHECK(differs([](Packet& p) { p.vlan_id = 1; }));
    CHECK(differs([](Packet& p) { p.vlan_id = 4095; }));
    CHECK(differs([](Packet& p) { p.tunnel_context = 1; }));
    CHECK(differs([](Packet& p) { p.protocol = 6; }));
    for (const std::uint16_t context : {1, 15, 16, 255, 256, 4094}) {
        const Key tunnelled = make<Key>(ends, [&](Packet& p) { p.vlan_id = 4095, p.tunnel_context = context; }).key;
        CHECK(tunnelled.tunnel_context() == context);
        CHECK(tunnelled.vlan_id() == 4095);
        CHECK(tunnelled.protocol() == 17);
    }
    CHECK(differs([](Packet& p) { p.source_port = 5001; }));
    CHECK(differs([](Packet& p) { std::swap(p.source_port, p.destination_port); }));  // ports belong to their ends
    CHECK_FALSE(differs([](Packet& p) { p.tos = 1, p.ttl = 2, p.tcp_flags = 3, p.icmp_type = 4; }));
    Key poisoned = key;
    poisoned.poison();
    CHECK_FALSE(poisoned == key);
    const Key full = make<Key>(ends, [](Packet& p) {
                         p.vlan_id = 4095, p.protocol = 255, p.tunnel_context = 4094,
                         p.source_port = p.destination_port = 65535;
                     }).key;
    CHECK(full.kind() != poisoned.kind());
}

}  // namespace

TEST_CASE("FlowKey: both directions make the same key, and tell themselves apart") {
    check_directions<FlowKeyV4>(kV4);
    check_directions<FlowKeyV4>({"255.255.255.255", "0.0.0.0", 0, 65535});
    check_directions<FlowKeyV4>({"10.0.0.1", "10.0.0.1", 1, 2});  // one host: the port decides
    check_directions<FlowKeyV6>(kV6);
    check_directions<FlowKeyV6>({"ffff::", "::", 65535, 0});
    check_directions<FlowKeyV6>({"2001:db8::1", "2001:db8::1", 2, 1});
}

TEST_CASE("FlowKey: equal ends are never swapped") {
    CHECK_FALSE(make<FlowKeyV4>({"127.0.0.1", "127.0.0.1", 5, 5}).swapped);
    CHECK_FALSE(make<FlowKeyV6>({"::1", "::1", 5, 5}).swapped);
}

TEST_CASE("FlowKey: protocol, VLAN, tunnel and ports are part of the identity, nothing else is") {
    check_identity<FlowKeyV4>(kV4);
    check_identity<FlowKeyV6>(kV6);
}

TEST_CASE("FlowHash: equal keys hash alike, and every secret sees another hash") {
    const auto v4 = make<FlowKeyV4>(kV4).key;
    const auto v6 = make<FlowKeyV6>(kV6).key;
    std::set<std::uint64_t> seen_v4, seen_v6;
    for (std::uint64_t seed = 1; seed <= 64; ++seed) {
        std::array<std::uint64_t, 9> secret;
        for (std::uint64_t i = 0; i < secret.size(); ++i) secret[i] = (seed * 9 + i) * 0x9E3779B97F4A7C15u;
        const FlowHash hash(secret);
        CHECK(hash(v4) == hash(make<FlowKeyV4>(kV4.reversed()).key));
        CHECK(hash(v6) == hash(make<FlowKeyV6>(kV6.reversed()).key));
        seen_v4.insert(hash(v4));
        seen_v6.insert(hash(v6));
    }
    CHECK(seen_v4.size() == 64);
    CHECK(seen_v6.size() == 64);
}

TEST_CASE("FlowHash: neighbouring keys spread over low and high bits") {
    const FlowHash hash({0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89,
                         0x452821E638D01377, 0xBE5466CF34E90C6C, 0xC0AC29B7C97C50DD, 0x3F84D5B5B5470917,
                         0x9216D5D98979FB1B});
    std::array<int, 256> low{}, high{};
    for (std::uint32_t i = 0; i < 25'600; ++i) {
        FlowKeyV6 key{};
        key.word[0] = 0x20010db8;
        key.word[1] = i;
        ++low[hash(key) & 255];
        ++high[hash(key) >> 56];
    }
    for (int i = 0; i < 256; ++i) {  // 100 expected; 10 standard deviations
        CHECK(low[static_cast<std::size_t>(i)] < 200);
        CHECK(high[static_cast<std::size_t>(i)] < 200);
    }
}
