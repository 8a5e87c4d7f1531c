// SPDX-License-Identifier: Apache-2.0
#include "core/metering/metering_process.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <set>

#include "core/capture/merged_source.hpp"
#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace std::chrono_literals;

namespace {

constexpr const char *kA = "10.0.0.1", *kB = "10.0.0.2";
constexpr const char *kA6 = "2001:db8::1", *kB6 = "2001:db8::2";
constexpr std::uint8_t kSynBit = 2, kAckBit = 16, kFinBit = 1;

std::uint64_t packets_of(const std::vector<const FlowRecord*>& records, EndReason reason) {
    std::uint64_t packets = 0;
    for (const auto* r : records)
        if (r->end_reason == reason) packets += r->packets();
    return packets;
}

Bytes udp6_frame(int client) {
    return PacketBuilder(10).udp(1000, 2000).ipv6("2001:db8::" + std::to_string(client + 1), kB6).ethernet();
}

}  // namespace

TEST_CASE("MeteringProcess: both directions are one record, each with its own values") {
    FileRun file;
    file.add(PacketBuilder(5).tcp(1000, 80, kSynBit).ipv4(kA, kB, {.tos = 8, .ttl = 64}).ethernet(), kStart);
    file.add(PacketBuilder(6).tcp(80, 1000, kSynBit | kAckBit).ipv4(kB, kA, {.tos = 16, .ttl = 50}).ethernet(),
             kStart + 10 * kMs);
    file.add(PacketBuilder(7).tcp(1000, 80, kAckBit).ipv4(kA, kB, {.tos = 9, .ttl = 63}).ethernet(), kStart + 20 * kMs);
    file.add(PacketBuilder(8).tcp(80, 1000, kFinBit).ipv4(kB, kA, {.tos = 0, .ttl = 55}).ethernet(), kStart + 30 * kMs);
    const auto& records = file.run();
    REQUIRE(records.size() == 1);
    const FlowRecord& r = *records[0];
    CHECK(to_string(r.source_address) == kA);
    CHECK(to_string(r.destination_address) == kB);
    CHECK(r.source_port == 1000);
    CHECK(r.destination_port == 80);
    CHECK(r.protocol == 6);
    CHECK(r.ip_version == 4);
    CHECK(r.source_mac == MacAddress{2, 0, 0, 0, 0, 1});
    CHECK(r.forward.packets == 2);
    CHECK(r.reverse.packets == 2);
    CHECK(r.forward.octets == 45 + 47);
    CHECK(r.reverse.octets == 46 + 48);
    CHECK(r.forward.bytes == r.forward.octets + 28);  // accounting mode 0: with the Ethernet header
    CHECK(r.forward.tcp_flags == (kSynBit | kAckBit));
    CHECK(r.reverse.tcp_flags == (kSynBit | kAckBit | kFinBit));
    CHECK(r.forward.tos == 8);
    CHECK(r.reverse.tos == 16);
    CHECK(r.forward.ttl_min == 63);
    CHECK(r.forward.ttl_max == 64);
    CHECK(r.reverse.ttl_min == 50);
    CHECK(r.reverse.ttl_max == 55);
    CHECK(r.forward.first == kStart);
    CHECK(r.forward.last == kStart + 20 * kMs);
    CHECK(r.reverse.first == kStart + 10 * kMs);
    CHECK(r.reverse.last == kStart + 30 * kMs);
    CHECK(r.end_reason == EndReason::kEndOfInput);
    CHECK(r.interface_name == "");
    CHECK(r.observation_point == 1);
    CHECK(r.id == 0);
}

TEST_CASE("MeteringProcess: ICMP type and code and the IPv6 flow label are those of each direction's first packet") {
    FileRun file;
    const auto ping = [](const char* from, const char* to, std::uint8_t type, std::uint8_t code, std::uint32_t label) {
        return PacketBuilder(8)
            .icmpv6(type, code)
            .ipv6(from, to, {.traffic_class = 4, .hop_limit = 9, .flow_label = label})
            .ethernet()
            .bytes();
    };
    file.add(ping(kA6, kB6, 128, 1, 0xabcde), kStart).add(ping(kA6, kB6, 1, 2, 7), kStart);
    file.add(ping(kB6, kA6, 129, 3, 0x12345), kStart).add(ping(kB6, kA6, 3, 4, 8), kStart);
    const auto& records = file.run();
    REQUIRE(records.size() == 1);
    const FlowRecord& r = *records[0];
    CHECK(to_string(r.source_address) == kA6);
    CHECK(r.source_port == 0);
    CHECK(r.forward.icmp_type == 128);
    CHECK(r.forward.icmp_code == 1);
    CHECK(r.reverse.icmp_type == 129);
    CHECK(r.reverse.icmp_code == 3);
    CHECK(r.forward.flow_label == 0xabcde);
    CHECK(r.reverse.flow_label == 0x12345);
    CHECK(r.forward.tos == 4);
    CHECK(r.forward.ttl_min == 9);
    CHECK(r.forward.octets == 2 * 56);
}

