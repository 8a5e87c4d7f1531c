// SPDX-License-Identifier: Apache-2.0
// An exporting process that has a spool, or may write again what was not confirmed.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <thread>

#include "core/export/exporting_process.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/files.hpp"
#include "tests/unit/core/export/running.hpp"

namespace nfstreamd {
namespace {

using namespace std::chrono_literals;
using test::FailingExporter;
using test::make_batch;
using test::numbers;
using test::push_all;
using test::RecordingExporter;
using test::Running;
using Behaviour = RecordingExporter::Behaviour;
using Clock = std::chrono::steady_clock;
using Ids = std::vector<std::uint64_t>;

ExportingOptions spooling(const test::TemporaryFolder& folder, std::uint64_t max_octets = 16 << 20) {
    ExportingOptions options = test::quick();
    options.drain_timeout = 1h;  // nothing here may wait for it
    options.spool = {folder.path("spool"), max_octets};
    return options;
}

std::size_t segments(const ExportingProcess& process) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(process.spool_folder()))
        count += entry.path().extension() == ".spool";
    return count;
}

Ids each_once(Ids ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
}

template <class Condition>
bool wait_for(Condition condition) {
    for (const auto end = Clock::now() + 30s; Clock::now() < end; std::this_thread::sleep_for(1ms))
        if (condition()) return true;
    return false;
}

TEST_CASE("ExportingProcess: while all is well nothing comes to the spool") {
    const test::ScratchFolder folder;
    Running running(spooling(folder), Behaviour{});
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 20, 10);
    queue->end_of_stream();
    running.start();
    running.finish();
    CHECK(running.exporter.ids == numbers(200));
    CHECK(running.exporter.patience() > 0ms);
    CHECK(running.exporter.patience() < 1s);
    CHECK(running.process.spool_counters()->written.get() == 0);
    CHECK(running.process.redelivered() == 0);
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: what a receiver that is away cannot take waits in the spool, in order") {
    const test::ScratchFolder folder;
    ExportingOptions options = spooling(folder);
    options.queue_batches = 4;
    Running running(options, Behaviour{.fail_opens = -1});
    const auto queue = running.process.add_producer("eth0");
    running.start();
    REQUIRE(running.exporter.wait_until([](const auto& e) { return !e.opens.empty(); }));
    for (std::uint64_t i = 0; i < 100; ++i) REQUIRE(wait_for([&] { return queue->try_push(make_batch(10 * i, 10)); }));
    const auto& spool = *running.process.spool_counters();
    REQUIRE(wait_for([&] { return spool.records.get() == 1000; }));
    running.exporter.change([](auto& b) { b.fail_opens = 0; });
    REQUIRE(running.exporter.wait_until([](const auto& e) { return e.ids.size() == 1000; }));
    REQUIRE(wait_for([&] { return spool.segments.get() == 0; }));
    REQUIRE(queue->try_push(make_batch(1000, 10)));
    queue->end_of_stream();
    running.finish();
    CHECK(running.exporter.ids == numbers(1010));
    CHECK(spool.read.get() == 1000);
    CHECK(segments(running.process) == 0);
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: what was not confirmed is written again after a failure, before what is newer") {
    const test::ScratchFolder folder;
    for (const bool lost : {true, false}) {
        Running running(spooling(folder), Behaviour{.confirm_late = true, .lose_unconfirmed = lost});
        const auto queue = running.process.add_producer("eth0");
        running.start();
        push_all(*queue, 0, 10, 10);
        REQUIRE(running.exporter.wait_until([](const auto& e) { return e.ids.size() == 100; }));
        running.exporter.change([](auto& b) { b.confirm_late = false; });  // these have arrived
        REQUIRE(
            running.exporter.wait_until([n = running.exporter.flushes](const auto& e) { return e.flushes > n + 1; }));
        running.exporter.change([](auto& b) { b.confirm_late = true; });
        push_all(*queue, 100, 3, 10);
        REQUIRE(running.exporter.wait_until([](const auto& e) { return e.ids.size() == 130; }));
        running.exporter.change([](auto& b) { b.fail_writes = 1, b.take_before_failing = 5; });
        push_all(*queue, 130, 2, 10);
        const std::size_t twice = lost ? 0 : 35;
        REQUIRE(running.exporter.wait_until([twice](const auto& e) { return e.ids.size() == 150 + twice; }));
        running.exporter.change([](auto& b) { b.confirm_late = false; });
        queue->end_of_stream();
        running.finish();
        CHECK(running.process.redelivered() == 35);
        Ids expected = numbers(150);
        if (!lost) {
            expected = numbers(135);
            for (std::uint64_t id = 100; id < 150; ++id) expected.push_back(id);
        }
        CHECK(running.exporter.ids == expected);
        CHECK(running.nothing_is_missing());
    }
}

