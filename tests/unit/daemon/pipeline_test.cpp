// SPDX-License-Identifier: Apache-2.0
#include "daemon/pipeline.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/recording_exporter.hpp"

namespace nfstreamd::daemon {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// An exporter named "dead" that owns its path and never works, with 10 records
// in a queue that nobody ends.
std::unique_ptr<ExporterUnit> dead_exporter(std::uint64_t id) {
    ExportingOptions options;
    options.retry_min = options.retry_max = 1ms;
    auto unit = std::make_unique<ExporterUnit>();
    unit->id = id;
    unit->config.name = "dead";
    unit->exclusive = true;
    unit->process = std::make_unique<ExportingProcess>("dead", "test", std::make_unique<test::FailingExporter>(),
                                                       options, test::quiet_logger());
    REQUIRE(unit->process->add_producer("eth0")->try_push(test::make_batch(0, 10)));
    return unit;
}

}  // namespace

TEST_CASE("Pipeline: a stop ends in time although a replaced exporter still holds up its successor") {
    boost::asio::io_context context;
    bool ended = false;
    Pipeline* running = nullptr;
    Pipeline pipeline(context, test::quiet_logger(), [&] {
        ended = running->exporters_ended();
        if (ended) context.stop();
    });
    running = &pipeline;

    pipeline.start(dead_exporter(1));
    Rewiring change;
    change.exporter_order = {"dead"};
    change.new_exporters.push_back(dead_exporter(2));
    pipeline.rewire(std::move(change));
    REQUIRE(pipeline.exporters().size() == 1);
    CHECK(pipeline.exporters().front()->waits_for.contains(1));

    pipeline.stop_exporters(Clock::now() + 200ms);
    const auto work = boost::asio::make_work_guard(context);
    context.run_for(10s);
    CHECK(ended);
    CHECK(pipeline.totals().export_dropped == 20);
}

}  // namespace nfstreamd::daemon
