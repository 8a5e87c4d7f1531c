// SPDX-License-Identifier: Apache-2.0
#include "core/selection/record_selector.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace nfstreamd {
namespace {

using Ids = std::vector<std::uint64_t>;

// Records 0, 1, 2, ...: number n has port n, and a name that lives in the batch's arena.
RecordBatchPtr batch(std::uint64_t first, std::size_t count) {
    auto made = std::make_shared<RecordBatch>();
    for (std::size_t i = 0; i < count; ++i) {
        FlowRecord record;
        record.id = first + i;
        record.destination_port = static_cast<std::uint16_t>(record.id);
        record.interface_name = made->arena.copy("eth" + std::to_string(record.id));
        made->records.push_back(record);
    }
    return made;
}

RecordSelector selector(std::string_view filter, FlowSamplingOptions sampling = {}) {
    std::optional<FilterExpression> parsed;
    if (!filter.empty()) parsed = FilterExpression::parse(filter, {}).value();
    return RecordSelector(std::move(parsed), sampling, 99);
}

Ids ids(const RecordBatchPtr& batch) {
    Ids out;
    if (batch)
        for (const auto& record : batch->records) out.push_back(record.id);
    return out;
}

TEST_CASE("RecordSelector: a batch that passes as a whole is handed on as it is") {
    auto all = selector("dst_port < 100");
    const auto source = batch(0, 10);
    CHECK(all.select(source) == source);
    CHECK(all.filtered() == 0);
    CHECK(all.sampled_out() == 0);
}

TEST_CASE("RecordSelector: a filter and its negation split a batch exactly") {
    auto some = selector("dst_port in [2, 3, 7]"), others = selector("not (dst_port in [2, 3, 7])");
    CHECK(ids(some.select(batch(0, 10))) == Ids{2, 3, 7});
    CHECK(ids(others.select(batch(0, 10))) == Ids{0, 1, 4, 5, 6, 8, 9});
    CHECK(some.filtered() == 7);
    CHECK(others.filtered() == 3);
}

TEST_CASE("RecordSelector: nothing selected is no batch") {
    auto none = selector("dst_port > 100");
    CHECK(none.select(batch(0, 10)) == nullptr);
    CHECK(none.filtered() == 10);
}

TEST_CASE("RecordSelector: what the copies point to lives as long as they do") {
    auto some = selector("dst_port >= 8");
    RecordBatchPtr thinned = some.select(batch(0, 10));  // the source has no other owner
    REQUIRE(thinned);
    REQUIRE(thinned->records.size() == 2);
    CHECK(thinned->records[0].interface_name == "eth8");
    CHECK(thinned->records[1].interface_name == "eth9");
}

TEST_CASE("RecordSelector: systematic sampling goes on over batches, from the first record") {
    auto third = selector("", {SamplingMethod::kSystematic, 3});
    Ids taken;
    for (std::uint64_t first = 0; first < 20; first += 5)
        for (const auto id : ids(third.select(batch(first, 5)))) taken.push_back(id);
    CHECK(taken == Ids{0, 3, 6, 9, 12, 15, 18});
    CHECK(third.sampled_out() == 13);
    CHECK(third.filtered() == 0);
}

TEST_CASE("RecordSelector: the filter comes first, sampling counts what has passed it") {
    auto both = selector("dst_port >= 10", {SamplingMethod::kSystematic, 2});
    CHECK(ids(both.select(batch(0, 16))) == Ids{10, 12, 14});
    CHECK(both.filtered() == 10);
    CHECK(both.sampled_out() == 3);
}

TEST_CASE("RecordSelector: random sampling takes each record with its probability") {
    auto tenth = selector("", {SamplingMethod::kRandom, 10});
    constexpr int kRecords = 50'000;
    int taken = 0, at_fixed_distance = 0;
    std::uint64_t before = 0;
    for (std::uint64_t first = 0; first < kRecords; first += 1000)
        for (const auto id : ids(tenth.select(batch(first, 1000)))) {
            ++taken;
            at_fixed_distance += id - before == 10;
            before = id;
        }
    CHECK(taken > 4500);  // seven standard deviations
    CHECK(taken < 5500);
    CHECK(at_fixed_distance < taken / 5);
    CHECK(tenth.sampled_out() == static_cast<std::uint64_t>(kRecords - taken));
}

TEST_CASE("RecordSelector: a rate of 1 leaves nothing out") {
    for (const auto method : {SamplingMethod::kSystematic, SamplingMethod::kRandom}) {
        auto every = selector("", {method, 1});
        CHECK(ids(every.select(batch(0, 5))).size() == 5);
    }
}

}  // namespace
}  // namespace nfstreamd
