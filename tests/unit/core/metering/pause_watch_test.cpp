// SPDX-License-Identifier: Apache-2.0
// Which times count as a pause of the packet path, and for how long the longest is remembered.
#include "core/metering/pause_watch.hpp"

#include <doctest/doctest.h>

using namespace nfstreamd;
using namespace std::chrono_literals;

namespace {

constexpr PauseWatch::Steady::time_point kStart{1000s};

}  // namespace

TEST_CASE("PauseWatch: the longest piece of work is kept, waiting is none") {
    PauseWatch watch;
    CHECK(watch.longest_ns() == 0);
    watch.begin(kStart);
    watch.begin(kStart + 3us);  // the next one ends it
    watch.end(kStart + 10us);
    CHECK(watch.longest_ns() == 7'000);
    watch.begin(kStart + 10s);  // after a wait
    watch.end(kStart + 10s + 5us);
    CHECK(watch.longest_ns() == 7'000);
    watch.end(kStart + 20s);  // nothing had begun
    CHECK(watch.longest_ns() == 7'000);
}

TEST_CASE("PauseWatch: it is forgotten after one to two windows") {
    PauseWatch watch;
    watch.begin(kStart);
    watch.end(kStart + 9us);
    watch.end(kStart + PauseWatch::kWindow);
    CHECK(watch.longest_ns() == 9'000);
    watch.begin(kStart + PauseWatch::kWindow);
    watch.end(kStart + PauseWatch::kWindow + 4us);
    CHECK(watch.longest_ns() == 9'000);
    watch.end(kStart + 2 * PauseWatch::kWindow);
    CHECK(watch.longest_ns() == 4'000);
    watch.end(kStart + 10 * PauseWatch::kWindow);
    CHECK(watch.longest_ns() == 0);
}
