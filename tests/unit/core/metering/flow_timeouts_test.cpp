// SPDX-License-Identifier: Apache-2.0
#include "core/metering/flow_timeouts.hpp"

#include <doctest/doctest.h>

using namespace nfstreamd;
using namespace std::chrono_literals;

namespace {

constexpr std::uint8_t kTcp = 6, kUdp = 17, kIcmp = 1, kIcmp6 = 58, kSctp = 132;

}  // namespace

TEST_CASE("FlowTimeouts: a protocol without a timeout of its own has idle_timeout") {
    TimeoutOptions options;
    options.idle_timeout = 100s;
    options.idle_udp = 30s;
    options.idle_icmp = 5s;
    FlowTimeouts timeouts;
    timeouts.configure(options);
    CHECK(timeouts.idle_ms(kTcp) == 100'000);
    CHECK(timeouts.idle_ms(kUdp) == 30'000);
    CHECK(timeouts.idle_ms(kIcmp) == 5'000);
    CHECK(timeouts.idle_ms(kIcmp6) == 5'000);
    CHECK(timeouts.idle_ms(kSctp) == 100'000);
    CHECK(timeouts.default_idle_ms() == 100'000);
    CHECK_FALSE(timeouts.tcp_ends());
    CHECK_FALSE(timeouts.adaptive());
}

TEST_CASE("FlowTimeouts: shorter ones, and only these, ask for a look at waiting flows") {
    const auto asks = [](auto change) {
        TimeoutOptions options;
        options.tcp_end = 3s;
        FlowTimeouts timeouts;
        timeouts.configure(options);
        change(options);
        return timeouts.configure(options);
    };
    CHECK_FALSE(asks([](TimeoutOptions&) {}));
    CHECK(asks([](TimeoutOptions& o) { o.idle_timeout = 119s; }));
    CHECK(asks([](TimeoutOptions& o) { o.active_timeout = 1799s; }));
    CHECK(asks([](TimeoutOptions& o) { o.idle_udp = 1s; }));
    CHECK(asks([](TimeoutOptions& o) { o.tcp_end = 2s; }));
    CHECK_FALSE(asks([](TimeoutOptions& o) { o.idle_timeout = 121s; }));
    CHECK_FALSE(asks([](TimeoutOptions& o) { o.idle_other = 121s; }));
    CHECK_FALSE(asks([](TimeoutOptions& o) { o.tcp_end.reset(); }));
}

TEST_CASE("FlowTimeouts: under pressure they shrink in a line, none below what is asked for, none grows") {
    TimeoutOptions options;
    options.idle_timeout = 105s;
    options.idle_udp = 2s;
    options.pressure_from = 50;
    options.pressure_idle_timeout = 5s;
    FlowTimeouts timeouts;
    timeouts.configure(options);
    timeouts.adapt(500, 1000);
    CHECK_FALSE(timeouts.under_pressure());
    CHECK(timeouts.idle_ms(kTcp) == 105'000);
    timeouts.adapt(600, 1000);
    CHECK(timeouts.under_pressure());
    CHECK(timeouts.idle_ms(kTcp) == 85'000);
    CHECK(timeouts.default_idle_ms() == 85'000);
    CHECK(timeouts.configured_idle_ms(kTcp) == 105'000);
    timeouts.adapt(1000, 1000);
    CHECK(timeouts.idle_ms(kTcp) == 5'000);
    CHECK(timeouts.idle_ms(kUdp) == 2'000);
    timeouts.adapt(10, 1000);
    CHECK_FALSE(timeouts.under_pressure());
    CHECK(timeouts.idle_ms(kTcp) == 105'000);
}

TEST_CASE("FlowTimeouts: a table that fills flow by flow asks for a look now and then, not each time") {
    TimeoutOptions options;
    options.pressure_from = 80;
    FlowTimeouts timeouts;
    timeouts.configure(options);
    int looks = 0;
    TimestampNs looked_at = timeouts.idle_ms(kTcp);
    for (std::uint32_t flows = 0; flows <= 100'000; ++flows) {
        if (timeouts.adapt(flows, 100'000)) {
            ++looks;
            looked_at = timeouts.idle_ms(kTcp);
        }
        REQUIRE(timeouts.idle_ms(kTcp) * 4 >= looked_at * 3 - 4);  // nobody waits for much longer than is in force
    }
    CHECK(timeouts.idle_ms(kTcp) == 5'000);
    CHECK(looks >= 8);
    CHECK(looks <= 12);
}

TEST_CASE("FlowTimeouts: within is never true when a timeout may have passed") {
    for (const auto timeout : {0ms, 1ms, 2ms, 1000ms}) {
        TimeoutOptions options;
        options.idle_icmp = timeout;
        FlowTimeouts timeouts;
        timeouts.configure(options);
        const TimestampNs ns = timeout.count() * kNsPerMs;
        CHECK_FALSE(timeouts.within(ns, 0));
        CHECK_FALSE(timeouts.within(ns - 999'999, 0));  // truncated times may be a whole millisecond further apart
        options = {};
        options.active_timeout = timeout;
        timeouts.configure(options);
        CHECK_FALSE(timeouts.within(0, ns - 999'999));
        CHECK(timeouts.within(0, ns - 2 * kNsPerMs));
    }
}