TEST_CASE(
    "ExportingProcess: records that the exporter drops while others are unconfirmed are written again with these") {
    const test::ScratchFolder folder;
    Running running(spooling(folder), Behaviour{.confirm_late = true, .drop_each = 3});
    const auto queue = running.process.add_producer("eth0");
    running.start();
    push_all(*queue, 0, 10, 10);
    REQUIRE(running.exporter.wait_until([](const auto& e) { return e.ids.size() == 66; }));
    running.exporter.change([](auto& b) { b.fail_writes = 1; });
    push_all(*queue, 100, 1, 10);
    REQUIRE(running.exporter.wait_until([](const auto& e) { return e.forgotten > 0 && e.ids.size() == 73; }));
    running.exporter.change([](auto& b) { b.confirm_late = false; });
    queue->end_of_stream();
    running.finish();
    Ids expected = numbers(110);
    std::erase_if(expected, [](auto id) { return id % 3 == 0; });
    CHECK(running.exporter.ids == expected);
    CHECK(running.process.counters().dropped_oversize.get() == 37);
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: without a spool nothing is kept and nothing forgotten") {
    Running running(test::quick(), Behaviour{.fail_writes = 2, .confirm_late = true});
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 10, 10);
    queue->end_of_stream();
    running.start();
    running.finish();
    CHECK(running.exporter.forgotten == 0);
    CHECK(running.exporter.ids == numbers(100));
    CHECK(running.exporter.patience() == 0ms);
}

TEST_CASE("ExportingProcess: a stop with a receiver that is away leaves all for the next run, at once") {
    const test::ScratchFolder folder;
    {
        Running running(spooling(folder), Behaviour{.confirm_late = true});
        const auto queue = running.process.add_producer("eth0");
        running.start();
        push_all(*queue, 0, 5, 10);
        REQUIRE(running.exporter.wait_until([](const auto& e) { return e.ids.size() == 50; }));
        running.exporter.change([](auto& b) { b.fail_opens = b.fail_writes = b.fail_flushes = -1; });
        push_all(*queue, 50, 5, 10);
        REQUIRE(running.exporter.wait_until([](const auto& e) { return e.opens.size() >= 2; }));
        running.thread.request_stop();
        push_all(*queue, 100, 5, 10);
        queue->end_of_stream();
        running.thread.join();
        CHECK(running.exporter.ids.empty());
        CHECK(running.process.dropped_undelivered() == 0);
        CHECK(running.process.spool_counters()->records.get() == 150);
        CHECK(running.process.in_hand() == 0);
        CHECK(running.nothing_is_missing());
        CHECK((running.process.losses() == LossTotals{}));
    }
    test::CapturedLog log;
    Running next(spooling(folder), std::make_unique<RecordingExporter>(), log.logger());
    const auto queue = next.process.add_producer("eth0");
    push_all(*queue, 150, 1, 10);
    queue->end_of_stream();
    next.start();
    next.finish();
    CHECK(next.exporter.ids == numbers(160));
    CHECK(next.process.spool_counters()->recovered.get() == 150);
    CHECK(next.nothing_is_missing());
    CHECK(log.contains("records of an earlier run are in the spool"));
}

