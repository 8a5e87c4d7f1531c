// SPDX-License-Identifier: Apache-2.0
#include "core/metering/record_publisher.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace std::chrono_literals;

namespace {

void add(RecordPublisher& publisher, std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t id = first; id < first + count; ++id) {
        const auto text = publisher.arena().copy(std::to_string(id));
        FlowRecord& record = publisher.add();
        record.id = id;
        record.interface_name = text;
        publisher.commit();
    }
}

}  // namespace

TEST_CASE("RecordPublisher: every output gets every record, in order, with its texts") {
    Received a, b;
    RecordPublisher publisher({a.queue(), b.queue()}, false);
    add(publisher, 0, 1000);
    publisher.end();
    for (Received* received : {&a, &b}) {
        const auto& records = received->records();
        REQUIRE(records.size() == 1000);
        for (std::uint64_t i = 0; i < 1000; ++i) {
            REQUIRE(records[i]->id == i);
            REQUIRE(records[i]->interface_name == std::to_string(i));
        }
        CHECK(received->queue()->ended());
        CHECK(received->queue()->pushed_records() == 1000);
    }
}

TEST_CASE("RecordPublisher: a batch leaves when it is full or old") {
    Received received;
    RecordPublisher publisher({received.queue()}, false);
    add(publisher, 0, 63);
    CHECK(received.records().empty());
    add(publisher, 63, 1);
    CHECK(received.records().size() == 64);
    add(publisher, 64, 1);
    const auto now = std::chrono::steady_clock::now();
    publisher.publish_if_old(now - 1s);
    CHECK(received.records().size() == 64);
    publisher.publish_if_old(now + 1s);
    CHECK(received.records().size() == 65);
    publisher.publish();  // nothing is open
    publisher.publish_if_old(now + 10s);
    CHECK(received.queue()->pushed_records() == 65);
}

TEST_CASE("RecordPublisher: live, a full queue loses its own records and counts them") {
    Received slow("slow", 2), quick("quick");
    RecordPublisher publisher({slow.queue(), quick.queue()}, false);
    add(publisher, 0, 64 * 10 + 7);
    publisher.end();
    CHECK(slow.queue()->pushed_records() + slow.queue()->dropped_records() == 647);
    CHECK(slow.queue()->dropped_records() == 647 - 128);
    CHECK(quick.records().size() == 647);
    CHECK(quick.queue()->dropped_records() == 0);
}

TEST_CASE("RecordPublisher: in a file run a full queue holds back, and loses nothing") {
    Received received("slow", 1);
    std::jthread reader([&] {
        while (received.records().size() < 64 * 20) std::this_thread::yield();
    });
    RecordPublisher publisher({received.queue()}, true);
    add(publisher, 0, 64 * 20);
    publisher.end();
    reader.join();
    CHECK(received.queue()->dropped_records() == 0);
    CHECK(received.queue()->popped_records() == 64 * 20);
}

TEST_CASE("RecordPublisher: the last flush waits for room, but not for ever") {
    Received stuck("stuck", 1), quick("quick");
    RecordPublisher publisher({stuck.queue(), quick.queue()}, false);
    publisher.wait_for_room(50ms);
    const auto begin = std::chrono::steady_clock::now();
    add(publisher, 0, 64 * 5);
    publisher.end();
    CHECK(std::chrono::steady_clock::now() - begin >= 50ms);
    CHECK(stuck.queue()->pushed_records() == 64);
    CHECK(stuck.queue()->dropped_records() == 64 * 4);
    CHECK(stuck.queue()->ended());
    CHECK(quick.records().size() == 64 * 5);
}

TEST_CASE("RecordPublisher: an abandoned queue holds nobody back") {
    Received received("gone", 1);
    received.queue()->abandon();
    RecordPublisher publisher({received.queue()}, true);
    add(publisher, 0, 64 * 3);
    publisher.end();
    CHECK(received.queue()->dropped_records() == 64 * 3);
}

TEST_CASE("RecordPublisher: outputs that leave get what is open and their end, those that stay go on") {
    Received leaving, staying, coming;
    RecordPublisher publisher({leaving.queue(), staying.queue()}, false);
    add(publisher, 0, 5);
    publisher.replace_outputs({staying.queue(), coming.queue()});
    CHECK(leaving.queue()->ended());
    CHECK_FALSE(staying.queue()->ended());
    add(publisher, 5, 5);
    publisher.end();
    CHECK(leaving.records().size() == 5);
    CHECK(staying.records().size() == 10);
    CHECK(coming.records().size() == 5);
}

TEST_CASE("RecordPublisher: what it has offered to each output is what their queues have counted") {
    Received first, small("test", 1), later;
    RecordPublisher publisher({first.queue(), small.queue()}, false);
    add(publisher, 0, 100);
    CHECK(publisher.published() == 64);
    CHECK(publisher.in_batch() == 36);
    publisher.replace_outputs({small.queue(), later.queue()});  // the first has all 100, the small one is full
    CHECK(publisher.published() == 100);
    add(publisher, 100, 64);
    auto handed = publisher.handed();
    CHECK(handed.offered == 100 + 164 + 64);
    CHECK(handed.pushed == 100 + 64 + 64);
    CHECK(handed.dropped == 100);
    publisher.end();
    handed = publisher.handed();
    CHECK(handed.offered == handed.pushed + handed.dropped);
    CHECK(handed.offered == 328);
}
