// SPDX-License-Identifier: Apache-2.0
// A metering process whose capture ring fills: what it leaves out, what its records say of it, what it counts.
#include <doctest/doctest.h>

#include <string>

#include "core/metering/overload.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace std::chrono_literals;

namespace {

MeteringOptions dissecting() {
    MeteringOptions options = plain_options();
    options.n_dissections = 20;
    return options;
}

// One packet of `rate` under overload, announced as 78; as 77 otherwise.
PacketSelector thinning(std::uint32_t rate) {
    PacketSelectionOptions options;
    options.overload_rate = rate;
    return {77, 3, 0, options, 78};
}

void fill(LinkRun& link, unsigned percent) {
    link.source().set_fill(percent);
    REQUIRE(link.source().wait_until_silent(2));  // looked at after a poll
}

void send(LinkRun& link, int flow, int packets, int at_ms) {
    for (int i = 0; i < packets; ++i)
        link.source().add(udp_frame(host(flow), host(9000), static_cast<std::uint16_t>(flow), 53),
                          kStart + (at_ms + i) * kMs);
    REQUIRE(link.source().wait_until_silent());
}

const FlowRecord& record_of(const std::vector<const FlowRecord*>& records, int flow) {
    for (const auto* record : records)
        if (record->source_port == flow) return *record;
    FAIL("no record of flow " << flow);
    return *records.front();
}

}  // namespace

TEST_CASE("MeteringProcess: flows that begin while the ring is filling are not dissected, and say so") {
    LinkRun link(dissecting());
    send(link, 1, 2, 0);
    fill(link, 50);
    CHECK(link.process().counters().shed_level.get() == static_cast<std::uint64_t>(ShedLevel::kNewDissections));
    CHECK(link.process().counters().ring_fill_percent.get() == 50);
    send(link, 1, 2, 10);
    send(link, 2, 5, 20);
    const auto& records = link.stop();
    check_totals(link.process(), records);
    REQUIRE(records.size() == 2);
    CHECK(record_of(records, 1).application != nullptr);
    CHECK(record_of(records, 1).packets() == 4);
    CHECK(record_of(records, 2).application == nullptr);
    CHECK(record_of(records, 2).packets() == 5);
    CHECK(link.process().counters().flows_not_dissected.get() == 1);
    CHECK(link.process().counters().dissections_stopped.get() == 0);
    CHECK(link.process().counters().overloads.get() == 1);
    CHECK(link.process().counters().shed_level.get() == 0);
}

TEST_CASE("MeteringProcess: then flows that have begun are not shown to nDPI any more, either") {
    LinkRun link(dissecting());
    send(link, 1, 2, 0);
    fill(link, 75);
    send(link, 1, 30, 10);
    send(link, 2, 1, 50);
    const auto& records = link.stop();
    check_totals(link.process(), records);
    CHECK(record_of(records, 1).application != nullptr);
    CHECK(record_of(records, 1).packets() == 32);
    CHECK(record_of(records, 2).application == nullptr);
    CHECK(link.process().counters().flows_not_dissected.get() == 1);
    CHECK(link.process().counters().dissections_stopped.get() == 1);
}

TEST_CASE("MeteringProcess: then packets are sampled, and no record mixes packets of two rates") {
    LinkRun link(plain_options(), LinkRun::link(), quiet_logger(), thinning(10));
    send(link, 1, 7, 0);
    send(link, 2, 3, 10);
    fill(link, 100);
    send(link, 1, 100, 20);  // the first of each ten
    const auto& records = link.stop();
    check_totals(link.process(), records);
    REQUIRE(records.size() == 3);
    CHECK(link.process().counters().packets_shed.get() == 90);
    const auto capture = link.process().capture();
    CHECK(link.process().counters().ignored_octets.get() == 90 * capture.octets / capture.frames);  // all alike
    CHECK(link.process().counters().sampled_out.get() == 0);
    const FlowRecord& before = record_of(records, 1);
    CHECK(before.packets() == 7);
    CHECK(before.selector == 77);
    CHECK(before.end_reason == EndReason::kForced);
    CHECK(record_of(records, 2).packets() == 3);
    CHECK(record_of(records, 2).selector == 77);
    int thinned = 0;
    for (const auto* record : records) {
        if (record->selector != 78) continue;
        ++thinned;
        CHECK(record->packets() == 10);
        CHECK(record->source_port == 1);
        CHECK(record->biflow_direction == BiflowDirection::kArbitrary);  // it had begun before
    }
    CHECK(thinned == 1);
}

TEST_CASE("MeteringProcess: configured sampling and that of overload multiply") {
    auto selector = thinning(5);
    selector.options.sampling.rate = 4;
    LinkRun link(plain_options(), LinkRun::link(), quiet_logger(), selector);
    send(link, 1, 40, 0);
    CHECK(link.process().counters().sampled_out.get() == 30);
    fill(link, 100);
    send(link, 2, 40, 50);
    const auto& records = link.stop();
    check_totals(link.process(), records);
    CHECK(link.process().counters().sampled_out.get() == 30);
    CHECK(link.process().counters().packets_shed.get() == 38);
    CHECK(record_of(records, 1).packets() == 10);
    CHECK(record_of(records, 2).packets() == 2);
}

TEST_CASE("MeteringProcess: a ring that has drained is metered and dissected as before, and the log tells both") {
    CapturedLog log;
    LinkRun link(dissecting(), LinkRun::link(), log.logger());
    fill(link, 60);
    send(link, 1, 3, 0);
    link.source().set_fill(0);
    REQUIRE(link.wait_until([&] { return link.process().counters().shed_level.get() == 0; }));
    send(link, 2, 3, 10);
    const auto& records = link.stop();
    check_totals(link.process(), records);
    CHECK(record_of(records, 1).application == nullptr);
    CHECK(record_of(records, 2).application != nullptr);
    CHECK(link.process().counters().overloads.get() == 1);
    CHECK(log.count("load is shed meter=test0 ring_fill_percent=60 shed=new_dissections") == 1);
    CHECK(log.count(
              "nothing is shed any more meter=test0 flows_not_dissected=1 dissections_stopped=0 packets_shed=0") == 1);
}

TEST_CASE("MeteringProcess: nothing is shed where nothing may be, or of files") {
    SUBCASE("switched off") {
        auto options = dissecting();
        options.overload_from.reset();
        LinkRun link(options, LinkRun::link(), quiet_logger(), thinning(10));
        fill(link, 100);
        send(link, 1, 20, 0);
        const auto& records = link.stop();
        CHECK(record_of(records, 1).packets() == 20);
        CHECK(record_of(records, 1).application != nullptr);
        CHECK(link.process().counters().overloads.get() == 0);
    }
    SUBCASE("no dissection, and no sampling allowed") {
        LinkRun link;
        fill(link, 100);
        send(link, 1, 20, 0);
        CHECK(record_of(link.stop(), 1).packets() == 20);
        CHECK(link.process().counters().overloads.get() == 0);
    }
    SUBCASE("files") {
        FileRun file(dissecting());
        file.source().set_fill(100);
        for (int i = 0; i < 100; ++i) file.add(udp_frame(host(i), host(9000)), kStart + i * kMs);
        for (const auto* record : file.run()) CHECK(record->application != nullptr);
        CHECK(file.process().counters().overloads.get() == 0);
    }
}
