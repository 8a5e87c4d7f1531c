// SPDX-License-Identifier: Apache-2.0
#include "daemon/auditor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>

#include "tests/support/captured_log.hpp"
#include "tests/support/recording_exporter.hpp"
#include "tests/unit/core/metering/metered.hpp"

namespace nfstreamd::daemon {
namespace {

using namespace std::chrono_literals;
using test::RecordingExporter;
using test::SyntheticSource;

// Takes every record, and forgets one of them.
class LosingExporter final : public RecordingExporter {
public:
    Status write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) override {
        if (std::exchange(lost_, true) || batch.records.size() - from < 2)
            return RecordingExporter::write(batch, from, consumed);
        return RecordingExporter::write(batch, from + 1, consumed);
    }

private:
    bool lost_ = false;
};

// A meter with flows of one packet each, and an exporter.
class RunningPipeline {
public:
    RunningPipeline(SyntheticSource::Kind kind, std::unique_ptr<RecordingExporter> made)
        : exporter(*made), is_link(kind == SyntheticSource::Kind::kLink) {
        auto source = std::make_unique<SyntheticSource>(kind);
        for (int n = 0; n < 100; ++n) source->add(test::udp_frame(test::host(n), "10.9.0.1"), test::kStart + n);
        auto out = std::make_unique<ExporterUnit>();
        out->id = 1;
        out->config.name = "main";
        ExportingOptions options;
        options.retry_min = options.retry_max = 1ms;
        options.flush_interval = 10ms;
        out->process = std::make_unique<ExportingProcess>("main", "test", std::move(made), options, log.logger());
        auto in = std::make_unique<MeterUnit>();
        in->plan.name = "eth0";
        in->outputs["main"] = out->process->add_producer("eth0");
        const ObservationPoint point{1, "eth0", !is_link};
        in->process = std::make_unique<MeteringProcess>(point, test::plain_options(), std::move(source),
                                                        std::vector{in->outputs["main"]}, log.logger());
        REQUIRE(in->process->open());
        pipeline.start(std::move(out));
        pipeline.seal_exporters();
        pipeline.start(std::move(in));
    }

    bool run_until(const std::function<bool()>& condition) {
        for (int turn = 0; turn < 3000 && !condition(); ++turn) context.run_one_for(10ms);
        return condition();
    }
    void end() {
        if (is_link) pipeline.stop_meters();  // a file is read to its end
        REQUIRE(run_until([this] { return pipeline.meters_ended() && pipeline.exporters_ended(); }));
    }

    boost::asio::io_context context;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
    test::CapturedLog log;
    Pipeline pipeline{context, log.logger(), [] {}};
    Auditor auditor{context, pipeline, log.logger()};
    RecordingExporter& exporter;
    const bool is_link;
};

}  // namespace

TEST_CASE("Auditor: asks the threads while they run, and again at the end") {
    RunningPipeline running(SyntheticSource::Kind::kLink, std::make_unique<RecordingExporter>());
    const auto& counters = running.pipeline.meters().front()->process->counters();
    REQUIRE(running.run_until([&] { return counters.packets.get() == 100; }));
    std::vector<Ledger> told;
    for (int i = 0; i < 2; ++i) running.auditor.audit([&](const Ledger& ledger) { told.push_back(ledger); });
    running.auditor.check();
    REQUIRE(running.run_until([&] { return running.auditor.checks() == 3; }));
    REQUIRE(told.size() == 2);
    for (const auto& balance : told.back().balances) {
        CAPTURE(balance.text());
        CHECK(balance.current);
        CHECK(balance.difference() == 0);
    }
    running.end();
    CHECK(running.auditor.check_at_rest());
    CHECK(running.auditor.violations() == 0);
    CHECK(
        running.log.contains("ledger balanced balances=7 packets_received=100 packets_metered=100 records_made=100 "
                             "checks=4 violations=0"));
}

TEST_CASE("Auditor: an exporter that is in a call has its ledger of before, and holds up nobody for long") {
    RunningPipeline running(SyntheticSource::Kind::kFile,
                            std::make_unique<RecordingExporter>(RecordingExporter::Behaviour{.block_writes = true}));
    REQUIRE(running.exporter.wait_until([](const RecordingExporter& e) { return e.writes_begun > 0; }));
    std::optional<Ledger> told;
    running.auditor.audit([&](const Ledger& ledger) { told = ledger; });
    CHECK(running.run_until([&] { return told.has_value(); }));
    REQUIRE(told);
    CHECK_FALSE(told->broken());
    CHECK(std::any_of(told->balances.begin(), told->balances.end(),
                      [](const auto& balance) { return balance.of == "exporter main" && !balance.current; }));
    running.exporter.change([](RecordingExporter::Behaviour& behaviour) { behaviour.block_writes = false; });
    running.end();
    CHECK(running.auditor.check_at_rest());
}

TEST_CASE("Auditor: a record that an exporter loses is missed, and told once") {
    RunningPipeline running(SyntheticSource::Kind::kFile, std::make_unique<LosingExporter>());
    running.end();
    CHECK_FALSE(running.auditor.check_at_rest());
    CHECK(running.auditor.violations() == 1);
    CHECK(
        running.log.contains("the ledger does not balance of=\"exporter main\" balance=records "
                             "counts=\"100 = exported 99\" missing=1"));
    CHECK_FALSE(running.log.contains("ledger balanced"));
    running.auditor.check();  // of the same balance the log hears once in a while
    running.auditor.check();
    REQUIRE(running.run_until([&] { return running.auditor.checks() == 3; }));
    CHECK(running.auditor.violations() == 3);
    CHECK(running.log.count("the ledger does not balance") == 2);
}

}  // namespace nfstreamd::daemon