TEST_CASE("ExportingProcess: a stop does not wait for what is in the spool, and goes on there the next time") {
    const test::ScratchFolder folder;
    {
        Running running(spooling(folder), std::make_unique<FailingExporter>());
        const auto queue = running.process.add_producer("eth0");
        push_all(*queue, 0, 30, 10);
        running.start();
        REQUIRE(wait_for([&] { return running.process.spool_counters()->records.get() == 300; }));
        queue->end_of_stream();
        running.stop();
    }
    std::size_t written = 0;
    {
        ExportingOptions options = spooling(folder);
        options.rate_limit = 300;
        Running running(options, Behaviour{});
        const auto queue = running.process.add_producer("eth0");
        running.start();
        REQUIRE(running.exporter.wait_until([](const auto& e) { return e.ids.size() >= 100; }));
        push_all(*queue, 300, 1, 10);
        queue->end_of_stream();
        running.stop();
        written = running.exporter.ids.size();
        CHECK(written < 300);
        CHECK(running.exporter.ids == numbers(written));
        CHECK(running.process.spool_counters()->records.get() == 310 - written);
        CHECK(running.nothing_is_missing());
    }
    Running running(spooling(folder), Behaviour{});
    running.process.add_producer("eth0")->end_of_stream();
    running.start();
    running.finish();
    Ids expected;
    for (std::uint64_t id = written; id < 310; ++id) expected.push_back(id);
    CHECK(running.exporter.ids == expected);
}

TEST_CASE("ExportingProcess: at a stop a receiver that is well may confirm, and what it does not is spooled") {
    const test::ScratchFolder folder;
    {
        Running running(spooling(folder), Behaviour{.confirm_late = true, .lose_unconfirmed = false});
        const auto queue = running.process.add_producer("eth0");
        push_all(*queue, 0, 5, 10);
        queue->end_of_stream();
        running.start();
        REQUIRE(running.exporter.wait_until([](const auto& e) { return e.ids.size() == 50; }));
        running.thread.request_stop();
        int flushes = 0;
        REQUIRE(running.exporter.wait_until([&](const auto& e) { return (flushes = e.flushes) > 0; }));
        REQUIRE(running.exporter.wait_until([&](const auto& e) { return e.flushes > flushes + 2; }));
        running.exporter.change([](auto& b) { b.confirm_late = false; });
        running.thread.join();
        CHECK(running.process.redelivered() == 0);
        CHECK(running.process.spool_counters()->records.get() == 0);
    }
    Running running(spooling(folder), Behaviour{.confirm_late = true, .lose_unconfirmed = false});
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 5, 10);
    queue->end_of_stream();
    running.start();
    REQUIRE(running.exporter.wait_until([](const auto& e) { return e.ids.size() == 50; }));
    running.stop();
    CHECK(running.process.redelivered() == 50);
    CHECK(running.process.spool_counters()->records.get() == 50);
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: behind a slow receiver the queues do not fill") {
    const test::ScratchFolder folder;
    ExportingOptions options = spooling(folder);
    options.queue_batches = 8;
    Running running(options, Behaviour{.busy_writes = -1});
    const auto queue = running.process.add_producer("eth0");
    running.start();
    for (std::uint64_t i = 0; i < 300; ++i) REQUIRE(wait_for([&] { return queue->try_push(make_batch(10 * i, 10)); }));
    REQUIRE(wait_for([&] { return running.process.spool_counters()->records.get() > 2800; }));
    running.exporter.change([](auto& b) { b.busy_writes = 0; });
    queue->end_of_stream();
    running.finish();
    CHECK(running.exporter.ids == numbers(3000));
    CHECK(running.exporter.opens.size() == 1);
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: a receiver that is still being connected to is no failure, and is asked again soon") {
    const test::ScratchFolder folder;
    ExportingOptions options = spooling(folder);
    options.retry_min = options.retry_max = 1h;
    options.queue_batches = 8;
    Running running(options, Behaviour{.busy_opens = -1});
    const auto queue = running.process.add_producer("eth0");
    running.start();
    for (std::uint64_t i = 0; i < 100; ++i) REQUIRE(wait_for([&] { return queue->try_push(make_batch(10 * i, 10)); }));
    REQUIRE(running.exporter.wait_until([](const auto& e) { return e.opens.size() >= 5; }));
    running.exporter.change([](auto& b) { b.busy_opens = 0; });
    queue->end_of_stream();
    running.finish();
    CHECK(running.exporter.ids == numbers(1000));
    CHECK(running.process.counters().failures.get() == 0);
    CHECK(running.process.last_error().empty());
}

