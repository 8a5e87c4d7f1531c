// SPDX-License-Identifier: Apache-2.0
#include "core/metering/heavy_hitters.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace nfstreamd;

namespace {

struct Octets {
    std::uint64_t octets = 0;
    std::uint64_t weight() const noexcept { return octets; }
};

}  // namespace

TEST_CASE("HeavyHitters: as long as all keys fit, the counts are exact and in order") {
    HeavyHitters<int, Octets> hitters(50);
    for (int round = 0; round < 3; ++round)
        for (int key = 0; key < 100; ++key) hitters[key].octets += static_cast<std::uint64_t>(key);
    CHECK(hitters.error() == 0);
    const auto top = hitters.top(3);
    REQUIRE(top.size() == 3);
    CHECK(top[0].first == 99);
    CHECK(top[0].second.octets == 297);
    CHECK(top[2].first == 97);
    CHECK(hitters.top(1000).size() == 100);
}

TEST_CASE("HeavyHitters: of more keys than fit the heavy ones stay, and none is counted too low by more than said") {
    HeavyHitters<int, Octets> hitters(32);
    std::map<int, std::uint64_t> exact;
    std::minstd_rand random(7);
    for (int i = 0; i < 50'000; ++i) {
        const bool heavy = i % 4 == 0;
        const int key = heavy ? static_cast<int>(random() % 8) : 100 + static_cast<int>(random() % 5000);
        const std::uint64_t octets = heavy ? 1000 : 1 + random() % 20;
        exact[key] += octets;
        hitters[key].octets += octets;
        CHECK(hitters.size() <= 64);
    }
    CHECK(hitters.error() > 0);
    const auto top = hitters.top(8);
    REQUIRE(top.size() == 8);
    for (const auto& [key, value] : top) {
        CHECK(key < 8);
        CHECK(value.octets <= exact[key]);
        CHECK(value.octets + hitters.error() >= exact[key]);
    }
}

TEST_CASE("HeavyHitters: keys of equal weight may all leave, which is within the error") {
    HeavyHitters<int, Octets> hitters(4);
    for (int key = 0; key < 9; ++key) hitters[key].octets += 5;
    CHECK(hitters.size() == 1);
    CHECK(hitters.error() == 5);
}
