// SPDX-License-Identifier: Apache-2.0
// Flows in tunnels: which packets are one flow, and what its record says of the
// tunnel.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/metering/tunnel_contexts.hpp"
#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

constexpr const char *kA = "10.0.0.1", *kB = "10.0.0.2", *kA6 = "2001:db8::1", *kB6 = "2001:db8::2";
constexpr const char *kNear = "192.0.2.1", *kFar = "192.0.2.2";

MeteringOptions with_tunnels(TunnelSet tunnels = TunnelSet::all()) {
    MeteringOptions options = plain_options();
    options.decode_tunnels = tunnels;
    return options;
}

PacketBuilder there() {
    return PacketBuilder(10).udp(1000, 2000).ipv4(kA, kB);
}
PacketBuilder back() {
    return PacketBuilder(20).udp(2000, 1000).ipv4(kB, kA);
}
Bytes in_vxlan(PacketBuilder inner, std::uint32_t network, bool reply = false) {
    return inner.ethernet()
        .vxlan(network)
        .udp(reply ? 50000 : 40000, 4789)
        .ipv4(reply ? kFar : kNear, reply ? kNear : kFar)
        .ethernet();
}
Bytes in_gtp(PacketBuilder inner, std::uint32_t teid, bool reply = false) {
    Bytes octets = inner.gtp();
    for (int i = 0; i < 4; ++i)
        octets[4 + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(teid >> (24 - 8 * i));
    return PacketBuilder(octets).udp(2152, 2152).ipv4(reply ? kFar : kNear, reply ? kNear : kFar).ethernet();
}

}  // namespace

TEST_CASE("flows in tunnels: equal addresses in two overlay networks are two flows, each of both directions") {
    for (const bool v6 : {false, true}) {
        const auto inner = [&](bool reply) {
            if (!v6) return reply ? back() : there();
            return reply ? PacketBuilder(20).udp(2000, 1000).ipv6(kB6, kA6)
                         : PacketBuilder(10).udp(1000, 2000).ipv6(kA6, kB6);
        };
        FileRun file(with_tunnels());
        for (const std::uint32_t network : {100u, 200u}) {
            file.add(in_vxlan(inner(false), network), kStart);
            file.add(in_vxlan(inner(true), network, true), kStart + kMs);
        }
        file.add(in_vxlan(inner(false), 100), kStart + 2 * kMs);
        const auto& records = file.run();
        REQUIRE(records.size() == 2);
        for (const FlowRecord* r : records) {
            CHECK(to_string(r->source_address) == (v6 ? kA6 : kA));
            CHECK(r->reverse.packets == 1);
            CHECK(r->tunnel_id == 4);
            REQUIRE(r->tunnel != nullptr);
            CHECK(r->tunnel->kind == "vxlan");
            CHECK(r->tunnel->depth == 1);
            CHECK(r->tunnel->reverse_key == r->tunnel->key);
            CHECK(to_string(r->tunnel->source_address) == kNear);
            CHECK(to_string(r->tunnel->destination_address) == kFar);
            CHECK(r->forward.packets == (r->tunnel->key == 100 ? 2 : 1));
        }
        CHECK(records[0]->tunnel->key + records[1]->tunnel->key == 300);
    }
}

TEST_CASE("flows in tunnels: the directions of GTP have a TEID each, and meet") {
    for (const TunnelSet& tunnels : {TunnelSet(), TunnelSet::all()}) {
        FileRun file(with_tunnels(tunnels));
        file.add(in_gtp(there(), 0x11111111), kStart).add(in_gtp(back(), 0xeeeeeeee, true), kStart + kMs);
        const auto& records = file.run();
        REQUIRE(records.size() == 1);
        const FlowRecord& r = *records[0];
        CHECK(r.forward.packets == 1);
        CHECK(r.reverse.packets == 1);
        CHECK(r.tunnel_id == 1);
        REQUIRE(r.tunnel != nullptr);
        CHECK(r.tunnel->kind == "gtp");
        CHECK(r.tunnel->key == 0x11111111);
        CHECK(r.tunnel->reverse_key == 0xeeeeeeee);
    }
}

TEST_CASE("flows in tunnels: GRE keys differ by direction, and are no other flow") {
    FileRun file(with_tunnels());
    file.add(there().gre(0x2000, {0, 0, 0, 1}).ipv4(kNear, kFar).ethernet(), kStart);
    file.add(back().gre(0x2000, {0, 0, 0, 2}).ipv4(kFar, kNear).ethernet(), kStart);
    const auto& records = file.run();
    REQUIRE(records.size() == 1);
    CHECK(records[0]->tunnel_id == 6);
    CHECK(records[0]->tunnel->key == 1);
    CHECK(records[0]->tunnel->reverse_key == 2);
}

