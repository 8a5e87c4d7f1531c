// SPDX-License-Identifier: Apache-2.0
#include "core/base/wake_event.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <thread>

using namespace nfstreamd;
using namespace std::chrono_literals;

TEST_CASE("WakeEvent: a signal without a waiter ends the next wait, once") {
    WakeEvent event;
    CHECK_FALSE(event.wait(0));
    event.signal();
    event.signal();
    CHECK(event.wait(60'000));
    CHECK_FALSE(event.wait(0));
}

TEST_CASE("WakeEvent: another thread's signal ends a wait") {
    WakeEvent event;
    std::jthread other([&] { event.signal(); });
    CHECK(event.wait(60'000));
}

TEST_CASE("WakeEvent: a wait for a descriptor tells input from a signal") {
    WakeEvent event;
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    CHECK_FALSE(event.wait(ends[0], 0ms));
    event.signal();
    CHECK_FALSE(event.wait(ends[0], 60s));
    REQUIRE(::write(ends[1], "x", 1) == 1);
    CHECK(event.wait(ends[0], 60s));
    event.signal();
    CHECK(event.wait(ends[0], 60s));  // both: input counts, the signal is cleared
    char octet;
    REQUIRE(::read(ends[0], &octet, 1) == 1);
    CHECK_FALSE(event.wait(ends[0], 0ms));
    ::close(ends[1]);
    CHECK(event.wait(ends[0], 60s));  // closed by its writer
    ::close(ends[0]);
    event.signal();
    CHECK_FALSE(event.wait(-1, 60s));
    CHECK_FALSE(event.wait(-1, -5ms));
}
