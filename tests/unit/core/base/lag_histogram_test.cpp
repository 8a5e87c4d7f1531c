// SPDX-License-Identifier: Apache-2.0
#include "core/base/lag_histogram.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace nfstreamd;

TEST_CASE("LagHistogram: a bound belongs to its bucket, what is beyond all bounds to the last") {
    LagHistogram histogram;
    CHECK(histogram.snapshot().count() == 0);
    for (const std::int64_t ms : {0, 10, 11, 1000, 30'000, 30'001}) histogram.observe(ms * 1'000'000);
    const auto seen = histogram.snapshot();
    CHECK(seen.count() == 6);
    CHECK(seen.counts[0] == 2);
    CHECK(seen.counts[1] == 1);
    CHECK(seen.counts[5] == 1);
    CHECK(seen.counts[9] == 1);
    CHECK(seen.counts[10] == 1);
    CHECK(seen.sum_ns == 61'022'000'000);
    histogram.observe(-5);  // before its time: no lag
    CHECK(histogram.snapshot().counts[0] == 3);
    CHECK(histogram.snapshot().sum_ns == 61'022'000'000);
    histogram.observe(std::numeric_limits<std::int64_t>::max());
    CHECK(histogram.snapshot().counts[10] == 2);
}
