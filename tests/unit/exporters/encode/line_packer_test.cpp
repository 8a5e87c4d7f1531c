// SPDX-License-Identifier: Apache-2.0
#include "exporters/encode/line_packer.hpp"

#include <doctest/doctest.h>

namespace nfstreamd::exporters {
namespace {

class IdEncoder final : public Encoder {
public:
    void preamble(std::string& out) const override { out += "id\n"; }
    void encode(const FlowRecord& record, std::string& out) const override { out += std::to_string(record.id) + '\n'; }
};

LinePacker make(LineLayout layout, PackLimits limits) {
    return LinePacker(std::make_shared<IdEncoder>(), layout, limits);
}

bool add(LinePacker& packer, std::uint64_t id) {
    FlowRecord record{};
    record.id = id;
    return packer.add(record);
}

std::string take(LinePacker& packer, std::uint32_t records) {
    PackedMessage message;
    packer.take(message);
    CHECK(message.records == records);
    CHECK(message.data_records == records);
    return message.payload;
}

TEST_CASE("LinePacker: a message has so many lines, with nothing behind the last") {
    auto packer = make({}, {.records = 2});
    CHECK(packer.empty());
    REQUIRE(add(packer, 1));
    CHECK_FALSE(packer.ready());
    CHECK_FALSE(packer.empty());
    REQUIRE(add(packer, 2));
    CHECK(packer.ready());
    CHECK(take(packer, 2) == "1\n2");
    CHECK(packer.empty());
    REQUIRE(add(packer, 3));
    CHECK(take(packer, 1) == "3");
}

TEST_CASE("LinePacker: header, last line end and array are as asked for") {
    auto packer = make({.header = true, .last_end = true}, {.records = 2});
    add(packer, 1);
    add(packer, 2);
    CHECK(take(packer, 2) == "id\n1\n2\n");
    auto array = make({.array = true}, {.records = 3});
    add(array, 1);
    add(array, 2);
    CHECK(take(array, 2) == "[1,2]");
}

TEST_CASE("LinePacker: no message exceeds the target but one of a single record, and none the most") {
    auto packer = make({.last_end = true}, {.records = 100, .target = 6, .most = 8});
    REQUIRE(add(packer, 11));
    REQUIRE(add(packer, 22));
    CHECK_FALSE(packer.ready());
    REQUIRE(add(packer, 33));
    REQUIRE(packer.ready());
    CHECK(take(packer, 2) == "11\n22\n");
    CHECK_FALSE(packer.empty());
    REQUIRE(add(packer, 1234567));  // longer than the target: alone
    REQUIRE(packer.ready());
    CHECK(take(packer, 1) == "33\n");
    CHECK(take(packer, 1) == "1234567\n");
    CHECK_FALSE(add(packer, 12345678));
    CHECK(packer.empty());
}

TEST_CASE("LinePacker: what is cleared is gone") {
    auto packer = make({}, {.records = 100, .target = 3, .most = 3});
    add(packer, 1);
    add(packer, 2);
    add(packer, 3);
    packer.clear();
    CHECK(packer.empty());
    add(packer, 4);
    CHECK(take(packer, 1) == "4");
}

}  // namespace
}  // namespace nfstreamd::exporters
