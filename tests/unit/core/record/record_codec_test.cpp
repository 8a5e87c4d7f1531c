// SPDX-License-Identifier: Apache-2.0
#include "core/record/record_codec.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "tests/support/random_records.hpp"

namespace nfstreamd {
namespace {

using test::RandomRecords;

std::string encoded(std::span<const FlowRecord> records) {
    std::string octets;
    append_records(octets, records);
    return octets;
}

void check_same(const FlowRecord& a, const FlowRecord& b) {
    CHECK(test::difference(a, b) == "");
    CHECK((encoded({&a, 1}) == encoded({&b, 1})));  // what is in no field as well
}

TEST_CASE("record codec: every field of any record comes back, in all blocks") {
    RandomRecords random(1);
    for (std::uint64_t round = 0; round < 200; ++round) {
        const auto batch = random.batch(round * 100, round % 5);
        RecordBatch back;
        REQUIRE(read_records(encoded(batch->records), batch->records.size(), back));
        REQUIRE(back.records.size() == batch->records.size());
        for (std::size_t i = 0; i < back.records.size(); ++i) check_same(batch->records[i], back.records[i]);
    }
}

TEST_CASE("record codec: blocks that a record has not got are not there afterwards") {
    RecordBatch back;
    const FlowRecord bare;
    REQUIRE(read_records(encoded({&bare, 1}), 1, back));
    const FlowRecord& record = back.records[0];
    CHECK(record.statistics == nullptr);
    CHECK(record.sequence == nullptr);
    CHECK(record.application == nullptr);
    CHECK(record.tunnel == nullptr);
    CHECK(record.tcp_quality == nullptr);
    CHECK(record.process == nullptr);
    check_same(bare, record);
}

TEST_CASE("record codec: the greatest and the least values come back") {
    FlowRecord record;
    record.id = std::numeric_limits<std::uint64_t>::max();
    record.forward.first = std::numeric_limits<TimestampNs>::max();
    record.forward.last = std::numeric_limits<TimestampNs>::min();
    record.custom_expiration = std::numeric_limits<std::int32_t>::min();
    record.ingress_interface = std::numeric_limits<std::uint32_t>::max();
    StatisticsRecord statistics;
    statistics.forward.mean_ps = std::numeric_limits<double>::infinity();
    statistics.reverse.mean_ps = -0.0;
    record.statistics = &statistics;
    RecordBatch back;
    REQUIRE(read_records(encoded({&record, 1}), 1, back));
    check_same(record, back.records[0]);
    CHECK(back.records[0].forward.last == record.forward.last);
    CHECK(back.records[0].custom_expiration == record.custom_expiration);
}

TEST_CASE("record codec: goes behind what is there, in octets and in the batch") {
    RandomRecords random(2);
    const auto first = random.batch(0, 2), second = random.batch(2, 3);
    std::string octets = encoded(first->records);
    const std::size_t size = octets.size();
    append_records(octets, second->records);
    RecordBatch back;
    REQUIRE(read_records(octets.substr(0, size), 2, back));
    REQUIRE(read_records(octets.substr(size), 3, back));
    REQUIRE(back.records.size() == 5);
    octets.assign(octets.size(), '?');  // the batch owns its texts
    for (std::size_t i = 0; i < 2; ++i) check_same(first->records[i], back.records[i]);
    for (std::size_t i = 0; i < 3; ++i) check_same(second->records[i], back.records[2 + i]);
}

TEST_CASE("record codec: what is cut off, or too long, or of another number of records is refused") {
    RandomRecords random(3);
    const auto batch = random.batch(0, 3);
    const std::string octets = encoded(batch->records);
    for (std::size_t size = 0; size < octets.size(); ++size) {
        RecordBatch back;
        CHECK_FALSE(read_records(octets.substr(0, size), 3, back));
    }
    RecordBatch longer, fewer, more, many;
    CHECK_FALSE(read_records(octets + '\0', 3, longer));
    CHECK_FALSE(read_records(octets, 2, fewer));
    CHECK_FALSE(read_records(octets, 4, more));
    CHECK_FALSE(read_records(octets, std::numeric_limits<std::size_t>::max(), many));
    CHECK(many.records.capacity() == 0);
}

TEST_CASE("record codec: whatever the octets, values stay what their types allow") {
    std::mt19937_64 random(4);
    const std::string octets = encoded(RandomRecords(5).batch(0, 2)->records);
    std::size_t refused = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string damaged = octets;
        for (auto flips = random() % 3 + 1; flips > 0; --flips)
            damaged[random() % damaged.size()] = static_cast<char>(random());
        RecordBatch back;
        if (!read_records(damaged, 2, back)) ++refused;
        for (const FlowRecord& record : back.records) {
            REQUIRE(static_cast<std::size_t>(record.end_reason) < kEndReasons);
            REQUIRE(test::difference(record, record) == "");  // reads every text and list
        }
    }
    CHECK(refused > 0);
}

TEST_CASE("record codec: a value that its enumeration does not have is refused") {
    const auto is_read = [](const FlowRecord& record) {
        RecordBatch back;
        return read_records(encoded({&record, 1}), 1, back);
    };
    ApplicationRecord application;
    FlowRecord record;
    record.application = &application;
    CHECK(is_read(record));
    record.end_reason = static_cast<EndReason>(kEndReasons);
    CHECK_FALSE(is_read(record));
    record.end_reason = EndReason::kIdle;
    record.biflow_direction = static_cast<BiflowDirection>(3);
    CHECK_FALSE(is_read(record));
    record.biflow_direction = BiflowDirection::kInitiator;
    application.family = static_cast<ApplicationFamily>(6);
    CHECK_FALSE(is_read(record));
    application.family = ApplicationFamily::kTls;
    record.source_address.version = 5;
    CHECK_FALSE(is_read(record));
    record.source_address.version = 6;
    CHECK(is_read(record));
}

}  // namespace
}  // namespace nfstreamd
