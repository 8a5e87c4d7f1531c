// SPDX-License-Identifier: Apache-2.0
#include "core/features/running_means.hpp"

#include <doctest/doctest.h>

using namespace nfstreamd;

TEST_CASE("RunningMeans: nfstream's rounding, not the nearest number") {
    // sizes of a flow there, whose mean is 80.5; Welford's steps come to less
    constexpr std::uint16_t kSizes[] = {44, 40, 166, 40, 194, 40, 40, 354, 40, 40, 40, 40, 40, 40, 90, 40};
    RunningMeans means{{{7, 7}, {7, 7}, {7, 7}}, {{7, 7}, {7, 7}, {7, 7}}};  // of a flow before
    double mean = 0, squares = 0;
    std::uint32_t number = 0;
    for (const std::uint16_t size : kSizes) {
        update(means, {0, size, 0, number, number, 10, 10});
        ++number;
        const double before = mean;
        mean = number == 1 ? size : mean + (size - mean) / number;
        if (number > 1) squares += (size - before) * (size - mean);
    }
    StatisticsRecord record;
    restate(means, number, 0, record);
    CHECK(record.forward.mean_ps == mean);
    CHECK(record.bidirectional.mean_ps == mean);
    CHECK(record.forward.stddev_ps * record.forward.stddev_ps == doctest::Approx(squares / 15));
    CHECK(record.forward.mean_piat_ms == 10);
    CHECK(record.forward.stddev_piat_ms == 0);
    CHECK(record.reverse.mean_ps == 0);
}

TEST_CASE("RunningMeans: directions have their own sizes and gaps") {
    RunningMeans means{};
    update(means, {0, 100, 0, 0, 0, 0, 0});
    update(means, {1, 300, 0, 1, 0, 5, 0});
    update(means, {0, 200, 0, 2, 1, 5, 10});
    StatisticsRecord record;
    restate(means, 2, 1, record);
    CHECK(record.bidirectional.mean_ps == 200);
    CHECK(record.bidirectional.stddev_ps == 100);
    CHECK(record.bidirectional.mean_piat_ms == 5);
    CHECK(record.forward.mean_ps == 150);
    CHECK(record.forward.mean_piat_ms == 10);
    CHECK(record.forward.stddev_piat_ms == 0);
    CHECK(record.reverse.mean_ps == 300);
    CHECK(record.reverse.stddev_ps == 0);
    CHECK(record.reverse.mean_piat_ms == 0);
}