TEST_CASE("ExportingProcess: what does not fit into the spool is lost with its packets and octets, and said") {
    const test::ScratchFolder folder;
    ExportingOptions options = spooling(folder, 1 << 20);
    Running running(options, Behaviour{.fail_opens = -1});
    const auto queue = running.process.add_producer("eth0");
    running.start();
    auto batch = std::make_shared<RecordBatch>();
    for (int i = 0; i < 64; ++i) {
        auto& record = batch->records.emplace_back();
        record.forward.packets = 2, record.forward.octets = 100;
        record.reverse.packets = 1, record.reverse.octets = 50;
    }
    const auto& spool = *running.process.spool_counters();
    while (spool.dropped_full.get() < 640) {
        const auto pushed = running.process.queue_counters().pushed;
        REQUIRE(wait_for([&] { return queue->try_push(batch); }));
        REQUIRE(pushed < 10'000'000);
    }
    const auto before = std::chrono::system_clock::now();
    running.exporter.change([](auto& b) { b.fail_opens = 0; });
    queue->end_of_stream();
    running.finish();
    const auto losses = running.process.losses();
    CHECK(losses.records == spool.dropped_full.get());
    CHECK(losses.packets == 3 * losses.records);
    CHECK(losses.octets == 150 * losses.records);
    CHECK(losses.first_ms > 0);
    CHECK(losses.first_ms <= losses.last_ms);
    CHECK(losses.first_ms <= std::chrono::floor<std::chrono::milliseconds>(before).time_since_epoch().count());
    CHECK((running.exporter.noted == losses));
    CHECK(spool.octets.get() == 0);
    CHECK(running.nothing_is_missing());
}

TEST_CASE(
    "ExportingProcess: what is dropped at a full queue and at the end is a loss; what a filter leaves out is none") {
    ExportingOptions options = test::quick();
    options.queue_batches = 1;
    options.drain_timeout = 20ms;
    auto exporter = std::make_unique<FailingExporter>();
    auto& recording = *exporter;
    ExportingProcess process("siem", "test", std::move(exporter), options, test::quiet_logger(),
                             std::make_unique<RecordSelector>(std::nullopt, FlowSamplingOptions{.rate = 2}, 0));
    const auto queue = process.add_producer("eth0");
    auto batch = std::make_shared<RecordBatch>();
    batch->records.resize(10);
    for (auto& record : batch->records) record.forward.packets = 1, record.forward.octets = 40;
    REQUIRE(queue->try_push(batch));
    queue->count_dropped(*batch);
    std::jthread thread([&](std::stop_token stop) { process.run(stop); });
    REQUIRE(recording.wait_until([](const auto& e) { return !e.opens.empty(); }));
    thread.request_stop();
    thread.join();
    CHECK(process.sampled_out() == 5);
    CHECK(process.dropped_undelivered() == 5);
    const auto losses = process.losses();
    CHECK(losses.records == 15);
    CHECK(losses.packets == 15);
    CHECK(losses.octets == 600);
    CHECK((recording.noted == losses));
}