TEST_CASE("MeteringProcess: the idle timeout ends a flow at exactly its millisecond") {
    MeteringOptions options = plain_options();
    options.idle_timeout = 10s;
    const auto flows = [&](TimestampNs gap) {
        FileRun file(options);
        return file.add(udp_frame(kA, kB), kStart).add(udp_frame(kA, kB), kStart + gap).run().size();
    };
    CHECK(flows(10 * kSecond - kMs) == 1);
    CHECK(flows(10 * kSecond - 1) == 1);
    CHECK(flows(10 * kSecond) == 2);
}

TEST_CASE("MeteringProcess: milliseconds are truncated before they are compared") {
    MeteringOptions options = plain_options();
    options.idle_timeout = 10s;
    FileRun file(options);  // 9.9991 s between, yet ten seconds between truncated times
    file.add(udp_frame(kA, kB), kStart + 999'900).add(udp_frame(kA, kB), kStart + 10 * kSecond);
    const auto& records = file.run();
    REQUIRE(records.size() == 2);
    CHECK(records[0]->end_reason == EndReason::kIdle);
    CHECK(records[1]->end_reason == EndReason::kEndOfInput);
}

TEST_CASE("MeteringProcess: the active timeout ends a flow at exactly its millisecond, and idle wins over it") {
    MeteringOptions options = plain_options();
    options.idle_timeout = 10s;
    options.active_timeout = 25s;
    const auto run = [&](TimestampNs last) {
        FileRun file(options);
        file.add(udp_frame(kA, kB), kStart).add(udp_frame(kB, kA, 2000, 1000), kStart + 9 * kSecond);
        file.add(udp_frame(kA, kB), kStart + 18 * kSecond).add(udp_frame(kB, kA, 2000, 1000), kStart + last);
        std::vector<std::pair<std::uint64_t, EndReason>> out;
        for (const auto* r : file.run()) out.emplace_back(r->packets(), r->end_reason);
        return out;
    };
    using Expected = std::vector<std::pair<std::uint64_t, EndReason>>;
    CHECK(run(25 * kSecond - kMs) == Expected{{4, EndReason::kEndOfInput}});
    CHECK(run(25 * kSecond) == Expected{{3, EndReason::kActive}, {1, EndReason::kEndOfInput}});
    CHECK(run(28 * kSecond) == Expected{{3, EndReason::kIdle}, {1, EndReason::kEndOfInput}});
}

TEST_CASE("MeteringProcess: the packet that ends a flow begins the next one, with its sender as source") {
    MeteringOptions options = plain_options();
    options.active_timeout = 5s;
    FileRun file(options);
    file.add(udp_frame(kA, kB), kStart).add(udp_frame(kB, kA, 2000, 1000), kStart + 5 * kSecond);
    file.add(udp_frame(kA, kB), kStart + 6 * kSecond);
    const auto& records = file.run();
    REQUIRE(records.size() == 2);
    CHECK(to_string(records[0]->source_address) == kA);
    CHECK(records[0]->packets() == 1);
    CHECK(records[0]->biflow_direction == BiflowDirection::kInitiator);
    CHECK(to_string(records[1]->source_address) == kB);
    CHECK(records[1]->source_port == 2000);
    CHECK(records[1]->forward.packets == 1);
    CHECK(records[1]->reverse.packets == 1);
    CHECK(records[1]->biflow_direction == BiflowDirection::kArbitrary);  // its start was the other record's
    CHECK(records[1]->id == 1);
}

TEST_CASE("MeteringProcess: a timeout of 0 makes each packet a flow") {
    for (const bool idle : {true, false}) {
        MeteringOptions options = plain_options();
        (idle ? options.idle_timeout : options.active_timeout) = 0ms;
        FileRun file(options);
        for (int i = 0; i < 100; ++i) file.add(udp_frame(kA, kB), kStart + i / 2 * kMs);
        const auto& records = file.run();
        REQUIRE(records.size() == 100);
        CHECK(records[0]->end_reason == (idle ? EndReason::kIdle : EndReason::kActive));
    }
}

TEST_CASE("MeteringProcess: biflowDirection tells whose packet began the flow") {
    const auto direction = [](const Bytes& frame) {
        FileRun file;
        return file.add(frame, kStart).run().at(0)->biflow_direction;
    };
    CHECK(direction(tcp_frame(kA, kB, 1, 2, kSynBit)) == BiflowDirection::kInitiator);
    CHECK(direction(tcp_frame(kA, kB, 1, 2, kSynBit | kAckBit)) == BiflowDirection::kReverseInitiator);
    CHECK(direction(tcp_frame(kA, kB, 1, 2, kAckBit)) == BiflowDirection::kArbitrary);
    CHECK(direction(udp_frame(kA, kB)) == BiflowDirection::kInitiator);
}

TEST_CASE("MeteringProcess: VLANs, tunnels and protocols are flows of their own, the link they came by is not") {
    const auto udp = [] { return PacketBuilder(10).udp(1000, 2000).ipv4(kA, kB); };
    FileRun file;
    file.add(udp().ethernet(), kStart).add(udp().mpls(1).ethernet(), kStart);
    file.add(udp().vlan(5).ethernet(), kStart).add(udp().vlan(6).ethernet(), kStart);
    file.add(udp().gtp().udp(2152, 2152).ipv4("192.0.2.1", "192.0.2.2").ethernet(), kStart);
    file.add(PacketBuilder(10).tcp(1000, 2000).ipv4(kA, kB).ethernet(), kStart);
    const auto& records = file.run();
    std::map<std::tuple<int, int, int>, std::uint64_t> packets;
    for (const auto* r : records) packets[{r->vlan_id, r->tunnel_id, r->protocol}] = r->packets();
    CHECK(packets == std::map<std::tuple<int, int, int>, std::uint64_t>{
                         {{0, 0, 17}, 2}, {{5, 0, 17}, 1}, {{6, 0, 17}, 1}, {{0, 1, 17}, 1}, {{0, 0, 6}, 1}});
}

TEST_CASE("MeteringProcess: accounting_mode chooses what bytes counts") {
    const std::uint64_t expected[] = {14 + 20 + 8 + 10, 20 + 8 + 10, 8 + 10, 10};
    for (int mode = 0; mode < 4; ++mode) {
        MeteringOptions options = plain_options();
        options.accounting_mode = mode;
        FileRun file(options);
        const auto& records = file.add(udp_frame(kA, kB), kStart).add(udp_frame(kA, kB), kStart).run();
        REQUIRE(records.size() == 1);
        CHECK(records[0]->forward.bytes == 2 * expected[mode]);
        CHECK(records[0]->forward.octets == 2 * 38);
    }
}

TEST_CASE("MeteringProcess: octets beyond 32 bits are carried") {
    FileRun file;
    Bytes frame = PacketBuilder(65000).udp(1, 2).ipv4(kA, kB).ethernet();
    constexpr int kCount = 66'200;  // 4.3 GB
    frame.resize(60);               // cut: lengths are the headers'
    for (int i = 0; i < kCount; ++i) file.add(frame, kStart, 65042);
    const auto& records = file.run();
    REQUIRE(records.size() == 1);
    CHECK(records[0]->forward.octets == std::uint64_t{kCount} * 65028);
    CHECK(records[0]->forward.bytes == std::uint64_t{kCount} * 65042);
    CHECK(file.process().counters().cut.get() == kCount);
}

TEST_CASE("MeteringProcess: the clock never runs back") {
    MeteringOptions options = plain_options();
    options.idle_timeout = 10s;
    FileRun file(options);
    file.add(udp_frame(kA, kB), kStart + 100 * kSecond).add(udp_frame(kA, kB), kStart);
    file.add(udp_frame(kB, kA, 2000, 1000), kStart + 50 * kSecond);
    const auto& records = file.run();
    REQUIRE(records.size() == 1);
    CHECK(records[0]->forward.first == kStart + 100 * kSecond);
    CHECK(records[0]->forward.last == kStart + 100 * kSecond);
    CHECK(records[0]->reverse.first == kStart + 100 * kSecond);
}

TEST_CASE("MeteringProcess: impossible times of a capture neither overflow nor lose a packet") {
    FileRun file;
    file.add(udp_frame(kA, kB), std::numeric_limits<TimestampNs>::min());
    file.add(udp_frame(kA, kB), -1).add(udp_frame(kA, kB), 0);
    file.add(udp_frame(kA, kB), std::numeric_limits<TimestampNs>::max());
    file.add(udp_frame(kB, kA, 2000, 1000), std::numeric_limits<TimestampNs>::max());
    file.add(udp_frame(kA, kB), kStart);
    const auto& records = file.run();
    CHECK(records.size() == 2);
}

TEST_CASE("MeteringProcess: a full table lets flows go for lack of resources, and all is accounted for") {
    for (const std::uint32_t max_flows : {1u, 2u, 9u, 64u}) {
        CAPTURE(max_flows);
        MeteringOptions options = plain_options();
        options.max_flows = max_flows;
        options.statistical_analysis = true;
        options.splt_analysis = 3;
        FileRun file(options);
        for (int i = 0; i < 3000; ++i) {
            const int n = i * 7 % 500;
            file.add(i % 3 == 0 ? udp6_frame(n) : udp_frame(host(n), kB), kStart + i * kMs);
        }
        const auto& records = file.run();  // checks the totals
        CHECK(packets_of(records, EndReason::kLackOfResources) > 2000);
        for (const auto* r : records) CHECK(r->statistics->bidirectional.max_ps > 0);
    }
}

TEST_CASE("MeteringProcess: of a full table the flows nearest to their timeout leave") {
    MeteringOptions options = plain_options();
    options.max_flows = 100;
    FileRun file(options);
    for (int i = 0; i < 100; ++i) file.add(udp_frame(host(i), kB), kStart + i * kSecond);
    for (int i = 0; i < 50; ++i) file.add(udp_frame(host(i), kB), kStart + (100 + i) * kSecond / 1);
    for (int i = 0; i < 10; ++i) file.add(udp_frame(host(1000 + i), kB), kStart + 150 * kSecond);
    for (const auto* r : file.run())
        if (r->end_reason == EndReason::kLackOfResources) CHECK(r->packets() == 1);  // not one of the refreshed
}

TEST_CASE("MeteringProcess: a flood over IPv6 does not push out the few flows of IPv4") {
    MeteringOptions options = plain_options();
    options.max_flows = 100;
    FileRun file(options);
    for (int i = 0; i < 100; ++i) file.add(udp6_frame(i), kStart);
    for (int round = 0; round < 5; ++round)
        for (int i = 0; i < 40; ++i) file.add(udp_frame(host(i), kB), kStart + round * kSecond);
    int v4 = 0;
    for (const auto* r : file.run()) {
        if (r->ip_version != 4) continue;
        ++v4;
        CHECK(r->packets() == 5);
    }
    CHECK(v4 == 40);
}

TEST_CASE("MeteringProcess: an index freed inside a vector is not counted into") {
    // one flow at most: every packet of a vector evicts the flow that the next was looked up as
    MeteringOptions options = plain_options();
    options.max_flows = 1;
    FileRun file(options);
    file.add(udp_frame(host(1), kB), kStart);
    for (int i = 0; i < 32; ++i) file.add(udp_frame(host(i % 2), kB), kStart + kMs);
    const auto& records = file.run();
    CHECK(records.size() == 33);
    for (const auto* r : records) CHECK(r->packets() == 1);
}

TEST_CASE("MeteringProcess: ignored frames have a reason each and do not move the clock") {
    MeteringOptions options = plain_options();
    options.idle_timeout = 10s;
    FileRun file(options);
    file.add(udp_frame(kA, kB), kStart).add(Bytes(20), kStart + 60 * kSecond);
    file.add(PacketBuilder(10).udp(1, 2).ipv4(kA, kB, {.fragment = 100}).ethernet(), kStart + 60 * kSecond);
    file.add(udp_frame(kA, kB), kStart + 5 * kSecond);
    CHECK(file.run().size() == 1);
    const auto& ignored = file.process().counters().ignored;
    CHECK(ignored[static_cast<std::size_t>(DecodeResult::kTruncated)].get() == 1);
    CHECK(ignored[static_cast<std::size_t>(DecodeResult::kFragment)].get() == 1);
}

TEST_CASE("MeteringProcess: an unknown link type is ignored packet for packet") {
    FileRun file;
    file.source().set_link_type(147);
    file.add(udp_frame(kA, kB), kStart).add(udp_frame(kA, kB), kStart);
    CHECK(file.run().empty());
    CHECK(file.process().counters().ignored[1].get() == 2);
}

TEST_CASE("MeteringProcess: with fragments: all, later fragments belong to the flow of the first") {
    MeteringOptions options = plain_options();
    options.fragments = FragmentMode::kAll;
    FileRun file(options);
    const auto fragment = [](std::uint16_t field) {
        return field == 0x2000
                   ? PacketBuilder(16).udp(1000, 2000).ipv4(kA, kB, {.id = 9, .fragment = field}).ethernet().bytes()
                   : PacketBuilder(24).protocol(17).ipv4(kA, kB, {.id = 9, .fragment = field}).ethernet().bytes();
    };
    file.add(fragment(0x2000), kStart).add(fragment(0x2003), kStart).add(fragment(0x0006), kStart);
    const auto& records = file.run();
    REQUIRE(records.size() == 1);
    CHECK(records[0]->source_port == 1000);
    CHECK(records[0]->packets() == 3);
}

TEST_CASE("MeteringProcess: statistics, sequence and application of a flow do not reach the next one of its index") {
    MeteringOptions options = plain_options();
    options.idle_timeout = 1s;
    options.statistical_analysis = true;
    options.splt_analysis = 4;
    options.n_dissections = 20;
    FileRun file(options);
    for (int i = 0; i < 3; ++i) file.add(udp_frame(kA, kB, 1000, 2000, 100), kStart + i * 10 * kMs);
    file.add(udp_frame(kA, kB, 1000, 2000, 10), kStart + 10 * kSecond);
    file.add(udp_frame(kB, kA, 2000, 1000, 10), kStart + 10 * kSecond + 7 * kMs);
    const auto& records = file.run();
    REQUIRE(records.size() == 2);
    const FlowRecord &first = *records[0], &second = *records[1];
    CHECK(first.statistics->bidirectional.mean_piat_ms == 10);
    CHECK(second.statistics->bidirectional.max_ps == 52);
    CHECK(second.statistics->bidirectional.max_piat_ms == 7);
    CHECK(second.statistics->reverse.min_ps == 52);
    REQUIRE(second.sequence->direction.size() == 4);
    CHECK(first.sequence->piat_ms[1] == 10);
    CHECK(first.sequence->direction[3] == -1);
    CHECK(second.sequence->direction[0] == 0);
    CHECK(second.sequence->direction[1] == 1);
    CHECK(second.sequence->size[1] == 52);
    CHECK(second.sequence->piat_ms[1] == 7);
    CHECK(second.sequence->size[2] == -1);
    REQUIRE(second.application != nullptr);
    CHECK(second.application->name == "Unknown");
}

TEST_CASE("MeteringProcess: ids are unique over the processes of a run") {
    std::set<std::uint64_t> ids;
    for (std::uint32_t point = 1; point <= 3; ++point) {
        Received received;
        auto source = std::make_unique<SyntheticSource>();
        for (int i = 0; i < 10; ++i) source->add(udp_frame(host(i), kB), kStart);
        MeteringProcess process({point, "files", true}, plain_options(), std::move(source), {received.queue()},
                                quiet_logger());
        REQUIRE(process.open());
        REQUIRE(process.run({}));
        for (const auto* r : received.records()) ids.insert(r->id);
    }
    CHECK(ids.size() == 30);
    CHECK(*ids.begin() == 0);
}

TEST_CASE("MeteringProcess: with ids by creation a flow keeps its own over an active timeout, not over an idle one") {
    MeteringOptions options = plain_options();
    options.nfstream3_records = true;
    options.idle_timeout = 10s;
    options.active_timeout = 5s;
    FileRun file(options);
    for (const int s : {0, 3, 6, 9}) file.add(udp_frame(kA, kB), kStart + s * kSecond);
    file.add(udp_frame(host(9), kB), kStart + 9 * kSecond);  // ends before the others, was created after them
    file.add(udp_frame(kA, kB), kStart + 30 * kSecond);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ids;
    for (const auto* r : file.run()) ids.emplace_back(r->creation_id, r->packets());
    std::sort(ids.begin(), ids.end());
    CHECK(ids == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 2}, {0, 2}, {1, 1}, {2, 1}});
}

