// SPDX-License-Identifier: Apache-2.0
// Body of an exporter's thread: takes batches from its queues, writes, flushes,
// backs off after a failure, and retires when all its producers have ended.
// run() belongs to the exporter's thread; everything else to any thread.
//
// With a spool nothing is lost that the exporter cannot deliver now: what it
// may have lost is written again, and what it does not take waits on the disk.
#pragma once
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/export/exporter.hpp"
#include "core/export/exporter_ledger.hpp"
#include "core/export/loss_counter.hpp"
#include "core/export/record_queue.hpp"
#include "core/export/spool.hpp"
#include "core/export/unconfirmed_records.hpp"
#include "core/selection/record_selector.hpp"

namespace nfstreamd {

struct ExportingOptions {
    double rate_limit = 0;                                        // records per second; 0: none
    std::chrono::milliseconds flush_interval{1000};               // a partly filled message leaves after this
    std::size_t queue_batches = 4096;                             // per metering process
    bool wait_for_room = false;                                   // file run: lose nothing, hold the reader back
    std::chrono::milliseconds retry_min{1000}, retry_max{60000};  // between the beginnings of two attempts
    std::chrono::milliseconds give_up_after{0};                   // file run: failed for so long = for good; 0: never
    std::chrono::milliseconds drain_timeout{20000};  // at stop: what is not out by then is dropped, counted
    SpoolOptions spool{};                            // not together with wait_for_room
    friend bool operator==(const ExportingOptions&, const ExportingOptions&) = default;
};

class ExportingProcess {
public:
    // `selector` null: every record is exported.
    ExportingProcess(std::string name, std::string type, std::unique_ptr<Exporter> exporter, ExportingOptions options,
                     Logger& logger, std::unique_ptr<RecordSelector> selector = nullptr);

    // One queue for each metering process that feeds this exporter. May be
    // called while running; after the end it gives a queue that takes nothing.
    std::shared_ptr<RecordQueue> add_producer(const std::string& name);

    // Returns when all producers have ended and everything is out, given up, or
    // `stop` was requested and the drain timeout or the moment of end_by() has
    // passed. A stop seals.
    void run(std::stop_token stop);

    // No producer will be added any more: the thread may end when the present
    // ones have.
    void seal();
    // At a stop: whatever its drain timeout, nothing is tried after this moment.
    void end_by(std::chrono::steady_clock::time_point deadline);

    // Templates and options go out again at once, or with the next session, which begins
    // with them. Any thread.
    enum class Announcement : std::uint8_t { kDone, kWithNextSession, kNone, kPending };
    std::uint64_t request_announcement();                   // its number
    Announcement announcement(std::uint64_t number) const;  // what became of it

    const std::string& name() const noexcept { return name_; }
    const std::string& type() const noexcept { return type_; }
    const ExportingOptions& options() const noexcept { return options_; }
    std::string destination() const { return exporter_->description(); }
    const ExporterCounters& counters() const noexcept { return exporter_->counters(); }
    std::vector<CollectorView> collectors() const { return exporter_->collectors(); }

    // Records of all producers so far: pushed = popped + still queued, and
    // popped + recovered from the spool = in the exporter's hands + filtered + sampled_out
    // + elsewhere + dropped_undelivered + in_hand + in the spool + dropped_full and _failed, discarded of it.
    struct QueueCounters {
        std::uint64_t pushed = 0, popped = 0, dropped_full = 0;
        std::uint64_t packets_pushed = 0, packets_popped = 0, packets_dropped_full = 0;  // in them
        std::uint64_t limit = 0;  // that the queues hold at most, if every batch is full
    };
    QueueCounters queue_counters() const;

    // Left out as the operator wants it.
    std::uint64_t filtered() const noexcept { return selector_ ? selector_->filtered() : 0; }
    std::uint64_t sampled_out() const noexcept { return selector_ ? selector_->sampled_out() : 0; }
    std::uint64_t elsewhere() const noexcept { return selector_ ? selector_->elsewhere() : 0; }

    // Given up, at stop or for good. Once finished, what a producer pushed in the
    // last moment counts too: pushed = written + dropped by the exporter + this.
    std::uint64_t dropped_undelivered() const;
    std::uint64_t in_hand() const noexcept { return in_hand_.get(); }  // taken, and not written so far

    const SpoolCounters* spool_counters() const noexcept { return spool_ ? &spool_->counters() : nullptr; }
    std::string spool_folder() const { return spool_ ? spool_->folder() : std::string(); }
    // Handed over once more, as the exporter could not say that they had arrived:
    // no more than so many are there twice.
    std::uint64_t redelivered() const noexcept { return redelivered_.get(); }