TEST_CASE("ExportingProcess: a disk that takes nothing costs records, and is used again when it does") {
    const test::ScratchFolder folder;
    Running running(spooling(folder), Behaviour{.fail_opens = -1});
    const auto queue = running.process.add_producer("eth0");
    running.start();
    const auto& spool = *running.process.spool_counters();
    {
        const test::FileSizeLimit limit(200);
        std::uint64_t id = 0;
        REQUIRE(wait_for([&] {
            if (queue->try_push(make_batch(id, 64))) id += 64;
            return spool.failures.get() > 0;
        }));
    }
    REQUIRE(wait_for([&] {
        (void)queue->try_push(make_batch(1'000'000, 64));
        return spool.records.get() > 0;
    }));
    running.exporter.change([](auto& b) { b.fail_opens = 0; });
    queue->end_of_stream();
    running.finish();
    CHECK(running.process.losses().records == spool.dropped_failed.get());
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: goes on without its spool while another has it") {
    const test::ScratchFolder folder;
    SpoolFolder other(folder.path("spool"), "siem");
    REQUIRE(other.open());
    test::CapturedLog log;
    Running running(spooling(folder), std::make_unique<RecordingExporter>(Behaviour{.fail_opens = 2, .fail_writes = 2}),
                    log.logger());
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 10, 10);
    queue->end_of_stream();
    running.start();
    running.finish();
    CHECK(running.exporter.ids == numbers(100));
    CHECK(log.contains("spool failing"));
    CHECK(running.nothing_is_missing());
}

// Failures, slowness and confirmations at random, and a new process now and then.
TEST_CASE("ExportingProcess: whatever its exporter does, every record arrives, and no more twice than were repeated") {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        const test::ScratchFolder folder;
        Ids received;
        std::uint64_t next_id = 0, redelivered = 0;
        for (int run = 0; run < 4; ++run) {
            const bool last = run == 3;
            ExportingOptions options = spooling(folder);
            options.queue_batches = 4 << random() % 6;
            options.retry_max = 2ms;
            const bool lose = random() % 2 == 0;
            Running running(options, Behaviour{.lose_unconfirmed = lose});
            const auto queue = running.process.add_producer("eth0");
            running.start();
            for (int step = 0; step < 60; ++step) {
                running.exporter.change([&](auto& b) {
                    b.confirm_late = random() % 3 != 0;
                    b.take_before_failing = random() % 40;
                    switch (random() % 5) {
                        case 0:
                            b.fail_writes = static_cast<int>(random() % 3);
                            break;
                        case 1:
                            b.fail_opens = static_cast<int>(random() % 4);
                            break;
                        case 2:
                            b.fail_flushes = static_cast<int>(random() % 2);
                            break;
                        case 3:
                            b.busy_writes = static_cast<int>(random() % 20);
                            break;
                        default:
                            b.busy_opens = static_cast<int>(random() % 3);
                    }
                });
                for (auto batches = random() % 12; batches > 0; --batches) {
                    const std::size_t size = random() % 64 + 1;
                    REQUIRE(wait_for([&] { return queue->try_push(make_batch(next_id, size)); }));
                    next_id += size;
                }
                if (random() % 4 == 0) std::this_thread::sleep_for(1ms);  // let it get on
            }
            queue->end_of_stream();
            if (last) {
                running.exporter.change([](auto& b) { b = {}; });
                running.finish();
                CHECK(running.process.spool_counters()->records.get() == 0);
            } else {
                running.stop();
            }
            CHECK(running.process.dropped_undelivered() == 0);
            CHECK(running.process.losses().records == 0);
            CHECK(running.nothing_is_missing());
            received.insert(received.end(), running.exporter.ids.begin(), running.exporter.ids.end());
            redelivered += running.process.redelivered();
        }
        CHECK(each_once(received) == numbers(next_id));
        CHECK(received.size() <= next_id + redelivered);
    }
}

}  // namespace
}  // namespace nfstreamd