TEST_CASE(
    "MeteringProcess: as nfstream 0.x a flow is idle when another one begins, and active when it was silent for long") {
    MeteringOptions options = plain_options();
    options.compatibility = Generation::kNfstream0;
    options.idle_timeout = 60s;
    options.active_timeout = 120s;
    const auto run = [&](std::vector<int> seconds, int other) {
        FileRun file(options);
        for (const int s : seconds) {
            if (other >= 0 && s > other) {
                file.add(udp6_frame(1), kStart + other * kSecond);
                other = -1;
            }
            file.add(udp_frame(kA, kB), kStart + s * kSecond);
        }
        std::vector<std::pair<std::uint64_t, EndReason>> out;
        for (const auto* r : file.run())
            if (r->ip_version == 4) out.emplace_back(r->packets(), r->end_reason);
        return out;
    };
    using Expected = std::vector<std::pair<std::uint64_t, EndReason>>;
    // silent for more than a minute, but no flow began meanwhile
    CHECK(run({0, 100}, -1) == Expected{{2, EndReason::kEndOfInput}});
    CHECK(run({0, 100}, 59) == Expected{{2, EndReason::kEndOfInput}});
    CHECK(run({0, 100}, 60) == Expected{{1, EndReason::kIdle}, {1, EndReason::kEndOfInput}});
    CHECK(run({0, 119}, -1) == Expected{{2, EndReason::kEndOfInput}});
    CHECK(run({0, 120}, -1) == Expected{{1, EndReason::kActive}, {1, EndReason::kEndOfInput}});
    // never silent for long: it goes on for ever
    CHECK(run({0, 50, 100, 150, 200}, -1) == Expected{{5, EndReason::kEndOfInput}});
}