    // Asks for a ledger, which is made between two calls of the exporter; numbers go up.
    void request_ledger(std::uint64_t number);
    ExporterLedger ledger() const;  // the last one that was made
    // One of this moment, where no thread is in run(), or it has settled.
    ExporterLedger make_ledger(std::uint64_t number) const;

    // Before they came to the exporter: no room in a queue or the spool, given up
    // at a stop. What the selector leaves out is no loss.
    LossTotals losses() const;

    bool failed_for_good() const noexcept { return failed_for_good_.load(); }
    std::string last_error() const;
    // What will not be delivered is counted; the exporter is closed then, which may take as long as its library likes.
    bool settled() const noexcept { return settled_.load(); }
    bool finished() const noexcept { return finished_.load(); }

private:
    using Clock = std::chrono::steady_clock;

    bool step(const std::stop_token& stop);
    bool out_of_time(Clock::time_point now, const std::stop_token& stop);
    Clock::time_point drain_deadline() const;
    bool nothing_will_come(const std::stop_token& stop) const;
    bool take_next_batch();
    RecordBatchPtr pop();
    RecordBatchPtr select(RecordBatchPtr batch);
    static void add(QueueCounters& counters, const RecordQueue& queue);
    bool ensure_open(Clock::time_point now);
    bool flush();
    void pause();
    void answer_announcement_requests();
    void write_batch();
    bool nap(Clock::time_point now);
    void answer_ledger();
    Clock::time_point when_to_write(Clock::time_point now);
    void note_success();
    void note_failure(const Error& error);
    Clock::duration soon() const;
    Clock::duration retry_delay();
    void sleep_until(Clock::time_point when);
    void settle();
    void leave(std::span<const FlowRecord> records);

    // of the spool
    void tend_spool(Clock::time_point now);
    bool is_down() const;
    bool is_filling() const;
    void fill_spool(Clock::time_point now);
    void take_back();
    void spill_pending(bool at_the_end);
    void keep_unconfirmed();
    bool all_confirmed();
    void commit_spool();

    const std::string name_, type_;
    const std::unique_ptr<Exporter> exporter_;
    const ExportingOptions options_;
    Logger& logger_;
    const std::unique_ptr<RecordSelector> selector_;
    const std::shared_ptr<WakeEvent> wake_ = std::make_shared<WakeEvent>();

    mutable std::mutex mutex_;  // guards the next six
    std::vector<std::shared_ptr<RecordQueue>> queues_;
    QueueCounters retired_;  // of queues that have ended and left
    LossTotals retired_losses_;
    std::string last_error_;
    ExporterLedger ledger_;
    bool abandoned_ = false;

    std::atomic<bool> sealed_{false}, settled_{false}, finished_{false}, failed_for_good_{false};
    std::atomic<std::uint64_t> ledger_wanted_{0};
    std::atomic<std::uint64_t> announcements_wanted_{0}, announcements_answered_{0};
    std::atomic<Announcement> last_announcement_{Announcement::kPending};
    std::atomic<Clock::time_point> end_by_{Clock::time_point::max()};
    Counter dropped_undelivered_, in_hand_, redelivered_;
    Counter taken_;  // by the exporter, and not given back since
    Counter packets_taken_, packets_left_out_;
    LossCounter losses_;  // of this thread; producers count at their queues

    // the exporter's thread only. In the order of their records: unconfirmed_,
    // hand_, pending_, spool_, held_, queues_.
    const std::unique_ptr<Spool> spool_;  // null: none
    UnconfirmedRecords unconfirmed_;      // taken by the exporter
    RecordRange hand_;                    // being written; no batch: none is
    std::deque<RecordRange> pending_;     // to be written again
    std::size_t pending_records_ = 0;
    RecordBatchPtr held_;    // on its way to the spool, or null
    bool spooling_ = false;  // the spool is open
    std::optional<Clock::time_point> confirm_by_;
    bool concluding_ = false;        // the exporter knows that no more will come
    std::uint64_t ledger_made_ = 0;  // number of the last one
    std::size_t next_queue_ = 0;
    bool open_ = false, ever_open_ = false;
    bool unflushed_ = false;  // records were handed over since the last flush
    bool gathered_ = false;   // and since the last pause
    std::chrono::milliseconds retry_;
    std::optional<Clock::time_point> failing_since_, stopping_since_;
    Clock::time_point next_try_{}, next_flush_{}, busy_until_{}, refilled_{}, last_batch_{};
    Clock::time_point last_try_{};  // when the last attempt to open began
    bool opening_ = false;          // and it goes on
    double tokens_;
    std::minstd_rand jitter_;
    RateLimit failure_log_;
    bool up_logged_ = false;  // since the last failure that was logged
};

}  // namespace nfstreamd
