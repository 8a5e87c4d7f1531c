// SPDX-License-Identifier: Apache-2.0
#include "core/selection/packet_sampler.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace nfstreamd {
namespace {

PacketSampler sampler(SamplingMethod method, std::uint32_t rate, std::uint64_t seed = 7) {
    return PacketSampler({method, rate, seed});
}

TEST_CASE("PacketSampler: systematic takes the first packet of each rate") {
    const auto one_in_four = sampler(SamplingMethod::kSystematic, 4);
    CHECK(one_in_four.on());
    for (std::uint64_t i = 0; i < 1000; ++i) CHECK(one_in_four.selects(i) == (i % 4 == 0));
}

TEST_CASE("PacketSampler: a rate of 1 takes every packet and is off") {
    for (const auto method : {SamplingMethod::kSystematic, SamplingMethod::kRandom}) {
        const auto every = sampler(method, 1);
        CHECK_FALSE(every.on());
        for (std::uint64_t i = 0; i < 100; ++i) CHECK(every.selects(i));
    }
    CHECK_FALSE(PacketSampler().on());
}

TEST_CASE("PacketSampler: random takes exactly one packet of each window") {
    for (const std::uint32_t rate : {2u, 3u, 10u, 1000u}) {
        const auto random = sampler(SamplingMethod::kRandom, rate);
        for (std::uint64_t window = 0; window < 200; ++window) {
            int selected = 0;
            for (std::uint64_t i = 0; i < rate; ++i) selected += random.selects(window * rate + i);
            REQUIRE(selected == 1);
        }
    }
}

TEST_CASE("PacketSampler: random places are spread evenly over the window") {
    constexpr std::uint32_t kRate = 10;
    constexpr int kWindows = 100'000;
    const auto random = sampler(SamplingMethod::kRandom, kRate);
    std::vector<int> chosen(kRate);
    int same_as_before = 0;
    std::uint32_t before = kRate;
    for (std::uint64_t window = 0; window < kWindows; ++window)
        for (std::uint32_t place = 0; place < kRate; ++place)
            if (random.selects(window * kRate + place)) {
                ++chosen[place];
                same_as_before += place == before;
                before = place;
            }
    for (const int count : chosen) {  // ten standard deviations of 95
        CHECK(count > kWindows / 10 - 950);
        CHECK(count < kWindows / 10 + 950);
    }
    CHECK(same_as_before > kWindows / 10 - 950);  // and each window on its own
    CHECK(same_as_before < kWindows / 10 + 950);
}

TEST_CASE("PacketSampler: the decision hangs on number and seed alone, so that meters agree") {
    const auto a = sampler(SamplingMethod::kRandom, 10, 1), b = sampler(SamplingMethod::kRandom, 10, 1),
               other = sampler(SamplingMethod::kRandom, 10, 2);
    int differ = 0;
    for (std::uint64_t i = 10'000; i-- > 0;) {  // in another order, too
        REQUIRE(a.selects(i) == b.selects(i));
        differ += a.selects(i) != other.selects(i);
    }
    CHECK(differ > 1000);
    CHECK(a.selects(123'456) == b.selects(123'456));
}

TEST_CASE("PacketSampler: the greatest rate and number do no harm") {
    const auto rare = sampler(SamplingMethod::kRandom, UINT32_MAX);
    CHECK(sampler(SamplingMethod::kSystematic, UINT32_MAX).selects(0));
    CHECK_FALSE(sampler(SamplingMethod::kSystematic, UINT32_MAX).selects(1));
    static_cast<void>(rare.selects(UINT64_MAX));
}

}  // namespace
}  // namespace nfstreamd
