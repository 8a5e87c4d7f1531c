// SPDX-License-Identifier: Apache-2.0
#include "core/features/flow_sequences.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

using namespace nfstreamd;

namespace {

using List = std::vector<std::int32_t>;
List list(std::span<const std::int32_t> values) {
    return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("FlowSequences: first packets in order, the tail -1") {
    FlowSequences sequences;
    REQUIRE(sequences.allocate(10, 4));
    Arena arena;
    sequences.record(3, 0, 0, 60, 0);
    sequences.record(3, 1, 1, 65535, 1500);
    const auto* two = sequences.build(3, 2, arena);
    CHECK(list(two->direction) == List{0, 1, -1, -1});
    CHECK(list(two->size) == List{60, 65535, -1, -1});
    CHECK(list(two->piat_ms) == List{0, 1500, -1, -1});
}

TEST_CASE("FlowSequences: packets beyond the length are left out, flows do not touch each other") {
    for (const unsigned length : {1u, 3u, 5u, 255u}) {
        CAPTURE(length);
        FlowSequences sequences;
        REQUIRE(sequences.allocate(3, length));
        for (std::uint32_t i = 0; i < length + 10; ++i)
            for (std::uint32_t flow = 0; flow < 3; ++flow)
                sequences.record(flow, i, static_cast<int>(flow & 1), static_cast<std::uint16_t>(flow * 1000 + i), i);
        Arena arena;
        for (std::uint32_t flow = 0; flow < 3; ++flow) {
            const auto* record = sequences.build(flow, length + 10, arena);
            REQUIRE(record->size.size() == length);
            for (std::uint32_t i = 0; i < length; ++i) {
                REQUIRE(record->size[i] == static_cast<int>(flow * 1000 + i));
                REQUIRE(record->piat_ms[i] == static_cast<int>(i));
                REQUIRE(record->direction[i] == static_cast<int>(flow & 1));
            }
        }
    }
}

TEST_CASE("FlowSequences: a record stays when its flow's place is used again") {
    FlowSequences sequences;
    REQUIRE(sequences.allocate(1, 2));
    Arena arena;
    sequences.record(0, 0, 0, 10, 0);
    sequences.record(0, 1, 1, 20, 5);
    const auto* first = sequences.build(0, 2, arena);
    sequences.record(0, 0, 0, 30, 0);
    const auto* second = sequences.build(0, 1, arena);
    CHECK(list(first->size) == List{10, 20});
    CHECK(list(second->size) == List{30, -1});
}

TEST_CASE("FlowSequences: a gap longer than a column holds is as long as it holds") {
    FlowSequences sequences;
    REQUIRE(sequences.allocate(1, 1));
    Arena arena;
    sequences.record(0, 0, 0, 1, std::numeric_limits<std::uint64_t>::max());
    CHECK(sequences.build(0, 1, arena)->piat_ms[0] == std::numeric_limits<std::int32_t>::max());
    CHECK(sequences.build(0, 1, arena)->direction[0] == 0);
    sequences.record(0, 0, 1, 1, std::numeric_limits<std::uint64_t>::max());
    CHECK(sequences.build(0, 1, arena)->piat_ms[0] == std::numeric_limits<std::int32_t>::max());
    CHECK(sequences.build(0, 1, arena)->direction[0] == 1);
}

TEST_CASE("FlowSequences: off takes no memory and no packet") {
    FlowSequences sequences;
    REQUIRE(sequences.allocate(1000, 0));
    CHECK_FALSE(sequences.enabled());
    CHECK(sequences.octets_per_flow() == 0);
    sequences.record(5, 0, 0, 1, 1);
}
