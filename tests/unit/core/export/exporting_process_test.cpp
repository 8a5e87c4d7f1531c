// SPDX-License-Identifier: Apache-2.0
#include "core/export/exporting_process.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "tests/support/captured_log.hpp"
#include "tests/unit/core/export/running.hpp"

namespace nfstreamd {
namespace {

using namespace std::chrono_literals;
using test::FailingExporter;
using test::make_batch;
using test::numbers;
using test::push_all;
using test::quick;
using test::RecordingExporter;
using test::Running;
using Clock = std::chrono::steady_clock;

ExportingOptions file_run(std::chrono::milliseconds give_up_after = 60s) {
    ExportingOptions options = quick();
    options.wait_for_room = true;
    options.give_up_after = give_up_after;
    return options;
}

class Announcing final : public RecordingExporter {
public:
    using RecordingExporter::RecordingExporter;
    bool repeat_announcement() override { return true; }
};

TEST_CASE("ExportingProcess: writes everything, flushes, closes and ends when its producers have") {
    Running running(quick(), RecordingExporter::Behaviour{.hold_back = true});
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 5, 10);
    queue->end_of_stream();
    running.start();
    running.finish();

    CHECK(running.exporter.ids == numbers(50));
    CHECK(running.exporter.closes == 1);
    CHECK(running.process.finished());
    CHECK_FALSE(running.process.failed_for_good());
    CHECK(running.process.dropped_undelivered() == 0);
    const auto queues = running.process.queue_counters();
    CHECK(queues.pushed == 50);
    CHECK(queues.popped == 50);
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: who wants templates again is told what became of it") {
    using Announcement = ExportingProcess::Announcement;
    const auto outcome_of = [](bool has_templates, RecordingExporter::Behaviour behaviour) {
        Running running(quick(), has_templates
                                     ? std::unique_ptr<RecordingExporter>(std::make_unique<Announcing>(behaviour))
                                     : std::make_unique<RecordingExporter>(behaviour));
        const auto queue = running.process.add_producer("eth0");
        running.start();
        REQUIRE(running.exporter.wait_until([](const auto& e) { return !e.opens.empty(); }));
        const auto number = running.process.request_announcement();
        auto outcome = Announcement::kPending;
        for (int turn = 0; turn < 10'000 && outcome == Announcement::kPending; ++turn) {
            outcome = running.process.announcement(number);
            std::this_thread::sleep_for(1ms);
        }
        CHECK(running.process.announcement(number + 1) == Announcement::kPending);
        queue->end_of_stream();
        running.finish();
        return outcome;
    };
    CHECK(outcome_of(false, {}) == Announcement::kNone);
    CHECK(outcome_of(true, {}) == Announcement::kDone);
    CHECK(outcome_of(true, {.fail_opens = 100}) == Announcement::kWithNextSession);
}

TEST_CASE("ExportingProcess: does not end before it is sealed") {
    Running running(quick(), RecordingExporter::Behaviour{});
    const auto first = running.process.add_producer("eth0");
    running.start();
    push_all(*first, 0, 1, 4);
    first->end_of_stream();
    REQUIRE(running.exporter.wait_until([](const auto& e) { return e.ids.size() == 4; }));

    const auto second = running.process.add_producer("eth1");
    push_all(*second, 4, 1, 4);
    second->end_of_stream();
    running.finish();
    CHECK(running.exporter.ids == numbers(8));
    CHECK(running.process.queue_counters().pushed == 8);
}

TEST_CASE("ExportingProcess: takes a batch of each producer in turn") {
    Running running(quick(), RecordingExporter::Behaviour{});
    std::vector<std::shared_ptr<RecordQueue>> queues;
    for (std::uint64_t i = 0; i < 3; ++i) {
        queues.push_back(running.process.add_producer("eth"));
        push_all(*queues.back(), i * 100, 2, 1);
        queues.back()->end_of_stream();
    }
    running.start();
    running.finish();
    CHECK(running.exporter.ids == std::vector<std::uint64_t>{0, 100, 200, 1, 101, 201});
}

TEST_CASE("ExportingProcess: an empty batch does no harm") {
    Running running(quick(), RecordingExporter::Behaviour{});
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 1, 0);
    push_all(*queue, 0, 1, 2);
    queue->end_of_stream();
    running.start();
    running.finish();
    CHECK(running.exporter.ids == numbers(2));
}