TEST_CASE("MeteringProcess: ids by creation cost nothing unless they are wanted") {
    const auto octets = [](bool wanted) {
        MeteringOptions options = plain_options();
        options.nfstream3_records = wanted;
        FileRun file(options);
        file.add(udp_frame(kA, kB), kStart).run();
        return file.process().counters().flow_octets.get();
    };
    CHECK(octets(true) == octets(false) + 8);
}

// ---- a live link ----

TEST_CASE("MeteringProcess: on a silent link flows become idle by the monotonic clock") {
    MeteringOptions options = plain_options();
    options.idle_timeout = 1ms;
    LinkRun link(options);
    link.source().add(udp_frame(kA, kB), kStart);
    CHECK(link.wait_until([&] { return link.received().records().size() == 1; }));
    CHECK(link.process().counters().flows_active.get() == 0);
    const auto& records = link.stop();
    REQUIRE(records.size() == 1);
    CHECK(records[0]->end_reason == EndReason::kIdle);
    CHECK(records[0]->interface_name == "test0");
    CHECK(records[0]->ingress_interface == 7);
    CHECK(records[0]->observation_point == 3);
    CHECK(link.process().counters().now_ns.get() == static_cast<std::uint64_t>(kStart));
    check_totals(link.process(), records);
}

TEST_CASE("MeteringProcess: on a link the active timeout ends a flow without a further packet") {
    MeteringOptions options = plain_options();
    options.active_timeout = 1ms;
    LinkRun link(options);
    link.source().add(udp_frame(kA, kB), kStart);
    CHECK(link.wait_until([&] { return link.received().records().size() == 1; }));
    CHECK(link.wait_until([&] { return link.process().counters().flows_active.get() == 0; }));
    // the answer begins a flow whose start was in the record before
    link.source().add(udp_frame(kB, kA, 2000, 1000), kStart + 2 * kMs);
    CHECK(link.wait_until([&] { return link.received().records().size() == 2; }));
    const auto& records = link.stop();
    REQUIRE(records.size() == 2);
    CHECK(records[0]->end_reason == EndReason::kActive);
    CHECK(records[0]->biflow_direction == BiflowDirection::kInitiator);
    CHECK(to_string(records[1]->source_address) == kB);
    CHECK(records[1]->biflow_direction == BiflowDirection::kArbitrary);
    check_totals(link.process(), records);
}

