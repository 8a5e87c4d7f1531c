// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/ipfix/message_queue.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/exporters/ipfix/sample.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using exporters::ipfix::MessageQueue;

namespace {

void add(MessageQueue& queue, std::uint16_t set_id, std::size_t length, std::uint8_t value) {
    REQUIRE(queue.has_room(set_id, length));
    std::fill_n(queue.add_data_record(set_id, length), length, value);
    queue.count_record();
}

std::vector<Bytes> messages_of(const MessageQueue& queue) {
    std::vector<Bytes> out;
    std::size_t begin = 0;
    for (const std::size_t end : queue.ends()) {
        out.emplace_back(queue.bytes().begin() + static_cast<std::ptrdiff_t>(begin),
                         queue.bytes().begin() + static_cast<std::ptrdiff_t>(end));
        begin = end;
    }
    return out;
}

}  // namespace

TEST_CASE("MessageQueue: records of one template share a Set, another template begins another") {
    MessageQueue queue(7, 100);
    add(queue, 256, 3, 1);
    add(queue, 256, 2, 2);
    add(queue, 258, 1, 3);
    CHECK(queue.empty());
    CHECK(queue.is_under_way());
    queue.end_message();
    queue.end_message();
    REQUIRE(queue.messages().size() == 1);
    CHECK(queue.messages()[0].records == 3);
    CHECK(queue.messages()[0].data_records == 3);
    CHECK(messages_of(queue)[0] == Bytes{0, 10, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,  //
                                         1, 0,  0, 9,  1, 1, 1, 2, 2,                       //
                                         1, 2,  0, 5,  3});
}

TEST_CASE("MessageQueue: has room to the last octet, the header of a new Set counted") {
    MessageQueue queue(7, 40);
    CHECK(queue.has_room(256, 20));
    CHECK_FALSE(queue.has_room(256, 21));
    add(queue, 256, 10, 1);
    CHECK(queue.has_room(256, 10));
    CHECK_FALSE(queue.has_room(256, 11));
    CHECK(queue.has_room(257, 6));
    CHECK_FALSE(queue.has_room(257, 7));
}

TEST_CASE("MessageQueue: sequence numbers count data records on, wrap, and spare a message that has begun to leave") {
    MessageQueue queue(7, 100);
    for (std::uint8_t i = 0; i < 3; ++i) {
        add(queue, 256, 4, i);
        add(queue, 256, 4, i);
        queue.end_message();
    }
    queue.stamp(0, 1000, 0xffff'ffff);
    queue.stamp(1, 2000, 0xffff'ffff);
    const auto messages = messages_of(queue);
    CHECK(number_at(messages[0], 4, 4) == 1000);
    CHECK(number_at(messages[0], 8, 4) == 0xffff'ffff);
    CHECK(number_at(messages[1], 4, 4) == 2000);
    CHECK(number_at(messages[1], 8, 4) == 1);
    CHECK(number_at(messages[2], 8, 4) == 3);
}

TEST_CASE("MessageQueue: what is behind messages that left stays as it was, the one under way with it") {
    MessageQueue queue(7, 100);
    for (std::uint8_t i = 0; i < 5; ++i) {
        add(queue, 256, 4 + i, i);
        queue.end_message();
    }
    const auto before = messages_of(queue);
    add(queue, 256, 4, 77);
    queue.remove_first(2);
    add(queue, 257, 4, 78);
    CHECK(messages_of(queue) == std::vector(before.begin() + 2, before.end()));
    queue.remove_first(3);
    CHECK(queue.empty());
    queue.end_message();
    CHECK(messages_of(queue)[0] == Bytes{0, 10, 0, 32, 0,  0,  0,  0,  0, 0, 0, 0, 0, 0, 0, 7,  //
                                         1, 0,  0, 8,  77, 77, 77, 77,                          //
                                         1, 1,  0, 8,  78, 78, 78, 78});
    queue.clear();
    const Bytes whole{0, 10, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
    queue.append(whole, 0);
    CHECK(messages_of(queue) == std::vector<Bytes>{whole});
}
#endif
