// SPDX-License-Identifier: Apache-2.0
// An exporting process that leaves records out as the operator wants it.
#include <doctest/doctest.h>

#include <memory>
#include <thread>

#include "core/export/exporting_process.hpp"
#include "tests/support/recording_exporter.hpp"

namespace nfstreamd {
namespace {

using namespace std::chrono_literals;
using test::make_batch;
using test::RecordingExporter;

std::unique_ptr<RecordSelector> selector(std::string_view filter, FlowSamplingOptions sampling = {}) {
    return std::make_unique<RecordSelector>(FilterExpression::parse(filter, {}).value(), sampling, 1);
}

struct Selecting {
    RecordingExporter& exporter;
    ExportingProcess process;

    Selecting(std::unique_ptr<RecordingExporter> recording, std::unique_ptr<RecordSelector> chosen,
              ExportingOptions options = {})
        : exporter(*recording),
          process("siem", "test", std::move(recording), options, test::quiet_logger(), std::move(chosen)) {}
    explicit Selecting(std::unique_ptr<RecordSelector> chosen)
        : Selecting(std::make_unique<RecordingExporter>(), std::move(chosen)) {}
};

TEST_CASE("ExportingProcess: writes what the selector selects, counts the rest, and loses nothing") {
    Selecting run(selector("id < 40", {SamplingMethod::kSystematic, 4}));
    const auto queue = run.process.add_producer("eth0");
    for (std::uint64_t first = 0; first < 100; first += 10) REQUIRE(queue->try_push(make_batch(first, 10)));
    queue->end_of_stream();
    run.process.seal();
    run.process.run({});
    CHECK(run.exporter.ids == std::vector<std::uint64_t>{0, 4, 8, 12, 16, 20, 24, 28, 32, 36});
    CHECK(run.process.filtered() == 60);
    CHECK(run.process.sampled_out() == 30);
    CHECK(run.process.dropped_undelivered() == 0);
    const auto queues = run.process.queue_counters();
    CHECK(queues.pushed == 100);
    CHECK(queues.popped == run.process.counters().records.get() + run.process.filtered() + run.process.sampled_out());
}

TEST_CASE("ExportingProcess: batches of which nothing is selected do not hold up those behind them") {
    ExportingOptions options;
    options.flush_interval = 60s;  // sleeping until the flush would show
    Selecting run(std::make_unique<RecordingExporter>(), selector("id >= 1000"), options);
    const auto queue = run.process.add_producer("eth0");
    for (std::uint64_t first = 0; first < 1001; first += 7) REQUIRE(queue->try_push(make_batch(first, 7)));
    std::jthread thread([&](std::stop_token stop) { run.process.run(stop); });
    CHECK(run.exporter.wait_until([](const RecordingExporter& e) { return e.ids.size() == 1; }));
    queue->end_of_stream();
    run.process.seal();
    thread.join();
    CHECK(run.exporter.ids == std::vector<std::uint64_t>{1000});
    CHECK(run.process.filtered() == 1000);
}

TEST_CASE("ExportingProcess: a selector that selects nothing still ends, opened and flushed") {
    Selecting run(selector("id > 1000000"));
    const auto queue = run.process.add_producer("eth0");
    REQUIRE(queue->try_push(make_batch(0, 10)));
    queue->end_of_stream();
    run.process.seal();
    run.process.run({});
    CHECK(run.exporter.ids.empty());
    CHECK(run.exporter.opens.size() == 1);
    CHECK(run.exporter.flushes >= 1);
}

TEST_CASE("ExportingProcess: what would have been left out is not called lost by one that fails for good") {
    ExportingOptions options;
    options.wait_for_room = true;
    options.give_up_after = 1ms;
    options.retry_min = options.retry_max = 1ms;
    Selecting run(std::make_unique<test::FailingExporter>(), selector("id in [3, 13]"), options);
    const auto queue = run.process.add_producer("files");
    REQUIRE(queue->try_push(make_batch(0, 10)));
    REQUIRE(queue->try_push(make_batch(10, 10)));
    queue->end_of_stream();
    run.process.seal();
    run.process.run({});
    CHECK(run.process.failed_for_good());
    CHECK(run.process.dropped_undelivered() == 2);
    CHECK(run.process.filtered() == 18);
}

}  // namespace
}  // namespace nfstreamd
