// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/call_guard.hpp"

#include <doctest/doctest.h>

#include "tests/support/captured_log.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace std::chrono_literals;

TEST_CASE("CallGuard: what is refused is counted and never disables, what fails too often does, once") {
    CapturedLog log;
    const auto counters = std::make_shared<ExtensionCounters>();
    CallGuard guard("theirs", "eth0", {}, counters, log.logger());
    guard.opened();
    CHECK(counters->instances == 1);
    for (std::uint32_t i = 0; i < 2 * CallGuard::kMostFailures; ++i) guard.note_refusal("of no type");
    CHECK_FALSE(guard.disabled());
    CHECK(counters->errors == 2 * CallGuard::kMostFailures);
    CHECK(log.count("value of a plugin left out") == 1);
    for (std::uint32_t i = 0; i < CallGuard::kMostFailures; ++i) guard.note_failure("it fails");
    CHECK_FALSE(guard.disabled());
    for (int i = 0; i < 10; ++i) guard.note_failure("it fails");
    CHECK(guard.disabled());
    CHECK(counters->disabled == 1);
    CHECK(counters->status().reason.ends_with("the last one: it fails"));
    guard.disable("another reason");
    CHECK(counters->disabled == 1);
    CHECK(log.count("plugin disabled") == 1);
    guard.closed();
    CHECK(counters->instances == 0);
    CHECK(counters->disabled == 0);
}

TEST_CASE("CallGuard: one call of many is measured, each after a slow one, and too many slow ones disable") {
    CapturedLog log;
    const auto counters = std::make_shared<ExtensionCounters>();
    CallGuard guard("theirs", "eth0", 100us, counters, log.logger());
    CHECK(guard.measures());
    guard.note_time(50us);
    for (std::uint32_t i = 1; i < CallGuard::kMeasuredEach; ++i) CHECK_FALSE(guard.measures());
    for (std::uint32_t i = 1; i < CallGuard::kMeasuredCalls; ++i) {
        CHECK_FALSE(guard.disabled());
        CHECK(guard.measures());
        guard.note_time(200us);
    }
    CHECK(guard.disabled());
    CHECK(counters->slow_calls == CallGuard::kMeasuredCalls - 1);
    CHECK(log.contains("31 of 32 measured calls took more than 100 us"));
}

TEST_CASE("CallGuard: an instance that is only looked at is not counted; flows and packets are told now and then") {
    CapturedLog log;
    const auto counters = std::make_shared<ExtensionCounters>();
    CallGuard looked_at("theirs", "", {}, counters, log.logger());
    looked_at.opened();
    CHECK(counters->instances == 0);
    looked_at.closed();
    CHECK(counters->instances == 0);
    CallGuard guard("theirs", "eth0", {}, counters, log.logger());
    guard.opened();
    guard.note_flow();
    guard.note_packet();
    guard.note_packet();
    CHECK(counters->packets == 0);
    guard.note_time(1us);
    CHECK(counters->flows == 1);
    CHECK(counters->packets == 2);
    guard.note_packet();
    guard.closed();
    CHECK(counters->packets == 3);
}
