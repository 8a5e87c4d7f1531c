// SPDX-License-Identifier: Apache-2.0
#include "core/export/record_queue.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "tests/support/recording_exporter.hpp"

namespace nfstreamd {
namespace {

using test::make_batch;

TEST_CASE("WakeEvent: a signal given before the wait is not lost, and is cleared by it") {
    WakeEvent event;
    event.signal();
    event.signal();
    CHECK(event.wait(0));
    CHECK_FALSE(event.wait(0));
}

TEST_CASE("RecordQueue: refuses a batch when full and counts nothing") {
    RecordQueue queue("eth0", 2, std::make_shared<WakeEvent>());
    CHECK(queue.try_push(make_batch(0, 3)));
    CHECK(queue.try_push(make_batch(3, 4)));
    CHECK_FALSE(queue.try_push(make_batch(7, 5)));
    CHECK(queue.pushed_records() == 7);
    CHECK(queue.dropped_records() == 0);
    queue.count_dropped(*make_batch(7, 5));
    CHECK(queue.dropped_records() == 5);

    CHECK(queue.try_pop()->records.size() == 3);
    CHECK(queue.popped_records() == 3);
    CHECK(queue.try_push(make_batch(7, 5)));
    CHECK(queue.pushed_records() == 12);
}

TEST_CASE("RecordQueue: gives batches back in order, then null") {
    RecordQueue queue("eth0", 8, std::make_shared<WakeEvent>());
    for (std::uint64_t id = 0; id < 3; ++id) REQUIRE(queue.try_push(make_batch(id, 1)));
    for (std::uint64_t id = 0; id < 3; ++id) CHECK(queue.try_pop()->records.front().id == id);
    CHECK(queue.try_pop() == nullptr);
}

TEST_CASE("RecordQueue: wakes its consumer for a batch and for the end") {
    const auto event = std::make_shared<WakeEvent>();
    RecordQueue queue("eth0", 8, event);
    REQUIRE(queue.try_push(make_batch(0, 1)));
    CHECK(event->wait(0));
    queue.end_of_stream();
    CHECK(event->wait(0));
    CHECK(queue.ended());
}

TEST_CASE("RecordQueue: takes nothing once abandoned") {
    RecordQueue queue("eth0", 8, std::make_shared<WakeEvent>());
    queue.abandon();
    CHECK_FALSE(queue.try_push(make_batch(0, 1)));
    CHECK(queue.pushed_records() == 0);
}

TEST_CASE("RecordQueue: frees what is left in it") {
    auto batch = make_batch(0, 1);
    {
        RecordQueue queue("eth0", 8, std::make_shared<WakeEvent>());
        REQUIRE(queue.try_push(batch));
        CHECK(batch.use_count() == 2);
    }
    CHECK(batch.use_count() == 1);
}

TEST_CASE("RecordQueue: between two threads every batch arrives once, in order") {
    const auto event = std::make_shared<WakeEvent>();
    RecordQueue queue("eth0", 4, event);
    constexpr std::uint64_t kBatches = 20000;
    std::thread producer([&] {
        for (std::uint64_t id = 0; id < kBatches; ++id)
            while (!queue.try_push(make_batch(id, 1))) std::this_thread::yield();
        queue.end_of_stream();
    });
    std::uint64_t expected = 0, wrong = 0;
    for (;;) {
        const bool ended = queue.ended();
        if (const auto batch = queue.try_pop())
            wrong += batch->records.front().id != expected++;
        else if (ended)
            break;
        else
            event->wait(1000);
    }
    producer.join();
    CHECK(wrong == 0);
    CHECK(expected == kBatches);
    CHECK(queue.pushed_records() == kBatches);
    CHECK(queue.popped_records() == kBatches);
}

}  // namespace
}  // namespace nfstreamd
