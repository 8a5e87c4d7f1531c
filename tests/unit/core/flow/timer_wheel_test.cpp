// SPDX-License-Identifier: Apache-2.0
#include "core/flow/timer_wheel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

using namespace nfstreamd;

namespace {

constexpr TimestampNs kSlot = TimestampNs{1} << TimerWheel::kShift, kSecond = 1'000'000'000,
                      kTurn = kSlot * TimerWheel::kSlots;

struct Wheel : TimerWheel {
    Wheel() { REQUIRE(allocate(100'000)); }
};

std::vector<std::uint32_t> take_all(TimerWheel& wheel, TimestampNs now) {
    std::vector<std::uint32_t> out;
    std::uint32_t batch[7];
    while (const int n = wheel.take_due(now, batch, 7)) out.insert(out.end(), batch, batch + n);
    return out;
}

}  // namespace

TEST_CASE("TimerWheel: an index comes up when its slot has passed, and once") {
    Wheel wheel;
    const TimestampNs start = 1000 * kSecond;
    wheel.start(start);
    wheel.arm(7, start + 10 * kSecond);
    CHECK(wheel.held() == 1);
    CHECK(take_all(wheel, start + 9 * kSecond).empty());
    CHECK(take_all(wheel, start + 10 * kSecond + kSlot) == std::vector<std::uint32_t>{7});
    CHECK(take_all(wheel, start + 100 * kSecond).empty());
    CHECK(wheel.held() == 0);
}

TEST_CASE("TimerWheel: against a model, nothing is lost, nothing early, nothing later than its slot") {
    for (unsigned seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        Wheel wheel;
        TimestampNs now = static_cast<TimestampNs>(random() % 1'000'000) * kSecond;
        wheel.start(now);
        std::map<std::uint32_t, TimestampNs> armed;  // index -> due
        std::uint32_t next = 0;
        std::uint32_t batch[32];
        for (int step = 0; step < 4000; ++step) {
            const auto dice = random() % 100;
            if (dice < 60) {
                for (std::uint64_t n = random() % 20; n > 0; --n) {
                    const auto due = now + static_cast<TimestampNs>(random() % static_cast<std::uint64_t>(kTurn / 2));
                    wheel.arm(next, due);
                    armed[next++] = due;
                }
            } else if (dice < 75) {
                for (std::uint64_t n = random() % 10; n > 0 && !armed.empty(); --n) {
                    auto one = armed.lower_bound(static_cast<std::uint32_t>(random() % next));
                    if (one == armed.end()) one = armed.begin();
                    wheel.disarm(one->first);
                    armed.erase(one);
                }
            } else if (dice < 98) {
                now += static_cast<TimestampNs>(random() % static_cast<std::uint64_t>(2 * kSecond));
            } else {
                now += static_cast<TimestampNs>(random() % static_cast<std::uint64_t>(3 * kTurn));
                for (const std::uint32_t index : take_all(wheel, now)) REQUIRE(armed.erase(index) == 1);
            }
            if (dice % 10 == 0) {  // takes of a budget, not always to the end
                const int n = wheel.take_due(now, batch, static_cast<int>(random() % 32));
                for (int i = 0; i < n; ++i) {
                    REQUIRE(armed.contains(batch[i]));
                    REQUIRE((armed[batch[i]] < now || now / kSlot > armed[batch[i]] / kSlot));
                    armed.erase(batch[i]);
                }
            } else if (dice % 10 == 1) {
                for (const std::uint32_t index : take_all(wheel, now)) REQUIRE(armed.erase(index) == 1);
                for (const auto& [index, due] : armed) REQUIRE(due / kSlot >= now / kSlot);  // the rest is not due
            }
            REQUIRE(wheel.held() == armed.size());
        }
        for (const std::uint32_t index : take_all(wheel, now + 2 * kTurn)) REQUIRE(armed.erase(index) == 1);
        CHECK(armed.empty());
        CHECK(wheel.held() == 0);
    }
}

TEST_CASE("TimerWheel: what is due beyond a turn comes up on the way, to be armed anew") {
    Wheel wheel;
    wheel.start(0);
    const TimestampNs due = 5 * kTurn;
    wheel.arm(1, due);
    int visits = 0;
    for (TimestampNs now = 0; now < due + 2 * kSlot; now += kSlot)
        for (const std::uint32_t index : take_all(wheel, now)) {
            ++visits;
            if (now < due) wheel.arm(index, due);
        }
    CHECK(visits >= 5);
    CHECK(visits <= 8);
    CHECK(wheel.held() == 0);
}

TEST_CASE("TimerWheel: take_nearest gives the earliest first, and all of them in the end") {
    Wheel wheel;
    wheel.start(0);
    for (std::uint32_t i = 0; i < 1000; ++i) wheel.arm(i, i * kSecond / 10);
    std::uint32_t batch[16];
    TimestampNs until = 0, last = 0;
    std::set<std::uint32_t> taken;
    while (const int n = wheel.take_nearest(batch, 16, until)) {
        CHECK(until >= last);
        last = until;
        for (int i = 0; i < n; ++i) {
            CHECK(batch[i] * kSecond / 10 < until);
            CHECK(batch[i] * kSecond / 10 >= until - kSlot);
            taken.insert(batch[i]);
        }
    }
    CHECK(taken.size() == 1000);
}

TEST_CASE(
    "TimerWheel: with slots fitted to long timeouts the order of time reaches as far, and nothing is early or later "
    "than allowed") {
    for (const TimestampNs longest : {kTurn / 4, 2 * kTurn, 100 * kTurn}) {
        CAPTURE(longest);
        Wheel wheel;
        const TimestampNs start = 1'700'000'000 * kSecond, late = longest / 64;
        wheel.fit(longest, late);
        wheel.start(start);
        std::mt19937_64 random(7);
        std::vector<TimestampNs> due(3000);
        for (std::uint32_t i = 0; i < due.size(); ++i)
            wheel.arm(i, due[i] = start + static_cast<TimestampNs>(random() % static_cast<std::uint64_t>(longest)));
        TimestampNs until = 0, before = 0;
        std::uint32_t index = 0;
        for (int i = 0; i < 1000; ++i) {
            REQUIRE(wheel.take_nearest(&index, 1, until) == 1);
            CHECK(due[index] < until);
            CHECK(due[index] >= before - std::max(late, kSlot));
            before = std::max(before, due[index]);
        }
        CHECK(before < start + longest / 2);
        std::uint32_t batch[16];
        for (TimestampNs now = start; wheel.held() != 0; now += longest / 100)
            while (const int n = wheel.take_due(now, batch, 16))
                for (int i = 0; i < n; ++i) {
                    CHECK(due[batch[i]] <= now);
                    CHECK(due[batch[i]] > now - longest / 100 - std::max(late, kSlot));
                }
    }
}

TEST_CASE("TimerWheel: fitted anew it brings up all that it holds, and goes on in time") {
    Wheel wheel;
    const TimestampNs start = 1'700'000'000 * kSecond + 12345;
    wheel.start(start);
    for (std::uint32_t i = 0; i < 10; ++i) wheel.arm(i, start + i * 100 * kSecond, static_cast<int>(i % 2));
    wheel.fit(kTurn / 4, kSecond);  // as it is
    CHECK(take_all(wheel, start + kSecond).size() == 1);
    wheel.fit(50 * kTurn, kTurn);
    CHECK(take_all(wheel, start + kSecond).size() == 9);
    CHECK(wheel.held() == 0);
    wheel.arm(1, start + 40 * kTurn);
    CHECK(take_all(wheel, start + 39 * kTurn).empty());
    wheel.fit(kTurn / 4, kSecond);
    CHECK(take_all(wheel, start + 39 * kTurn) == std::vector<std::uint32_t>{1});
    wheel.arm(1, start + 39 * kTurn + kSecond);
    CHECK(take_all(wheel, start + 39 * kTurn).empty());
    CHECK(take_all(wheel, start + 39 * kTurn + kSecond + kSlot) == std::vector<std::uint32_t>{1});
}

TEST_CASE("TimerWheel: what is armed before the first that is held is the first then") {
    Wheel wheel;
    const TimestampNs start = 1000 * kSecond;
    wheel.start(start);
    TimestampNs until = 0;
    std::uint32_t index = 0;
    for (std::uint32_t i = 0; i < 50; ++i) wheel.arm(i, start + 100 * kSecond, static_cast<int>(i % 2));
    REQUIRE(wheel.take_nearest_of(0, &index, 1, until) == 1);
    wheel.arm(100, start + 50 * kSecond, 1);
    wheel.arm(101, start + 60 * kSecond, 0);
    REQUIRE(wheel.take_nearest(&index, 1, until) == 1);
    CHECK(index == 100);
    REQUIRE(wheel.take_nearest_of(1, &index, 1, until) == 1);
    CHECK(index % 2 == 1);
    REQUIRE(wheel.take_nearest_of(0, &index, 1, until) == 1);
    CHECK(index == 101);
    CHECK(wheel.held() == 48);
}

TEST_CASE("TimerWheel: revisit_all brings up everything, whenever it was due") {
    Wheel wheel;
    wheel.revisit_all();  // not started: nothing to bring
    wheel.start(kSecond);
    for (std::uint32_t i = 0; i < 1000; ++i) wheel.arm(i, (i + 5) * kSecond);
    wheel.revisit_all();
    CHECK(wheel.held() == 1000);
    auto all = take_all(wheel, kSecond);
    std::sort(all.begin(), all.end());
    CHECK(all.size() == 1000);
    CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
    wheel.arm(5, 10 * kSecond);
    CHECK(take_all(wheel, 5 * kSecond).empty());
    CHECK(take_all(wheel, 11 * kSecond).size() == 1);
}

TEST_CASE("TimerWheel: a wheel that was empty for long takes up again") {
    Wheel wheel;
    wheel.start(0);
    const TimestampNs later = 100 * kTurn;
    wheel.arm(3, later + 10 * kSecond);  // behind its own time: comes up early, never late
    auto early = take_all(wheel, later);
    if (!early.empty()) wheel.arm(3, later + 10 * kSecond);
    CHECK(take_all(wheel, later + 9 * kSecond).empty());
    CHECK(take_all(wheel, later + 11 * kSecond).size() == 1);
}

TEST_CASE("TimerWheel: what was taken out does not come up, and the rest of its slot does") {
    Wheel wheel;
    wheel.start(0);
    for (std::uint32_t i = 0; i < 1000; ++i) wheel.arm(i, kSecond);  // several chunks
    for (std::uint32_t i = 0; i < 1000; ++i)
        if (i % 3 != 0) wheel.disarm(i);
    CHECK(wheel.held() == 334);
    std::uint32_t batch[400];
    TimestampNs until = 0;
    CHECK(wheel.take_nearest(batch, 1, until) == 1);
    wheel.arm(batch[0], 2 * kSecond);
    wheel.disarm(batch[0]);
    wheel.arm(batch[0], kSecond);
    std::set<std::uint32_t> taken;
    for (const std::uint32_t index : take_all(wheel, 3 * kSecond)) taken.insert(index);
    CHECK(taken.size() == 334);
    for (const std::uint32_t index : taken) CHECK(index % 3 == 0);
    CHECK(wheel.held() == 0);
}

TEST_CASE("TimerWheel: slots whose indices were all taken out hold nothing up") {
    Wheel wheel;
    wheel.start(0);
    for (std::uint32_t i = 0; i < 100; ++i) wheel.arm(i, i * kSecond);
    for (std::uint32_t i = 0; i < 99; ++i) wheel.disarm(i);
    std::uint32_t batch[8];
    TimestampNs until = 0;
    CHECK(wheel.take_nearest(batch, 8, until) == 1);
    CHECK(batch[0] == 99);
    CHECK(wheel.take_nearest(batch, 8, until) == 0);
}

TEST_CASE("TimerWheel: an empty wheel is started anew at an earlier time") {
    Wheel wheel;
    wheel.start(1000 * kSecond);
    wheel.arm(1, 1010 * kSecond);
    wheel.arm(2, 1020 * kSecond);
    wheel.disarm(2);
    CHECK(take_all(wheel, 1100 * kSecond).size() == 1);
    wheel.restart(500 * kSecond);
    wheel.arm(3, 510 * kSecond);
    CHECK(take_all(wheel, 509 * kSecond).empty());
    CHECK(take_all(wheel, 511 * kSecond) == std::vector<std::uint32_t>{3});
}

TEST_CASE("TimerWheel: ranks are taken alone or together, in the order of time, and left by disarm and jumps") {
    Wheel wheel;
    const TimestampNs start = 1000 * kSecond;
    wheel.start(start);
    for (std::uint32_t i = 0; i < 2000; ++i) wheel.arm(i, start + static_cast<TimestampNs>(2000 - i) * kSecond, i % 2);
    CHECK(wheel.held_of(0) == 1000);
    CHECK(wheel.held_of(1) == 1000);
    wheel.disarm(1999);  // the nearest of its rank
    CHECK(wheel.held_of(1) == 999);
    std::uint32_t batch[3];
    TimestampNs until;
    REQUIRE(wheel.take_nearest_of(1, batch, 3, until) == 1);
    CHECK(batch[0] == 1997);
    CHECK(until > start + 3 * kSecond);
    CHECK(until <= start + 3 * kSecond + kSlot);
    REQUIRE(wheel.take_nearest_of(0, batch, 3, until) == 1);
    CHECK(batch[0] == 1998);
    REQUIRE(wheel.take_nearest(batch, 3, until) == 1);
    CHECK(batch[0] == 1996);
    CHECK(take_all(wheel, start + 10 * kSecond + kSlot) ==
          std::vector<std::uint32_t>{1995, 1994, 1993, 1992, 1991, 1990});
    wheel.revisit_all();
    for (int rank = 0; rank < TimerWheel::kRanks; ++rank) {
        CAPTURE(rank);
        const auto held = wheel.held_of(rank);
        std::set<std::uint32_t> taken;
        while (const int n = wheel.take_nearest_of(rank, batch, 3, until)) taken.insert(batch, batch + n);
        CHECK(taken.size() == held);
        CHECK(std::all_of(taken.begin(), taken.end(), [&](auto i) { return i % 2 == static_cast<unsigned>(rank); }));
        CHECK(wheel.held_of(rank) == 0);
    }
    CHECK(wheel.held() == 0);
}
