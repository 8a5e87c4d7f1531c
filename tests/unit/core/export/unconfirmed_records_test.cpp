// SPDX-License-Identifier: Apache-2.0
#include "core/export/unconfirmed_records.hpp"

#include <doctest/doctest.h>

#include "tests/support/recording_exporter.hpp"

namespace nfstreamd {
namespace {

using test::make_batch;
using Ids = std::vector<std::uint64_t>;

Ids ids_of(const UnconfirmedRecords::Taken& taken) {
    Ids ids;
    for (const auto& range : taken.ranges)
        for (const auto& record : range.records()) ids.push_back(record.id);
    return ids;
}

// Three batches of four records, ids 0 to 11.
UnconfirmedRecords three_batches() {
    UnconfirmedRecords records;
    for (std::uint64_t i = 0; i < 3; ++i) records.add({make_batch(4 * i, 4)}, 4);
    return records;
}

TEST_CASE("UnconfirmedRecords: gives the newest so many, oldest first, and is empty then") {
    for (std::size_t count = 0; count <= 12; ++count) {
        auto records = three_batches();
        const auto taken = records.take_newest(count);
        CHECK(taken.records == count);
        Ids expected;
        for (std::uint64_t id = 12 - count; id < 12; ++id) expected.push_back(id);
        CHECK(ids_of(taken) == expected);
        CHECK(records.records() == 0);
        CHECK(records.take_newest(12).ranges.empty());
    }
}

TEST_CASE("UnconfirmedRecords: more than it has is all that it has") {
    auto records = three_batches();
    CHECK(records.take_newest(100).records == 12);
}

TEST_CASE("UnconfirmedRecords: keeps what may be lost and lets go of what arrived, batch by batch") {
    auto records = three_batches();
    records.keep_newest(9);
    CHECK(records.records() == 12);
    records.keep_newest(8);
    CHECK(records.records() == 8);
    records.keep_newest(1);
    CHECK(records.records() == 4);
    CHECK(ids_of(records.take_newest(1)) == Ids{11});
    records = three_batches();
    records.keep_newest(0);
    CHECK(records.records() == 0);
}

TEST_CASE("UnconfirmedRecords: a batch that was taken in parts is one") {
    UnconfirmedRecords records;
    const auto batch = make_batch(0, 10);
    records.add({batch, 0}, 3);
    records.add({batch, 3}, 3);
    records.add({batch, 3}, 7);
    CHECK(records.records() == 7);
    const auto taken = records.take_newest(5);
    REQUIRE(taken.ranges.size() == 1);
    CHECK(taken.records == 5);
    CHECK(taken.ranges[0].from == 2);
    CHECK(taken.ranges[0].size() == 8);  // with those that were not taken
}

TEST_CASE("UnconfirmedRecords: knows the oldest place in the spool") {
    UnconfirmedRecords records;
    CHECK_FALSE(records.oldest_place().has_value());
    records.add({make_batch(0, 4)}, 4);
    CHECK_FALSE(records.oldest_place().has_value());
    records.add({make_batch(4, 4), 1, SpoolPosition{.segment = 2, .offset = 32}}, 4);
    records.add({make_batch(8, 4), 0, SpoolPosition{.segment = 2, .offset = 99}}, 4);
    CHECK((records.oldest_place() == SpoolPosition{.segment = 2, .offset = 32, .before = 0, .skip = 1}));
    records.keep_newest(4);
    CHECK((records.oldest_place() == SpoolPosition{.segment = 2, .offset = 99, .before = 0, .skip = 0}));
}

}  // namespace
}  // namespace nfstreamd