TEST_CASE("ExportingProcess: threads that produce and wait for room lose nothing") {
    ExportingOptions options = file_run();
    options.queue_batches = 4;
    Running running(options, RecordingExporter::Behaviour{});
    constexpr std::uint64_t kBatches = 3000;
    std::vector<std::shared_ptr<RecordQueue>> queues;
    for (int i = 0; i < 2; ++i) queues.push_back(running.process.add_producer("files"));
    running.start();
    {
        std::vector<std::jthread> producers;
        for (std::uint64_t i = 0; i < 2; ++i)
            producers.emplace_back([queue = queues[i], i] {
                for (std::uint64_t n = 0; n < kBatches; ++n)
                    while (!queue->try_push(make_batch(2 * n + i, 1))) std::this_thread::yield();
                queue->end_of_stream();
            });
    }
    running.finish();
    auto ids = running.exporter.ids;
    std::sort(ids.begin(), ids.end());
    CHECK(ids == numbers(2 * kBatches));
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: counters may be read by any thread while it runs") {
    Running running(quick(), RecordingExporter::Behaviour{});
    const auto queue = running.process.add_producer("eth0");
    running.start();
    std::uint64_t impossible = 0;
    std::jthread reader([&](std::stop_token stop) {
        while (!stop.stop_requested()) {
            const auto queues = running.process.queue_counters();
            impossible += queues.popped > queues.pushed;
            impossible += running.process.counters().records.get() > 2000;
            impossible += running.process.dropped_undelivered() > 2000 || !running.process.last_error().empty();
        }
    });
    for (std::uint64_t id = 0; id < 2000; ++id)
        while (!queue->try_push(make_batch(id, 1))) std::this_thread::yield();
    queue->end_of_stream();
    running.finish();
    reader.request_stop();
    reader.join();
    CHECK(impossible == 0);
    CHECK(running.exporter.ids == numbers(2000));
}

TEST_CASE("ExportingProcess: live, a full queue is a drop that its producer counts") {
    ExportingOptions options = quick();
    options.queue_batches = 2;
    Running running(options, RecordingExporter::Behaviour{.block_writes = true});
    const auto queue = running.process.add_producer("eth0");
    running.start();
    push_all(*queue, 0, 1, 10);
    REQUIRE(running.exporter.wait_until([](const auto& e) { return e.writes_begun == 1; }));
    push_all(*queue, 10, 2, 10);
    REQUIRE_FALSE(queue->try_push(make_batch(30, 10)));
    queue->count_dropped(*make_batch(30, 10));
    queue->end_of_stream();
    running.exporter.change([](auto& b) { b.block_writes = false; });
    running.finish();
    CHECK(running.exporter.ids == numbers(30));
    CHECK(running.process.queue_counters().dropped_full == 10);
    CHECK(running.process.queue_counters().pushed == 30);
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: opens again after a failure, later each time") {
    ExportingOptions options = quick();
    options.retry_min = 10ms;
    options.retry_max = 40ms;
    Running running(options, RecordingExporter::Behaviour{.fail_opens = 5});
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 1, 3);
    queue->end_of_stream();
    running.start();
    running.finish();

    const auto& opens = running.exporter.opens;
    REQUIRE(opens.size() == 6);
    const std::chrono::milliseconds expected[] = {10ms, 20ms, 40ms, 40ms, 40ms};
    for (std::size_t i = 0; i < 5; ++i) CHECK(opens[i + 1] - opens[i] >= expected[i] * 0.8);
    CHECK(running.exporter.ids == numbers(3));
    CHECK(running.process.counters().failures.get() == 5);
    CHECK(running.process.last_error() == "memory: open refused");
}

TEST_CASE("ExportingProcess: records do not shorten the back-off") {
    ExportingOptions options = quick();
    options.retry_min = options.retry_max = 50ms;
    Running running(options, RecordingExporter::Behaviour{.fail_opens = 1});
    const auto queue = running.process.add_producer("eth0");
    running.start();
    push_all(*queue, 0, 100, 1);
    queue->end_of_stream();
    running.finish();
    REQUIRE(running.exporter.opens.size() == 2);
    CHECK(running.exporter.opens[1] - running.exporter.opens[0] >= 40ms);
}

TEST_CASE("ExportingProcess: after a write that failed half way goes on behind what was taken") {
    Running running(quick(), RecordingExporter::Behaviour{.fail_writes = 3, .take_before_failing = 3});
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 2, 10);
    queue->end_of_stream();
    running.start();
    running.finish();
    CHECK(running.exporter.ids == numbers(20));
    CHECK(running.exporter.opens.size() == 4);
    CHECK(running.exporter.closes == 1);
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: busy is no failure, however long it lasts") {
    Running running(file_run(1ms), RecordingExporter::Behaviour{.busy_writes = 20});
    const auto queue = running.process.add_producer("files");
    push_all(*queue, 0, 1, 10);
    queue->end_of_stream();
    running.start();
    running.finish();
    CHECK(running.exporter.ids == numbers(10));
    CHECK(running.exporter.opens.size() == 1);
    CHECK_FALSE(running.process.failed_for_good());
    CHECK(running.process.last_error().empty());
}

