// SPDX-License-Identifier: Apache-2.0
// Ends of all flows at once on a link: its interface is lost, its clock steps.
#include <doctest/doctest.h>

#include <map>

#include "tests/support/captured_log.hpp"
#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace std::chrono_literals;

namespace {

constexpr const char *kA = "10.0.0.1", *kB = "10.0.0.2";
constexpr TimestampNs kHour = 3600 * kSecond;

std::map<EndReason, std::size_t> reasons(const std::vector<const FlowRecord*>& records) {
    std::map<EndReason, std::size_t> out;
    for (const auto* r : records) ++out[r->end_reason];
    return out;
}

Bytes udp6_frame(int client) {
    return PacketBuilder(10).udp(1000, 2000).ipv6("2001:db8::" + std::to_string(client + 1), "2001:db8::f").ethernet();
}

}  // namespace

TEST_CASE("Cache flush: flows leave when their interface is lost, and metering goes on when it is back") {
    MeteringOptions options = plain_options();
    options.max_flows = 10'000;
    LinkRun link(options);
    for (int i = 0; i < 5000; ++i) link.source().add(udp_frame(host(i), kB), kStart);
    for (int i = 0; i < 10; ++i) link.source().add(udp6_frame(i), kStart);
    REQUIRE(link.source().wait_until_silent(2));
    REQUIRE(link.process().counters().flows_active.get() == 5010);
    link.source().set_up(false);
    CHECK(link.wait_until([&] { return link.process().counters().flows_active.get() == 0; }));
    link.source().set_up(true);
    link.source().add(udp_frame(kA, kB), kStart + kSecond);
    CHECK(link.wait_until([&] { return link.process().counters().flows_active.get() == 1; }));
    const auto& records = link.stop();
    auto found = reasons(records);
    CHECK(found[EndReason::kInterfaceGone] == 5010);
    CHECK(found[EndReason::kForced] == 1);
    check_totals(link.process(), records);
}

TEST_CASE("Cache flush: an interface that was never there flushes nothing") {
    auto source = LinkRun::link();
    source->set_up(false);
    LinkRun link(plain_options(), std::move(source));
    REQUIRE(link.source().wait_until_silent(3));
    link.source().set_up(true);
    link.source().add(udp_frame(kA, kB), kStart);
    REQUIRE(link.source().wait_until_silent(2));
    CHECK(link.process().counters().flows_active.get() == 1);
    CHECK(reasons(link.stop()) == std::map<EndReason, std::size_t>{{EndReason::kForced, 1}});
}

TEST_CASE("Cache flush: after a step of the clock, back or forward, flows leave and time begins anew") {
    for (const TimestampNs step : {-kHour, kHour, -11 * kSecond, 12 * kSecond}) {
        CAPTURE(step);
        CapturedLog log;
        MeteringOptions options = plain_options();
        options.idle_timeout = 1s;
        LinkRun link(options, LinkRun::link(), log.logger());
        for (int i = 0; i < 20; ++i) link.source().add(udp_frame(host(i), kB), kStart);
        for (int i = 0; i < 5; ++i) link.source().add(udp6_frame(i), kStart);
        link.source().add(udp_frame(host(3), kB), kStart + step);  // of a flow that is there
        link.source().add(udp_frame(host(3), kB), kStart + step + 100 * kMs);
        REQUIRE(link.source().wait_until_silent());
        CHECK(link.process().counters().clock_steps.get() == 1);
        CHECK(link.process().counters().now_ns.get() == static_cast<std::uint64_t>(kStart + step + 100 * kMs));
        // the wheel is at the new time: the flow leaves on its timer
        CHECK(link.wait_until([&] { return link.process().counters().flows_active.get() == 0; }));
        const auto& records = link.stop();
        CHECK(reasons(records) == std::map<EndReason, std::size_t>{{EndReason::kClockStep, 25}, {EndReason::kIdle, 1}});
        for (const auto* r : records) {
            CHECK(r->packets() == (r->end_reason == EndReason::kIdle ? 2 : 1));
            CHECK(r->first() == (r->end_reason == EndReason::kIdle ? kStart + step : kStart));
        }
        CHECK(log.count("clock of the capture stepped") == 1);
        CHECK(log.contains("by_ms=" + std::to_string(step / kMs)));
        CHECK(log.contains("flows=25"));
        check_totals(link.process(), records);
    }
}

TEST_CASE("Cache flush: steps one after the other are each counted, and logged at a bounded rate") {
    CapturedLog log;
    LinkRun link(plain_options(), LinkRun::link(), log.logger());
    for (int i = 0; i < 10; ++i) link.source().add(udp_frame(kA, kB), kStart + (i % 2) * kHour);
    REQUIRE(link.source().wait_until_silent());
    CHECK(link.process().counters().clock_steps.get() == 9);
    CHECK(log.count("clock of the capture stepped") == 1);
    const auto& records = link.stop();
    CHECK(records.size() == 10);
    check_totals(link.process(), records);
}

TEST_CASE("Cache flush: small disorder of time is no step, time waits for it") {
    LinkRun link;
    link.source().add(udp_frame(kA, kB), kStart + 9 * kSecond);
    link.source().add(udp_frame(kA, kB), kStart);
    link.source().add(udp_frame(kA, kB), kStart + 15 * kSecond);
    REQUIRE(link.source().wait_until_silent());
    CHECK(link.process().counters().clock_steps.get() == 0);
    const auto& records = link.stop();
    REQUIRE(records.size() == 1);
    CHECK(records[0]->packets() == 3);
    CHECK(records[0]->first() == kStart + 9 * kSecond);
}

TEST_CASE("Cache flush: in a file a leap of time is no step of a clock") {
    FileRun file;
    file.add(udp_frame(kA, kB), kStart).add(udp_frame(kA, kB), kStart - kHour);
    file.add(udp_frame(kA, kB), kStart + 100 * kHour);
    const auto& records = file.run();
    REQUIRE(records.size() == 2);
    CHECK(records[0]->packets() == 2);
    CHECK(records[0]->end_reason == EndReason::kIdle);
    CHECK(file.process().counters().clock_steps.get() == 0);
}