TEST_CASE("MeteringProcess: many flows due at once leave without waiting between portions") {
    MeteringOptions options = plain_options();
    options.idle_timeout = 1s;
    options.max_flows = 50'000;
    LinkRun link(options);
    for (int i = 0; i < 40'000; ++i) link.source().add(udp_frame(host(i), kB), kStart);
    link.source().add(udp_frame(kA, kB, 1, 1), kStart + 5 * kSecond);  // one more packet, then silence
    CHECK(link.wait_until([&] { return link.process().counters().flows_active.get() <= 1; }));
    CHECK(link.source().polls_without_wait() > 0);
    const auto& records = link.stop();
    check_totals(link.process(), records);
    CHECK(packets_of(records, EndReason::kIdle) >= 40'000);
}

TEST_CASE("MeteringProcess: request_expire lets every flow leave and metering goes on") {
    LinkRun link;
    for (int i = 0; i < 20; ++i) link.source().add(udp_frame(host(i), kB), kStart);
    for (int i = 0; i < 5; ++i) link.source().add(udp6_frame(i), kStart);
    REQUIRE(link.source().wait_until_silent());
    CHECK(link.process().counters().flows_active.get() == 25);
    link.process().request_expire();
    CHECK(link.wait_until([&] { return link.process().counters().flows_active.get() == 0; }));
    link.source().add(udp_frame(kA, kB), kStart + kSecond);
    REQUIRE(link.source().wait_until_silent());
    const auto& records = link.stop();
    CHECK(records.size() == 26);
    for (const auto* r : records) CHECK(r->end_reason == EndReason::kForced);
    check_totals(link.process(), records);
}

TEST_CASE("MeteringProcess: a stop flushes every flow with the reason that was set") {
    for (const EndReason reason : {EndReason::kForced, EndReason::kInterfaceGone}) {
        LinkRun link;
        link.source().add(udp_frame(kA, kB), kStart);
        REQUIRE(link.source().wait_until_silent());
        link.source().add(udp_frame(kB, kA, 2000, 1000), kStart);  // may still wait in the ring at the stop
        link.process().set_stop_reason(reason);
        const auto& records = link.stop();
        REQUIRE(records.size() == 1);
        CHECK(records[0]->packets() == 2);
        CHECK(records[0]->end_reason == reason);
        CHECK(link.status().has_value());
        check_totals(link.process(), records);
    }
}

TEST_CASE("MeteringProcess: a source that fails for good ends the run with its error, and flows are flushed") {
    LinkRun link;
    link.source().add(udp_frame(kA, kB), kStart);
    REQUIRE(link.source().wait_until_silent());
    link.source().fail({ErrorCode::kUnavailable, "gone", "test0"});
    link.join();
    REQUIRE_FALSE(link.status().has_value());
    CHECK(link.status().error().text() == "test0: gone");
    CHECK(link.received().records().size() == 1);
    CHECK(link.received().queue()->ended());
}

TEST_CASE("MeteringProcess: flowDirection is egress for frames of the interface's own address") {
    auto source = LinkRun::link();
    source->set_hardware_address(PacketBuilder::kSourceMac);
    LinkRun link(plain_options(), std::move(source));
    link.source().add(udp_frame(kA, kB), kStart);
    CHECK(link.stop().at(0)->flow_direction == 1);

    LinkRun other;
    other.source().add(udp_frame(kA, kB), kStart);
    CHECK(other.stop().at(0)->flow_direction == 0);
}

namespace {

// A tap: two interfaces of one group.
struct Tap {
    SyntheticSource *east, *west;
    std::unique_ptr<PacketSource> source;

    explicit Tap(const char* first = "east0", const char* second = "west0") {
        auto one = std::make_unique<SyntheticSource>(SyntheticSource::Kind::kLink, first, 11);
        auto other = std::make_unique<SyntheticSource>(SyntheticSource::Kind::kLink, second, 22);
        east = one.get();
        west = other.get();
        std::vector<std::unique_ptr<PacketSource>> members;
        members.push_back(std::move(one));
        members.push_back(std::move(other));
        source = make_merged_links(std::move(members), {}, 1536);
    }
};

struct TapRun {
    Received received;
    Tap tap;
    MeteringProcess process{
        {3, "tap", false}, plain_options(), std::move(tap.source), {received.queue()}, quiet_logger()};
    std::jthread thread;

    void start() {
        REQUIRE(process.open());
        thread = std::jthread([this](std::stop_token stop) { CHECK(process.run(stop)); });
    }
    const std::vector<const FlowRecord*>& stop() {
        thread.request_stop();
        thread.join();
        check_totals(process, received.records());
        return received.records();
    }
};

}  // namespace

TEST_CASE(
    "MeteringProcess: the directions on two interfaces of a group are one flow, of the first packet's interface") {
    TapRun run;
    run.tap.west->set_hardware_address(PacketBuilder::kSourceMac);
    run.start();
    for (int i = 0; i < 50; ++i) {
        run.tap.east->add(udp_frame(kB, kA, 2000, 1000), kStart + i * kMs + 1000);  // the answers
        run.tap.west->add(udp_frame(kA, kB, 1000, 2000), kStart + i * kMs);
    }
    run.tap.east->add(udp_frame("10.1.1.1", kB), kStart + 60 * kMs);
    const auto& records = run.stop();
    REQUIRE(records.size() == 2);
    const FlowRecord& west = *records[records[0]->packets() == 100 ? 0 : 1];
    const FlowRecord& east = *records[records[0]->packets() == 100 ? 1 : 0];
    CHECK(to_string(west.source_address) == kA);
    CHECK(west.forward.packets == 50);
    CHECK(west.reverse.packets == 50);
    CHECK(west.interface_name == "west0");
    CHECK(west.ingress_interface == 22);
    CHECK(west.flow_direction == 1);
    CHECK(east.interface_name == "east0");
    CHECK(east.ingress_interface == 11);
    CHECK(east.flow_direction == 0);
    CHECK(east.observation_point == west.observation_point);
    REQUIRE(run.process.members().size() == 2);
    CHECK(run.process.members()[0].source.name == "east0");
    CHECK(run.process.members()[0].capture.frames == 51);
    CHECK(run.process.members()[1].capture.frames == 50);
    CHECK(run.process.capture().frames == 101);
    CHECK(run.process.capture().up);
}

TEST_CASE("MeteringProcess: flows of a group leave when its last interface is lost, not before") {
    TapRun run;
    run.start();
    run.tap.west->add(udp_frame(kA, kB), kStart);
    const auto active = [&] { return run.process.counters().flows_active.get(); };
    for (int turn = 0; turn < 500 && active() == 0; ++turn) REQUIRE(run.tap.west->wait_until_silent());
    run.tap.west->set_up(false);
    REQUIRE(run.tap.west->wait_until_silent(5));
    CHECK_FALSE(run.process.capture().up);
    CHECK(active() == 1);
    run.tap.east->set_up(false);
    for (int turn = 0; turn < 500 && active() == 1; ++turn) REQUIRE(run.tap.east->wait_until_silent());
    CHECK(active() == 0);
    const auto& records = run.stop();
    REQUIRE(records.size() == 1);
    CHECK(records[0]->end_reason == EndReason::kInterfaceGone);
}

TEST_CASE("MeteringProcess: flows keep their interface while those of a group come and go") {
    TapRun run;
    run.start();
    run.tap.west->add(udp_frame(kA, kB), kStart);
    REQUIRE(run.tap.west->wait_until_silent(2));
    auto third = std::make_unique<SyntheticSource>(SyntheticSource::Kind::kLink, "north0", 9);
    SyntheticSource& added = *third;
    REQUIRE(added.open());
    added.add(udp_frame("10.1.1.1", kB), kStart);
    run.tap.west->add(udp_frame(kA, kB), kStart + kMs);
    MeteringChange change;
    change.idle_timeout = change.active_timeout = 600s;
    change.outputs = {run.received.queue()};
    change.regrouping.emplace();
    change.regrouping->interfaces = {"north0", "west0"};
    change.regrouping->added.push_back(std::move(third));
    change.regrouping->snapshot_length = 1536;
    run.process.adopt(std::move(change));
    REQUIRE(added.wait_until_silent(2));
    const auto& records = run.stop();
    REQUIRE(records.size() == 2);
    const FlowRecord& west = *records[records[0]->interface_name == "west0" ? 0 : 1];
    const FlowRecord& north = *records[records[0]->interface_name == "west0" ? 1 : 0];
    CHECK(west.interface_name == "west0");
    CHECK(west.packets() == 2);
    CHECK(north.interface_name == "north0");
    CHECK(north.packets() == 1);
    REQUIRE(run.process.members().size() == 2);
    CHECK(run.process.members()[1].capture.frames == 2);
    CHECK(run.process.capture().frames == 3);
}

TEST_CASE("MeteringProcess: adopted timeouts hold for the flows that are there") {
    LinkRun link;  // 120 s
    for (int i = 0; i < 1000; ++i) link.source().add(udp_frame(host(i), kB), kStart);
    REQUIRE(link.source().wait_until_silent());
    CHECK(link.received().records().empty());
    MeteringChange change;
    change.idle_timeout = 1ms;
    change.active_timeout = 1800s;
    change.outputs = {link.received().queue()};
    link.process().adopt(std::move(change));
    CHECK(link.wait_until([&] { return link.process().counters().flows_active.get() == 0; }));
    CHECK(link.process().adopted() == 1);
    for (const auto* r : link.stop()) CHECK(r->end_reason == EndReason::kIdle);
}

TEST_CASE("MeteringProcess: adopted outputs replace the others, and those that leave end") {
    LinkRun link;
    Received next("next");
    link.source().add(udp_frame(kA, kB), kStart);
    REQUIRE(link.source().wait_until_silent());
    MeteringChange change;
    change.idle_timeout = 120s;
    change.active_timeout = 1800s;
    change.outputs = {next.queue()};
    link.process().adopt(std::move(change));
    CHECK(link.wait_until([&] { return link.process().adopted() == 1; }));
    CHECK(link.received().queue()->ended());
    CHECK_FALSE(next.queue()->ended());
    link.stop();
    CHECK(link.received().records().empty());
    CHECK(next.records().size() == 1);  // the flow stayed
    CHECK(next.queue()->ended());
    check_totals(link.process(), next.records());
}

TEST_CASE("MeteringProcess: two changes at once are both taken") {
    LinkRun link;
    Received passing("passing"), next("next");
    MeteringChange first;
    first.idle_timeout = 120s;
    first.active_timeout = 1800s;
    first.outputs = {passing.queue()};
    MeteringChange last;
    last.idle_timeout = 120s;
    last.active_timeout = 1800s;
    last.outputs = {next.queue()};
    link.process().adopt(std::move(first));
    link.process().adopt(std::move(last));
    CHECK(link.wait_until([&] { return link.process().adopted() == 2; }));
    CHECK(passing.queue()->ended());
    link.source().add(udp_frame(kA, kB), kStart);
    REQUIRE(link.source().wait_until_silent());
    link.stop();
    CHECK(next.records().size() == 1);
}

TEST_CASE("MeteringProcess: a ledger that is asked for is of one moment, the packets of the table added up") {
    LinkRun run;
    for (int n = 0; n < 100; ++n) run.source().add(udp_frame(host(n % 40), "10.9.0.1"), kStart + n);
    run.source().add(Bytes(60, 0), kStart + 100);  // no packet of a flow
    REQUIRE(run.wait_until([&] { return run.process().counters().packets.get() == 100; }));
    run.process().request_ledger(7, 40);
    REQUIRE(run.wait_until([&] { return run.process().ledger().number == 7; }));
    MeterLedger ledger = run.process().ledger();
    check_ledger(ledger);
    CHECK(ledger.frames == 101);
    CHECK(ledger.summed);
    CHECK(ledger.in_table == 100);
    CHECK(ledger.flows == 40);
    run.process().request_ledger(8, 39);  // too many entries for that
    REQUIRE(run.wait_until([&] { return run.process().ledger().number == 8; }));
    CHECK_FALSE(run.process().ledger().summed);
    run.process().request_expire();
    REQUIRE(run.wait_until([&] { return run.process().counters().flows_active.get() == 0; }));
    run.process().request_ledger(9, 40);
    REQUIRE(run.wait_until([&] { return run.process().ledger().number == 9; }));
    ledger = run.process().ledger();
    check_ledger(ledger);
    CHECK(ledger.in_table == 0);
    CHECK(ledger.in_records == 100);
    CHECK(ledger.made == 40);
    run.stop();
    CHECK(run.process().ledger().pushed == 40);
}

TEST_CASE("MeteringProcess: readers of counters and descriptions may be other threads") {
    LinkRun link;
    std::jthread reader([&](std::stop_token stop) {
        std::uint64_t sum = 0;
        while (!stop.stop_requested()) {
            sum += link.process().capture().frames + link.process().counters().packets.get();
            sum += link.process().source_description().name.size() + link.process().progress().done;
        }
        CHECK(sum > 0);
    });
    for (int i = 0; i < 500; ++i) link.source().add(udp_frame(host(i), kB), kStart + i * kMs);
    REQUIRE(link.source().wait_until_silent());
    for (int i = 0; i < 3; ++i) {
        MeteringChange change;
        change.idle_timeout = 120s;
        change.active_timeout = 1800s;
        change.outputs = {link.received().queue()};
        link.process().adopt(std::move(change));
        CHECK(link.wait_until([&] { return link.process().adopted() == static_cast<std::uint64_t>(i + 1); }));
        link.process().request_expire();
    }
    const auto& records = link.stop();
    reader.request_stop();
    reader.join();
    check_totals(link.process(), records);
}
