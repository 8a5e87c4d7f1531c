// SPDX-License-Identifier: Apache-2.0
// What is shed at which fill of the capture ring, and when it is taken up again.
#include "core/metering/overload.hpp"

#include <doctest/doctest.h>

#include <optional>

using namespace nfstreamd;
using namespace std::chrono_literals;

namespace {

using Steady = OverloadPolicy::Steady;
constexpr Steady::time_point kStart{1000s};

ShedLevel at_once(OverloadPolicy policy, unsigned fill) {
    return policy.update(fill, kStart);
}

}  // namespace

TEST_CASE("OverloadPolicy: the fuller the ring, the more is shed, in this order") {
    const OverloadPolicy policy(50, ShedLevel::kPackets);
    CHECK(at_once(policy, 0) == ShedLevel::kNothing);
    CHECK(at_once(policy, 49) == ShedLevel::kNothing);
    CHECK(at_once(policy, 50) == ShedLevel::kNewDissections);
    CHECK(at_once(policy, 74) == ShedLevel::kNewDissections);
    CHECK(at_once(policy, 75) == ShedLevel::kDissection);
    CHECK(at_once(policy, 86) == ShedLevel::kDissection);
    CHECK(at_once(policy, 87) == ShedLevel::kPackets);
    CHECK(at_once(policy, 100) == ShedLevel::kPackets);
}

TEST_CASE("OverloadPolicy: with any first mark a full ring sheds everything, an empty one nothing") {
    for (unsigned from = 1; from < 100; ++from) {
        const OverloadPolicy policy(from, ShedLevel::kPackets);
        CHECK(at_once(policy, 0) == ShedLevel::kNothing);
        CHECK(at_once(policy, from - 1) == ShedLevel::kNothing);
        CHECK(at_once(policy, 100) == ShedLevel::kPackets);
        ShedLevel before = ShedLevel::kNothing;
        for (unsigned fill = 0; fill <= 100; ++fill) {
            CHECK(at_once(policy, fill) >= before);
            before = at_once(policy, fill);
        }
    }
}

TEST_CASE("OverloadPolicy: what is not allowed is never shed") {
    CHECK(at_once({50, ShedLevel::kDissection}, 100) == ShedLevel::kDissection);
    CHECK(at_once({50, ShedLevel::kNothing}, 100) == ShedLevel::kNothing);
    CHECK(at_once({std::nullopt, ShedLevel::kPackets}, 100) == ShedLevel::kNothing);
    CHECK(at_once({}, 100) == ShedLevel::kNothing);
}

TEST_CASE("OverloadPolicy: it is taken back level by level, after the ring was at ease for a while") {
    OverloadPolicy policy(50, ShedLevel::kPackets);
    auto now = kStart;
    CHECK(policy.update(90, now) == ShedLevel::kPackets);
    CHECK(policy.update(0, now) == ShedLevel::kPackets);
    CHECK(policy.update(0, now += OverloadPolicy::kCalmOfPackets - 1ms) == ShedLevel::kPackets);
    CHECK(policy.update(0, now += 1ms) == ShedLevel::kDissection);
    CHECK(policy.update(0, now += OverloadPolicy::kCalm - 1ms) == ShedLevel::kDissection);
    CHECK(policy.update(0, now += 1ms) == ShedLevel::kNewDissections);
    CHECK(policy.update(0, now += OverloadPolicy::kCalm) == ShedLevel::kNothing);
    CHECK(policy.update(0, now += 1h) == ShedLevel::kNothing);
}

TEST_CASE("OverloadPolicy: a ring that is half as full as at the first mark is not at ease yet") {
    OverloadPolicy policy(50, ShedLevel::kDissection);
    auto now = kStart;
    policy.update(60, now);
    for (int i = 0; i < 100; ++i) CHECK(policy.update(25, now += 1s) == ShedLevel::kNewDissections);
    CHECK(policy.update(24, now += 500ms) == ShedLevel::kNewDissections);
    CHECK(policy.update(25, now += 400ms) == ShedLevel::kNewDissections);  // the while begins anew
    CHECK(policy.update(24, now += 999ms) == ShedLevel::kNewDissections);
    CHECK(policy.update(24, now += 1ms) == ShedLevel::kNothing);
}

TEST_CASE("OverloadPolicy: on the way down a ring that fills again is answered at once") {
    OverloadPolicy policy(50, ShedLevel::kPackets);
    auto now = kStart;
    policy.update(100, now);
    CHECK(policy.update(0, now += 5s) == ShedLevel::kDissection);
    CHECK(policy.update(60, now += 1ms) == ShedLevel::kDissection);  // asks for less than is shed
    CHECK(policy.update(87, now += 1ms) == ShedLevel::kPackets);
    CHECK(policy.update(0, now += 4999ms) == ShedLevel::kPackets);
    CHECK(policy.update(0, now += 1ms) == ShedLevel::kDissection);
}

TEST_CASE("OverloadPolicy: every level has a name of its own") {
    CHECK(name(ShedLevel::kNothing) == "nothing");
    CHECK(name(ShedLevel::kNewDissections) == "new_dissections");
    CHECK(name(ShedLevel::kDissection) == "dissection");
    CHECK(name(ShedLevel::kPackets) == "packets");
}
