// SPDX-License-Identifier: Apache-2.0
#include "core/metering/flow_share.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <tuple>

#include "core/packet/decode.hpp"
#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace std::chrono_literals;

namespace {

struct Captured {
    Bytes octets;
    TimestampNs time;
};

std::uint64_t hash_of(const Bytes& octets) {
    const RawFrame frame{kStart, octets.data(), static_cast<std::uint32_t>(octets.size()),
                         static_cast<std::uint32_t>(octets.size())};
    Packet packet;
    REQUIRE(decode(SyntheticSource::kEthernet, frame, {.fragments = FragmentMode::kAll}, packet) == DecodeResult::kOk);
    return address_pair_hash(packet);
}

using Totals = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, TimestampNs, TimestampNs, EndReason>;
using Records = std::multimap<std::string, Totals>;

struct Sum {
    Records records;
    std::uint64_t frames = 0, octets = 0, ignored = 0, packets = 0;
    std::vector<std::uint64_t> shares;  // packets of each
    std::vector<std::uint64_t> ids;
};

// The frames as so many meters meter them.
Sum metered(const std::vector<Captured>& frames, std::uint32_t meters, MeteringOptions options) {
    Sum sum;
    for (std::uint32_t i = 0; i < meters; ++i) {
        auto source = std::make_unique<SyntheticSource>();
        for (const auto& frame : frames) source->add(frame.octets, frame.time);
        Received received;
        ObservationPoint point{1, "files", true, {i, meters}, i + 1};
        MeteringProcess process(point, options, std::move(source), {received.queue()}, quiet_logger());
        REQUIRE(process.open());
        REQUIRE(process.run({}));
        for (const FlowRecord* r : received.records()) {
            const std::string name = to_string(r->source_address) + ' ' + std::to_string(r->source_port) + ' ' +
                                     to_string(r->destination_address) + ' ' + std::to_string(r->destination_port);
            sum.records.emplace(name, Totals{r->forward.packets, r->reverse.packets, r->forward.octets, r->first(),
                                             r->last(), r->end_reason});
            sum.ids.push_back(r->id);
            CHECK(r->observation_point == 1);
        }
        const auto& counters = process.counters();
        for (const auto& counter : counters.ignored) sum.ignored += counter.get();
        sum.packets += counters.packets.get();
        sum.frames += process.capture().frames;
        sum.octets += process.capture().octets;
        sum.shares.push_back(counters.packets.get());
    }
    return sum;
}

// Flows of both families and both ways that idle, last on and come back, with
// fragments and frames that are no IP between them.
std::vector<Captured> traffic() {
    std::vector<Captured> frames;
    TimestampNs time = kStart;
    for (int round = 0; round < 6; ++round) {
        for (int i = 0; i < 60; ++i) {
            const std::string a = host(i), b = host(i * 7 % 50 + 100);
            const auto port = static_cast<std::uint16_t>(1000 + i % 3);
            const std::string a6 = "2001:db8::" + std::to_string(i + 1),
                              b6 = "2001:db8:1::" + std::to_string(i % 9 + 1);
            frames.push_back({udp_frame(a, b, port, 53), time += 3 * kMs});
            frames.push_back({udp_frame(b, a, 53, port, 30), time += 2 * kMs});
            if (i % 4 == 0)
                frames.push_back({PacketBuilder(64).udp(port, 53).ipv4(a, b, {.id = 7, .fragment = 0x2000}).ethernet(),
                                  time += kMs});
            if (i % 4 == 0)
                frames.push_back(
                    {PacketBuilder(64).ipv4(a, b, {.id = 7, .fragment = 9, .protocol = 17}).ethernet(), time});
            frames.push_back({PacketBuilder(8).udp(port, 53).ipv6(a6, b6).ethernet(), time += kMs});
            frames.push_back({PacketBuilder(9).udp(53, port).ipv6(b6, a6).ethernet(), time});
            if (i % 10 == 0) frames.push_back({PacketBuilder(40).ethernet_field(0x0806), time});
        }
        time += round % 2 == 0 ? 11 * kSecond : 700 * kMs;
    }
    return frames;
}

}  // namespace

TEST_CASE("FlowShare: both directions and all fragments have one hash, whatever ports, VLAN and protocol") {
    const auto from_a = [](auto... step) { return PacketBuilder(32).udp(1, 2).ipv4("10.0.0.1", "10.9.0.2", step...); };
    const auto expected = hash_of(from_a().ethernet());
    CHECK(hash_of(PacketBuilder(9).tcp(2, 1).ipv4("10.9.0.2", "10.0.0.1").ethernet()) == expected);
    CHECK(hash_of(from_a().vlan(7).ethernet()) == expected);
    CHECK(hash_of(from_a(Ipv4Fields{.id = 3, .fragment = 0x2000}).ethernet()) == expected);
    CHECK(hash_of(from_a(Ipv4Fields{.id = 3, .fragment = 5}).ethernet()) == expected);
    CHECK(hash_of(PacketBuilder(32).udp(1, 2).ipv4("10.0.0.1", "10.9.0.3").ethernet()) != expected);

    const auto expected6 = hash_of(PacketBuilder(32).udp(1, 2).ipv6("2001:db8::1", "2001:db8:5::2").ethernet());
    CHECK(hash_of(PacketBuilder(3).tcp(2, 1).ipv6("2001:db8:5::2", "2001:db8::1").vlan(4).ethernet()) == expected6);
    CHECK(hash_of(PacketBuilder(3).tcp(2, 1).ipv6("2001:db8:5::3", "2001:db8::1").ethernet()) != expected6);
}

TEST_CASE("FlowShare: neighbouring pairs of addresses spread evenly over the meters") {
    constexpr std::uint32_t kMeters = 4, kPairs = 4000;
    std::map<std::uint64_t, int> v4, v6;
    for (std::uint32_t i = 0; i < kPairs; ++i) {
        const auto low = static_cast<int>(i);
        ++v4[hash_of(udp_frame(host(low), host(low + 256))) % kMeters];
        const std::string a = "2001:db8::" + std::to_string(i % 1000), b = "2001:db8::" + std::to_string(i / 1000);
        ++v6[hash_of(PacketBuilder(3).tcp(2, 1).ipv6(a + ":1", b + ":2").ethernet()) % kMeters];
    }
    for (const auto& spread : {v4, v6}) {
        REQUIRE(spread.size() == kMeters);
        for (const auto& [share, pairs] : spread) CHECK(pairs > static_cast<int>(kPairs / kMeters * 8 / 10));
    }
}

TEST_CASE("MeteringProcess: several meters of one input make the records of one, and count it once") {
    auto options = plain_options();
    options.idle_timeout = 10s;
    options.active_timeout = 12s;
    for (const auto fragments : {FragmentMode::kFirst, FragmentMode::kAll}) {
        options.fragments = fragments;
        const auto frames = traffic();
        const auto one = metered(frames, 1, options);
        REQUIRE(one.records.size() > 300);
        CHECK(one.frames == frames.size());
        for (const std::uint32_t meters : {2u, 3u, 4u}) {
            CAPTURE(meters);
            auto several = metered(frames, meters, options);
            CHECK(several.records == one.records);
            CHECK(several.frames == one.frames);
            CHECK(several.octets == one.octets);
            CHECK(several.ignored == one.ignored);
            CHECK(several.packets == one.packets);
            for (const auto packets : several.shares) CHECK(packets > 0);
            std::sort(several.ids.begin(), several.ids.end());
            CHECK(std::adjacent_find(several.ids.begin(), several.ids.end()) == several.ids.end());
        }
    }
}