TEST_CASE("flows in tunnels: what is in no tunnel, or in none that is looked into, has no tunnel") {
    FileRun file(with_tunnels(TunnelSet(false)));
    file.add(in_gtp(there(), 1), kStart).add(there().ipv4(kNear, kFar).ethernet(), kStart);
    for (const FlowRecord* r : file.run()) {
        CHECK(r->tunnel == nullptr);
        CHECK(r->tunnel_id == 0);
    }
    FileRun plain(with_tunnels());
    CHECK(plain.add(there().ethernet(), kStart).run()[0]->tunnel == nullptr);
}

TEST_CASE("flows in tunnels: a flow after the active timeout, and one in a place used before, know their own tunnel") {
    MeteringOptions options = with_tunnels();
    options.active_timeout = std::chrono::seconds(5);
    options.idle_timeout = std::chrono::seconds(10);
    FileRun file(options);
    file.add(in_vxlan(there(), 7), kStart).add(in_vxlan(back(), 7, true), kStart + 6 * kSecond);
    file.add(there().ethernet(), kStart + 60 * kSecond);  // the only entry left takes the place of the former
    const auto& records = file.run();
    REQUIRE(records.size() == 3);
    CHECK(to_string(records[0]->tunnel->source_address) == kNear);
    REQUIRE(records[1]->tunnel != nullptr);
    CHECK(to_string(records[1]->tunnel->source_address) == kFar);
    CHECK(records[1]->tunnel->key == 7);
    CHECK(records[2]->tunnel == nullptr);
    CHECK(records[2]->tunnel_id == 0);
}

TEST_CASE("flows in tunnels: IP in IP tells its addresses") {
    FileRun file;
    const auto& records = file.add(there().ipv6("2001:db8:1::1", "2001:db8:1::2").ethernet(), kStart).run();
    REQUIRE(records[0]->tunnel != nullptr);
    CHECK(records[0]->tunnel->kind == "ip");
    CHECK(to_string(records[0]->tunnel->source_address) == "2001:db8:1::1");
    CHECK(records[0]->tunnel_id == 0);
}

TEST_CASE("flows in tunnels: more overlay networks than there are numbers are merged, counted, none lost") {
    MeteringOptions options = with_tunnels();
    options.max_flows = 8192;
    FileRun file(options);
    for (std::uint32_t network = 0; network < 4200; ++network) file.add(in_vxlan(there(), network), kStart);
    const auto& records = file.run();
    const std::uint64_t merged = file.process().counters().merged_segments.get();
    CHECK(merged == 4200 - (TunnelContexts::kLast - TunnelContexts::kFirst + 1));
    CHECK(records.size() == 4200 - merged + 1);
    CHECK(std::all_of(records.begin(), records.end(), [](const auto* r) { return r->tunnel_id == 4; }));
}

TEST_CASE("flows in tunnels: numbers of networks whose flows have ended serve others") {
    MeteringOptions options = with_tunnels();
    options.max_flows = 8192;
    options.idle_timeout = std::chrono::seconds(1);
    FileRun file(options);
    for (std::uint32_t network = 0; network < 20'000; ++network)
        file.add(in_vxlan(there(), network), kStart + static_cast<TimestampNs>(network) * kMs);
    const auto& records = file.run();
    CHECK(file.process().counters().merged_segments.get() == 0);
    CHECK(records.size() == 20'000);
}

TEST_CASE("checksum modes: counted or ignored, never both, and off nobody looks") {
    Bytes bad = PacketBuilder(10).tcp(1000, 80).ipv4(kA, kB).ethernet();  // the builder's TCP checksum is 0
    const auto metered = [&](ChecksumMode mode, const Bytes& frame, MacAddress own = {}) {
        FileRun file;
        file.source().set_checksum(mode);
        file.source().set_hardware_address(own);
        file.add(frame, kStart).run();
        const auto& c = file.process().counters();
        return std::array<std::uint64_t, 4>{c.packets.get(), c.bad_checksum.get(), c.offloaded_checksum.get(),
                                            c.ignored[static_cast<std::size_t>(DecodeResult::kBadChecksum)].get()};
    };
    using Counts = std::array<std::uint64_t, 4>;
    CHECK(metered(ChecksumMode::kOff, bad) == Counts{1, 0, 0, 0});
    CHECK(metered(ChecksumMode::kCount, bad) == Counts{1, 1, 0, 0});
    CHECK(metered(ChecksumMode::kIgnore, bad) == Counts{0, 0, 0, 1});
    const MacAddress own{0x02, 0, 0, 0, 0, 1};  // of the builder's frames: they go out
    CHECK(metered(ChecksumMode::kIgnore, bad, own) == Counts{1, 0, 1, 0});
    CHECK(metered(ChecksumMode::kIgnore, there().ethernet()) == Counts{1, 0, 0, 0});  // UDP without a checksum
    CHECK(name(DecodeResult::kBadChecksum) == "bad-checksum");
}
