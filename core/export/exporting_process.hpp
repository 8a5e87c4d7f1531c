// SPDX-License-Identifier: Apache-2.0
// Body of an exporter's thread: takes batches from its queues, writes, flushes,
// backs off after a failure, and retires when all its producers have ended.
// run() belongs to the exporter's thread; everything else to any thread.
#pragma once
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/export/exporter.hpp"
#include "core/export/record_queue.hpp"

namespace nfstreamd {

struct ExportingOptions {
    double rate_limit = 0;                                // records per second; 0: none
    std::chrono::milliseconds flush_interval{1000};       // a partly filled message leaves after this
    std::size_t queue_batches = 4096;                     // per metering process
    bool wait_for_room = false;                           // file run: lose nothing, hold the reader back
    std::chrono::milliseconds retry_min{1000}, retry_max{60000};
    std::chrono::milliseconds give_up_after{0};           // file run: failed for so long = for good; 0: never
    std::chrono::milliseconds drain_timeout{20000};       // at stop: what is not out by then is dropped, counted
    friend bool operator==(const ExportingOptions&, const ExportingOptions&) = default;
};

class ExportingProcess {
public:
    ExportingProcess(std::string name, std::string type, std::unique_ptr<Exporter> exporter, ExportingOptions options,
                     Logger& logger);

    // One queue for each metering process that feeds this exporter. May be
    // called while running.
    std::shared_ptr<RecordQueue> add_producer(const std::string& name);

    // Returns when all producers have ended and everything is out, given up, or
    // `stop` was requested and the drain timeout has passed.
    void run(std::stop_token stop);

    // No producer will be added any more: the thread may end when the present
    // ones have.
    void seal();

    const std::string& name() const noexcept { return name_; }
    const std::string& type() const noexcept { return type_; }
    const ExportingOptions& options() const noexcept { return options_; }
    std::string destination() const { return exporter_->description(); }
    const ExporterCounters& counters() const noexcept { return exporter_->counters(); }

    struct QueueCounters {
        std::uint64_t pushed = 0, popped = 0, dropped_full = 0;
    };
    QueueCounters queue_counters() const;
    std::uint64_t dropped_undelivered() const noexcept { return dropped_undelivered_.get(); }  // given up at stop
    bool failed_for_good() const noexcept { return failed_for_good_.load(); }
    std::string last_error() const;
    bool finished() const noexcept { return finished_.load(); }

private:
    bool write_batch(const RecordBatch& batch, std::stop_token stop);
    bool ensure_open(std::stop_token stop);
    void pace(std::size_t records, std::stop_token stop);
    void note_failure(const Error& error);
    bool give_up(std::stop_token stop);
    void drop_rest();

    const std::string name_, type_;
    const std::unique_ptr<Exporter> exporter_;
    const ExportingOptions options_;
    Logger& logger_;
    const std::shared_ptr<WakeEvent> wake_ = std::make_shared<WakeEvent>();

    mutable std::mutex mutex_;  // guards queues_, last_error_
    std::vector<std::shared_ptr<RecordQueue>> queues_;
    std::string last_error_;

    std::atomic<bool> sealed_{false}, finished_{false}, failed_for_good_{false};
    Counter dropped_undelivered_;

    // the exporter's thread only
    bool open_ = false;
    std::chrono::milliseconds retry_{};
    std::chrono::steady_clock::time_point next_try_{}, failing_since_{}, stopping_since_{};
    double tokens_ = 0;
    std::chrono::steady_clock::time_point refilled_{};
    RateLimit failure_log_;
};

}  // namespace nfstreamd
