// SPDX-License-Identifier: Apache-2.0
// An exporting process with its thread, and records for it.
#pragma once
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "core/export/exporting_process.hpp"
#include "tests/support/recording_exporter.hpp"

namespace nfstreamd::test {

inline ExportingOptions quick() {
    ExportingOptions options;
    options.retry_min = std::chrono::milliseconds(1);
    options.retry_max = std::chrono::milliseconds(8);
    options.flush_interval = std::chrono::milliseconds(10);
    return options;
}

// A process with its exporter and, once started, its thread.
struct Running {
    RecordingExporter& exporter;
    ExportingProcess process;
    std::jthread thread;

    explicit Running(ExportingOptions options, std::unique_ptr<RecordingExporter> recording,
                     Logger& logger = quiet_logger())
        : exporter(*recording), process("siem", "test", std::move(recording), options, logger) {}
    Running(ExportingOptions options, RecordingExporter::Behaviour behaviour)
        : Running(options, std::make_unique<RecordingExporter>(behaviour)) {}

    void start() {
        thread = std::jthread([this](std::stop_token stop) { process.run(stop); });
    }
    void finish() {
        process.seal();
        thread.join();
        check_ledger();
    }
    void stop() {
        thread.request_stop();
        thread.join();
        check_ledger();
    }

    // At the end: what was taken is counted, and what was not is somewhere.
    void check_ledger() const {
        const ExporterLedger ledger = process.make_ledger(kLastLedger);
        CHECK(ledger.closed);
        const auto dropped = std::accumulate(ledger.dropped.begin(), ledger.dropped.end(), std::uint64_t{0});
        CHECK(ledger.taken == ledger.exported + dropped);
        CHECK(ledger.pushed + ledger.recovered == ledger.taken + ledger.filtered + ledger.sampled_out +
                                                      ledger.elsewhere + ledger.queued + ledger.in_hand +
                                                      ledger.in_spool + ledger.undelivered + ledger.spool_full +
                                                      ledger.spool_failed + ledger.spool_damaged);
        CHECK(ledger.queued == 0);
        CHECK(ledger.in_hand == 0);
        if (!ledger.knows_packets) return;
        CHECK(ledger.packets_pushed == ledger.packets_taken + ledger.packets_left_out + ledger.packets_undelivered);
        CHECK(ledger.packets_queued + ledger.packets_in_hand == 0);
    }

    // What came into the queues is out or counted as lost.
    bool nothing_is_missing() const {
        const auto queues = process.queue_counters();
        const auto& counters = process.counters();
        const auto dropped_by_exporter = lost_records(counters);
        std::uint64_t taken = queues.pushed;
        std::uint64_t left = process.filtered() + process.sampled_out() + process.elsewhere() +
                             process.dropped_undelivered() + process.in_hand() + (queues.pushed - queues.popped);
        if (process.finished()) left -= queues.pushed - queues.popped;  // undelivered, too
        if (const auto* spool = process.spool_counters()) {
            taken += spool->recovered.get();
            left +=
                spool->records.get() + spool->dropped_full.get() + spool->dropped_failed.get() + spool->discarded.get();
        }
        return taken == counters.records.get() + dropped_by_exporter + left;
    }
};

inline std::vector<std::uint64_t> numbers(std::size_t count) {
    std::vector<std::uint64_t> out(count);
    std::iota(out.begin(), out.end(), 0);
    return out;
}

inline RecordBatchPtr with_packets(const RecordBatchPtr& plain) {
    auto batch = std::make_shared<RecordBatch>();
    batch->records = plain->records;
    for (auto& record : batch->records) record.forward.packets = 1 + record.id % 3;
    return batch;
}

inline void push_all(RecordQueue& queue, std::uint64_t first, std::size_t batches, std::size_t size) {
    for (std::size_t i = 0; i < batches; ++i) REQUIRE(queue.try_push(with_packets(make_batch(first + i * size, size))));
}

}  // namespace nfstreamd::test