TEST_CASE("ExportingProcess: a flush that fails at the end is tried again before it ends") {
    Running running(quick(), RecordingExporter::Behaviour{.fail_flushes = 3, .hold_back = true});
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 1, 5);
    queue->end_of_stream();
    running.start();
    running.finish();
    CHECK(running.exporter.ids == numbers(5));
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: flushes at its interval when nothing comes") {
    Running running(quick(), RecordingExporter::Behaviour{});
    const auto queue = running.process.add_producer("eth0");
    const auto begin = Clock::now();
    running.start();
    CHECK(running.exporter.wait_until([](const auto& e) { return e.flushes >= 5; }));
    CHECK(Clock::now() - begin >= 50ms);
    queue->end_of_stream();
    running.finish();
}

TEST_CASE("ExportingProcess: flushes at its interval while the rate limit holds records back") {
    ExportingOptions options = quick();
    options.rate_limit = 100;
    Running running(options, RecordingExporter::Behaviour{.hold_back = true});
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 2, 64);  // the second waits for 0.64 s
    running.start();
    CHECK(running.exporter.wait_until([](const auto& e) { return e.flushes >= 3 && e.ids.size() == 64; }));
    running.thread.request_stop();
    queue->end_of_stream();
    running.finish();
    CHECK(running.exporter.ids.size() == 128);
}

TEST_CASE("ExportingProcess: at no moment has more left than the rate limit allows") {
    ExportingOptions options = quick();
    options.rate_limit = 2000;  // bucket: 100 records
    Running running(options, RecordingExporter::Behaviour{});
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 20, 25);
    queue->end_of_stream();
    const auto begin = Clock::now();
    running.start();
    running.finish();

    CHECK(running.exporter.ids == numbers(500));
    double written = 0;
    int too_early = 0;
    for (const auto& write : running.exporter.writes) {
        written += static_cast<double>(write.records);
        const double seconds = std::chrono::duration<double>(write.time - begin).count();
        too_early += written > 100 + 2000 * seconds + 1;
    }
    CHECK(too_early == 0);
    CHECK(Clock::now() - begin >= 199ms);
}

TEST_CASE("ExportingProcess: a batch larger than the bucket passes and is paid for afterwards") {
    ExportingOptions options = quick();
    options.rate_limit = 1000;  // bucket: 64 records
    Running running(options, RecordingExporter::Behaviour{});
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 2, 164);
    queue->end_of_stream();
    running.start();
    running.finish();
    REQUIRE(running.exporter.writes.size() == 2);
    CHECK(running.exporter.writes[1].time - running.exporter.writes[0].time >= 160ms);
}

TEST_CASE("ExportingProcess: in a file run gives up after failing for long enough, and counts what is lost") {
    Running running(file_run(60ms), std::make_unique<FailingExporter>());
    const auto queue = running.process.add_producer("files");
    push_all(*queue, 0, 4, 10);
    const auto begin = Clock::now();
    running.start();
    running.thread.join();  // neither sealed nor ended
    CHECK(Clock::now() - begin >= 60ms);
    CHECK(running.process.finished());
    CHECK(running.process.failed_for_good());
    CHECK(running.process.dropped_undelivered() == 40);
    CHECK(queue->abandoned());
    CHECK_FALSE(queue->try_push(make_batch(40, 1)));
    CHECK(running.nothing_is_missing());
    CHECK(running.process.add_producer("late")->abandoned());
}

TEST_CASE("ExportingProcess: giving up counts only the rest of the batch it was at") {
    Running running(file_run(30ms),
                    RecordingExporter::Behaviour{.fail_flushes = -1, .take_before_failing = 4, .hold_back = true});
    running.exporter.change([](auto& b) { b.fail_writes = 1; });
    const auto queue = running.process.add_producer("files");
    push_all(*queue, 0, 1, 10);
    queue->end_of_stream();
    running.start();
    running.finish();
    CHECK(running.process.failed_for_good());
    CHECK(running.process.counters().records.get() == 0);
    CHECK(running.process.counters().dropped_failed.get() + running.process.dropped_undelivered() == 10);
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: in a file run an error that time does not heal ends it at once") {
    for (const auto code : {ErrorCode::kNotFound, ErrorCode::kPermission, ErrorCode::kInvalidArgument}) {
        Running running(file_run(1h), std::make_unique<FailingExporter>(code));
        const auto queue = running.process.add_producer("files");
        push_all(*queue, 0, 1, 10);
        running.start();
        running.thread.join();
        CHECK(running.exporter.opens.size() == 1);
        CHECK(running.process.failed_for_good());
        CHECK(running.process.dropped_undelivered() == 10);
    }
}

