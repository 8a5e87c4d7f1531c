// SPDX-License-Identifier: Apache-2.0
#include "exporters/session/message_queue.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/recording_transport.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using exporters::MessageFraming;
using exporters::MessageQueue;

namespace {

// as IPFIX has it, of observation domain 7
MessageFraming framing() {
    MessageFraming framing;
    framing.header_length = 16;
    framing.header[1] = 10;
    framing.header[15] = 7;
    return framing;
}

void add(MessageQueue& queue, std::uint16_t set_id, std::size_t length, std::uint8_t value) {
    REQUIRE(queue.has_room(set_id, length));
    std::fill_n(queue.add_data_record(set_id, length), length, value);
    ++queue.under_way().records;
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
    MessageQueue queue(framing(), 100);
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
    MessageQueue queue(framing(), 40);
    CHECK(queue.has_room(256, 20));
    CHECK_FALSE(queue.has_room(256, 21));
    add(queue, 256, 10, 1);
    CHECK(queue.has_room(256, 10));
    CHECK_FALSE(queue.has_room(256, 11));
    CHECK(queue.has_room(257, 6));
    CHECK_FALSE(queue.has_room(257, 7));
}

TEST_CASE("MessageQueue: Sets are filled up where the protocol wants it, and the message may count records") {
    MessageFraming netflow9;
    netflow9.header_length = 20;
    netflow9.counts_records = true;
    netflow9.set_alignment = 4;
    MessageQueue queue(netflow9, 20 + 4 + 4 + 4 + 8);
    add(queue, 256, 1, 1);
    add(queue, 256, 2, 2);
    CHECK(queue.has_room(257, 8));
    CHECK_FALSE(queue.has_room(257, 9));
    CHECK(queue.has_room(256, 13));
    CHECK_FALSE(queue.has_room(256, 14));
    add(queue, 257, 5, 3);
    queue.end_message();
    Bytes wanted(20);
    wanted[3] = 3;
    const Bytes sets{1, 0, 0, 8, 1, 2, 2, 0, 1, 1, 0, 12, 3, 3, 3, 3, 3, 0, 0, 0};
    wanted.insert(wanted.end(), sets.begin(), sets.end());
    CHECK(messages_of(queue)[0] == wanted);
}

TEST_CASE("MessageQueue: a protocol without Sets has records behind its header") {
    MessageFraming netflow5;
    netflow5.header_length = 24;
    netflow5.counts_records = true;
    netflow5.has_sets = false;
    MessageQueue queue(netflow5, 24 + 6);
    add(queue, 1, 3, 1);
    add(queue, 1, 3, 2);
    CHECK_FALSE(queue.has_room(1, 1));
    queue.end_message();
    Bytes wanted(24);
    wanted[3] = 2;
    for (const std::uint8_t octet : {1, 1, 1, 2, 2, 2}) wanted.push_back(octet);
    CHECK(messages_of(queue)[0] == wanted);
}

TEST_CASE("MessageQueue: a limit that grows while a message is under way holds for it, too") {
    MessageQueue queue(framing(), 40);
    add(queue, 256, 10, 1);
    queue.set_max_message(2000);
    add(queue, 256, 1960, 2);
    CHECK_FALSE(queue.has_room(256, 20));
    queue.end_message();
    CHECK(messages_of(queue)[0].size() == 16 + 4 + 1970);
    CHECK(messages_of(queue)[0].back() == 2);
}

TEST_CASE("MessageQueue: a message that is dropped leaves those before it as they were") {
    MessageQueue queue(framing(), 100);
    add(queue, 256, 4, 1);
    queue.end_message();
    const auto before = messages_of(queue);
    add(queue, 256, 4, 2);
    queue.drop_message();
    CHECK_FALSE(queue.is_under_way());
    CHECK(messages_of(queue) == before);
    add(queue, 257, 4, 3);
    queue.end_message();
    REQUIRE(queue.messages().size() == 2);
    CHECK(queue.messages()[1].records == 1);
    CHECK(messages_of(queue)[1].size() == 24);
}

TEST_CASE("MessageQueue: what is behind messages that left stays as it was, the one under way with it") {
    MessageQueue queue(framing(), 100);
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
    queue.append(whole, {});
    CHECK(messages_of(queue) == std::vector<Bytes>{whole});
}
