// SPDX-License-Identifier: Apache-2.0
#include "core/metering/clock_watch.hpp"

#include <doctest/doctest.h>

using namespace nfstreamd;
using namespace std::chrono_literals;

namespace {

constexpr TimestampNs kSecond = 1'000'000'000, kTime = 1'700'000'000 * kSecond;
const ClockWatch::Steady::time_point kNow{1000s};

}  // namespace

TEST_CASE("ClockWatch: the limit goes with the monotonic clock, so that silence is no step") {
    ClockWatch watch;
    CHECK(watch.latest(kNow) > kTime);
    watch.note(kTime, kNow);
    CHECK(watch.latest(kNow) == kTime + 10 * kSecond);
    CHECK(watch.latest(kNow + 1h) == kTime + 3610 * kSecond);
}

TEST_CASE("ClockWatch: packets that waited long and come all at once are no step") {
    ClockWatch watch;
    watch.note(kTime, kNow);
    for (int waited = 60; waited > 0; waited -= 15) {  // handed over after a minute's stop
        const TimestampNs time = kTime + (60 - waited) * kSecond;
        CHECK(time <= watch.latest(kNow + 60s));
        watch.note(time, kNow + 60s);
    }
    CHECK(watch.latest(kNow + 60s) == kTime + 70 * kSecond);
}

TEST_CASE("ClockWatch: after a reset the next packet says how the clocks stand") {
    ClockWatch watch;
    watch.note(kTime, kNow);
    watch.reset();
    watch.note(kTime - 3600 * kSecond, kNow);
    CHECK(watch.latest(kNow) == kTime - 3590 * kSecond);
    CHECK(ClockWatch::earliest(kTime) == kTime - 10 * kSecond);
}