TEST_CASE("ExportingProcess: a file run without a flow fails when its file cannot be made") {
    Running running(file_run(), std::make_unique<FailingExporter>());
    running.process.add_producer("files")->end_of_stream();
    running.start();
    running.finish();
    CHECK(running.process.failed_for_good());

    Running live(quick(), std::make_unique<FailingExporter>());
    live.process.add_producer("eth0")->end_of_stream();
    live.start();
    live.finish();
    CHECK_FALSE(live.process.failed_for_good());
}

TEST_CASE("ExportingProcess: after a stop a healthy exporter gets everything that its producers still bring") {
    Running running(quick(), RecordingExporter::Behaviour{});
    const auto queue = running.process.add_producer("eth0");
    running.start();
    push_all(*queue, 0, 10, 10);
    running.thread.request_stop();
    push_all(*queue, 100, 10, 10);
    queue->end_of_stream();
    running.thread.join();  // a stop seals
    CHECK(running.exporter.ids == numbers(200));
    CHECK(running.process.dropped_undelivered() == 0);
}

TEST_CASE("ExportingProcess: a stop without producers ends it at once") {
    ExportingOptions options = quick();
    options.drain_timeout = 1h;
    Running running(options, RecordingExporter::Behaviour{});
    running.start();
    running.stop();
    CHECK(running.process.finished());
}

TEST_CASE("ExportingProcess: after a stop a failing exporter is tried until the drain timeout, the rest is counted") {
    ExportingOptions options = quick();
    options.retry_min = options.retry_max = 1h;  // the stop must not wait for this
    options.drain_timeout = 300ms;
    Running running(options, std::make_unique<FailingExporter>());
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 3, 10);
    running.start();
    REQUIRE(running.exporter.wait_until([](const auto& e) { return !e.opens.empty(); }));
    const auto begin = Clock::now();
    running.stop();
    CHECK(Clock::now() - begin >= 300ms);
    CHECK(running.exporter.opens.size() >= 2);
    CHECK(running.process.dropped_undelivered() == 30);
    CHECK_FALSE(running.process.failed_for_good());
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: ends by the moment that is set for it, whatever its drain timeout") {
    ExportingOptions options = quick();
    options.drain_timeout = 1h;
    Running running(options, std::make_unique<FailingExporter>());
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 3, 10);
    running.start();
    REQUIRE(running.exporter.wait_until([](const auto& e) { return !e.opens.empty(); }));
    running.thread.request_stop();
    running.process.end_by(Clock::now() + 50ms);
    running.thread.join();
    CHECK(queue->abandoned());
    CHECK(running.process.dropped_undelivered() == 30);
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: an exporter that comes back after the stop still gets its records") {
    ExportingOptions options = quick();
    options.retry_min = options.retry_max = 1h;
    Running running(options, RecordingExporter::Behaviour{.fail_opens = 1});
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 3, 10);
    queue->end_of_stream();
    running.start();
    REQUIRE(running.exporter.wait_until([](const auto& e) { return !e.opens.empty(); }));
    running.stop();
    CHECK(running.exporter.ids == numbers(30));
}

TEST_CASE("ExportingProcess: what the rate limit holds back at the drain timeout is counted") {
    ExportingOptions options = quick();
    options.rate_limit = 10;
    options.drain_timeout = 50ms;
    Running running(options, RecordingExporter::Behaviour{});
    const auto queue = running.process.add_producer("eth0");
    push_all(*queue, 0, 4, 64);
    queue->end_of_stream();
    running.start();
    REQUIRE(running.exporter.wait_until([](const auto& e) { return e.ids.size() == 64; }));
    running.stop();
    CHECK(running.process.dropped_undelivered() == 192);
    CHECK(running.nothing_is_missing());
}

TEST_CASE("ExportingProcess: many failures are one line of the log, and so is the recovery") {
    test::CapturedLog log;
    Running running(quick(), std::make_unique<RecordingExporter>(RecordingExporter::Behaviour{.fail_opens = 5}),
                    log.logger());
    const auto queue = running.process.add_producer("eth0");
    running.start();
    REQUIRE(running.exporter.wait_until([](const auto& e) { return e.flushes >= 2; }));
    queue->end_of_stream();
    running.finish();
    CHECK(log.count("<4>exporter failing name=siem destination=memory error=\"memory: open refused\" retry_s=") == 1);
    CHECK(log.count("<6>exporter up name=siem type=test destination=memory\n") == 1);
    CHECK(log.text().find("exporter failing") < log.text().find("exporter up"));
}

TEST_CASE("ExportingProcess: records lost for good are an error in the log") {
    test::CapturedLog log;
    Running running(file_run(1ms), std::make_unique<FailingExporter>(), log.logger());
    push_all(*running.process.add_producer("files"), 0, 1, 7);
    running.start();
    running.thread.join();
    CHECK(log.count("<3>exporter failed for good name=siem") == 1);
    CHECK(log.count("records_dropped=7") == 1);
}

}  // namespace
}  // namespace nfstreamd
