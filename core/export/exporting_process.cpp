// SPDX-License-Identifier: Apache-2.0
#include "core/export/exporting_process.hpp"

#include <algorithm>
#include <cmath>
#include <thread>
#include <utility>

namespace nfstreamd {
namespace {

using namespace std::chrono_literals;

constexpr double kBurstSeconds = 0.05;
constexpr double kMinimumBurst = 64;  // a batch of the metering process
constexpr auto kMinimumFlushInterval = 10ms;
constexpr auto kRetryWhileStopping = 250ms;
constexpr auto kSoon = 1s;
constexpr auto kBusyPause = 5ms;  // an exporter that was busy and took nothing
constexpr auto kLongestSleep = 60s;
constexpr auto kNap = 1ms, kNapAfter = 5ms;  // of the last batch
constexpr std::size_t kNapQueue = 1024;      // batches: more than 50 million records a second

constexpr auto kPatience = 200ms;            // with a spool: the queues wait meanwhile
constexpr auto kConfirmationAtEnd = 2s;      // of an exporter that is well
constexpr std::size_t kUnasked = 4096;       // records kept before the exporter is asked which of them it needs
constexpr std::size_t kSpooledAtOnce = 256;  // batches

double burst(const ExportingOptions& options) {
    return std::max(options.rate_limit * kBurstSeconds, kMinimumBurst);
}

// Errors of open() that time does not heal: in a file run nobody is there to
// mend the configuration meanwhile.
bool is_permanent(ErrorCode code) {
    return code == ErrorCode::kInvalidArgument || code == ErrorCode::kNotFound || code == ErrorCode::kPermission;
}

std::string seconds_text(std::chrono::steady_clock::duration time) {
    const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(time).count() / 100;
    return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10);
}

}  // namespace

ExportingProcess::ExportingProcess(std::string name, std::string type, std::unique_ptr<Exporter> exporter,
                                   ExportingOptions options, Logger& logger, std::unique_ptr<RecordSelector> selector)
    : name_(std::move(name)),
      type_(std::move(type)),
      exporter_(std::move(exporter)),
      options_(options),
      logger_(logger),
      selector_(std::move(selector)),
      spool_(options.spool.directory.empty() ? nullptr : std::make_unique<Spool>(options.spool, name_, logger)),
      retry_(options.retry_min),
      tokens_(burst(options)),
      jitter_(static_cast<std::minstd_rand::result_type>(Clock::now().time_since_epoch().count())) {}

std::shared_ptr<RecordQueue> ExportingProcess::add_producer(const std::string& name) {
    auto queue = std::make_shared<RecordQueue>(name, options_.queue_batches, wake_);
    const std::lock_guard lock(mutex_);
    if (abandoned_) queue->abandon();
    queues_.push_back(queue);
    return queue;
}

void ExportingProcess::seal() {
    sealed_ = true;
    wake_->signal();
}

void ExportingProcess::end_by(Clock::time_point deadline) {
    end_by_ = deadline;
    wake_->signal();
}

void ExportingProcess::request_ledger(std::uint64_t number) {
    ledger_wanted_ = number;
    wake_->signal();
}

std::uint64_t ExportingProcess::request_announcement() {
    const std::uint64_t number = announcements_wanted_.fetch_add(1) + 1;
    wake_->signal();
    return number;
}

ExportingProcess::Announcement ExportingProcess::announcement(std::uint64_t number) const {
    return announcements_answered_.load() >= number ? last_announcement_.load() : Announcement::kPending;
}

void ExportingProcess::run(std::stop_token stop) {
    const std::stop_callback wake_at_stop(stop, [this] { wake_->signal(); });
    refilled_ = Clock::now();
    if (spool_) exporter_->set_patience(kPatience);
    while (step(stop)) {
        in_hand_.set(hand_.size() + pending_records_ + (held_ ? held_->records.size() : 0));
        answer_ledger();
    }
    settle();
    exporter_->note_losses(losses());
    settled_ = true;
    exporter_->close();
    finished_ = true;
}

// One thing at a time: the loop comes back here after each call of the exporter
// and after each sleep, so that deadlines are looked at between them.
bool ExportingProcess::step(const std::stop_token& stop) {
    const auto now = Clock::now();
    if (out_of_time(now, stop)) return false;
    answer_announcement_requests();
    tend_spool(now);
    const bool took = !hand_.batch && take_next_batch();
    const bool left_out = took && !hand_.batch;  // nothing of it is for this exporter
    const bool last = !hand_.batch && !took && nothing_will_come(stop);

    if (!open_ && !ensure_open(now)) {
        if (last && !unflushed_) {  // nothing to deliver, but a file run must have its file
            if (options_.wait_for_room && !ever_open_) failed_for_good_ = true;
            return false;
        }
        if (!left_out && !(spooling_ && nap(now))) sleep_until(next_try_);
        return true;
    }
    if (last) {
        if ((concluding_ || flush()) && all_confirmed()) return false;
        if (open_) sleep_until(busy_until_);
        return true;
    }
    if (now >= next_flush_) {
        flush();
        return true;
    }
    if (left_out) return true;
    const auto ready = hand_.batch ? when_to_write(now) : next_flush_;
    if (ready <= now)
        write_batch();
    else if (gathered_ && busy_until_ <= now)
        pause();
    else if (!nap(now))
        sleep_until(std::min({ready, next_flush_, gathered_ ? busy_until_ : Clock::time_point::max()}));
    return true;
}

bool ExportingProcess::out_of_time(Clock::time_point now, const std::stop_token& stop) {
    if (failed_for_good_) return true;
    if (stop.stop_requested() && !stopping_since_) {
        stopping_since_ = now;
        next_try_ = std::min(next_try_, now);
    }
    if (stopping_since_ && now >= drain_deadline()) return true;
    if (options_.give_up_after > 0ms && failing_since_ && now - *failing_since_ >= options_.give_up_after) {
        failed_for_good_ = true;
        return true;
    }
    return false;
}

ExportingProcess::Clock::time_point ExportingProcess::drain_deadline() const {
    return std::min<Clock::time_point>(*stopping_since_ + options_.drain_timeout, end_by_);
}

// Queues that have ended and are empty have left the list by now. At a stop
// what is in the spool stays there, and what is pending can go there.
bool ExportingProcess::nothing_will_come(const std::stop_token& stop) const {
    if (!sealed_ && !stop.stop_requested()) return false;
    const bool stays = spooling_ && stopping_since_;
    if (!stays && (!pending_.empty() || held_ || (spooling_ && !spool_->drained()))) return false;
    const std::lock_guard lock(mutex_);
    return queues_.empty();
}

// False: there is none now.
bool ExportingProcess::take_next_batch() {
    if (!pending_.empty()) {
        if (!open_) return false;
        hand_ = std::move(pending_.front());
        pending_.pop_front();
        pending_records_ -= hand_.size();
        return true;
    }
    if (spooling_ && !open_) return false;                     // see fill_spool()
    if (spooling_ && stopping_since_ && !spool_->drained()) {  // what is there is for the next run
        if (spool_->has_room(Clock::now())) return false;
    } else if (spooling_ && !spool_->drained()) {
        auto [batch, place] = spool_->read();
        hand_ = {std::move(batch), place.skip, place};
        return hand_.batch != nullptr;
    }
    if (held_) {
        hand_ = {.batch = std::exchange(held_, nullptr)};
        return true;
    }
    hand_ = {.batch = pop()};
    if (!hand_.batch) return false;
    hand_.batch = select(std::move(hand_.batch));
    return true;
}

RecordBatchPtr ExportingProcess::select(RecordBatchPtr batch) {
    if (!selector_) return batch;
    const std::uint64_t packets = packets_of(batch->records);
    auto selected = selector_->select(std::move(batch));
    packets_left_out_.add(packets - (selected ? packets_of(selected->records) : 0));
    return selected;
}

RecordBatchPtr ExportingProcess::pop() {
    const std::lock_guard lock(mutex_);
    for (std::size_t tries = queues_.size(); tries > 0; --tries) {
        next_queue_ %= queues_.size();
        RecordQueue& queue = *queues_[next_queue_];
        const bool ended = queue.ended();  // before the look inside, as a last batch may come in between
        if (RecordBatchPtr batch = queue.try_pop()) {
            ++next_queue_;
            if (batch->records.empty()) continue;
            last_batch_ = Clock::now();
            return batch;
        }
        if (ended) {
            add(retired_, queue);
            retired_losses_ += queue.losses();
            queues_.erase(queues_.begin() + static_cast<std::ptrdiff_t>(next_queue_));
        } else {
            ++next_queue_;
        }
    }
    return nullptr;
}

bool ExportingProcess::ensure_open(Clock::time_point now) {
    if (now < next_try_) return false;
    if (!opening_) last_try_ = now;
    exporter_->note_losses(losses());
    const Status status = exporter_->open();
    opening_ = !status && status.error().code == ErrorCode::kBusy;
    if (opening_) {
        next_try_ = Clock::now() + kBusyPause;
        return false;
    }
    if (!status) {
        note_failure(status.error());
        if (options_.wait_for_room && options_.give_up_after > 0ms && is_permanent(status.error().code))
            failed_for_good_ = true;
        return false;
    }
    open_ = ever_open_ = true;
    next_flush_ = Clock::now() + std::max(options_.flush_interval, std::chrono::milliseconds(kMinimumFlushInterval));
    if (!std::exchange(up_logged_, true))
        logger_.info("exporter up", {{"name", name_}, {"type", type_}, {"destination", destination()}});
    return true;
}

bool ExportingProcess::flush() {
    exporter_->note_losses(losses());
    const Status status = exporter_->flush();
    next_flush_ = Clock::now() + std::max(options_.flush_interval, std::chrono::milliseconds(kMinimumFlushInterval));
    if (status) {
        unflushed_ = false;
        note_success();
    } else if (status.error().code == ErrorCode::kBusy) {
        busy_until_ = Clock::now() + kBusyPause;
    } else {
        note_failure(status.error());
    }
    keep_unconfirmed();
    return status.has_value();
}

void ExportingProcess::answer_announcement_requests() {
    const std::uint64_t wanted = announcements_wanted_.load();
    if (wanted == announcements_answered_.load()) [[likely]]
        return;
    auto outcome = Announcement::kNone;
    if (exporter_->repeat_announcement()) {
        if (open_) flush();
        outcome = open_ ? Announcement::kDone : Announcement::kWithNextSession;
    }
    last_announcement_ = outcome;
    announcements_answered_ = wanted;
}

void ExportingProcess::pause() {
    const Status status = exporter_->pause();
    gathered_ = !status && status.error().code == ErrorCode::kBusy;
    if (gathered_)
        busy_until_ = Clock::now() + kBusyPause;
    else if (!status)
        note_failure(status.error());
    keep_unconfirmed();
}

void ExportingProcess::write_batch() {
    const RecordBatchPtr batch = hand_.batch;
    const std::size_t size = batch->records.size(), before = hand_.from;
    std::size_t consumed = before;
    const Status status = exporter_->write(*batch, before, consumed);
    consumed = status ? size : std::clamp(consumed, before, size);
    if (spool_) unconfirmed_.add(hand_, consumed);
    hand_.from = consumed;
    taken_.add(consumed - before);
    packets_taken_.add(packets_of(std::span(batch->records).subspan(before, consumed - before)));
    tokens_ -= static_cast<double>(consumed - before);
    if (consumed > before) unflushed_ = gathered_ = true;
    if (consumed == size) hand_ = {};
    if (status)
        note_success();
    else if (status.error().code != ErrorCode::kBusy)
        note_failure(status.error());
    else if (consumed == before)
        busy_until_ = Clock::now() + kBusyPause;
    if (unconfirmed_.records() >= kUnasked) keep_unconfirmed();
}

// Token bucket. A batch larger than the bucket goes when the bucket is full and
// leaves a debt, so that the mean rate holds for batches of any size.
ExportingProcess::Clock::time_point ExportingProcess::when_to_write(Clock::time_point now) {
    if (options_.rate_limit <= 0) return busy_until_;
    const double size = burst(options_);
    tokens_ = std::min(size, tokens_ + options_.rate_limit * std::chrono::duration<double>(now - refilled_).count());
    refilled_ = now;
    const double missing = std::min(size, static_cast<double>(hand_.size())) - tokens_;
    if (missing <= 0) return busy_until_;
    // a microsecond more, so that rounding does not bring us back too early
    const double seconds = std::min(missing / options_.rate_limit + 1e-6, 3600.0);
    return std::max(busy_until_,
                    now + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds)));
}

void ExportingProcess::note_success() {
    failing_since_.reset();
    retry_ = options_.retry_min;
}

void ExportingProcess::note_failure(const Error& error) {
    open_ = concluding_ = false;
    if (spool_) take_back();
    const auto now = Clock::now();
    if (!failing_since_) failing_since_ = now;
    const auto delay = std::max<Clock::duration>(last_try_ + retry_delay() - now, soon());
    next_try_ = now + delay;
    {
        const std::lock_guard lock(mutex_);
        last_error_ = error.text();
    }
    if (const auto suppressed = failure_log_.admit(now); suppressed >= 0) {
        up_logged_ = false;
        logger_.warning("exporter failing", {{"name", name_},
                                             {"destination", destination()},
                                             {"error", error.text()},
                                             {"retry_s", seconds_text(delay)},
                                             {"suppressed", suppressed}});
    }
}

// A session that lasted needs no long wait before the next one.
ExportingProcess::Clock::duration ExportingProcess::soon() const {
    return std::min<Clock::duration>(options_.retry_min, stopping_since_ ? kRetryWhileStopping : kSoon);
}

// Exponential, and up to a fifth more by chance, so that many probes do not come
// back to a collector at the same moment.
ExportingProcess::Clock::duration ExportingProcess::retry_delay() {
    const auto delay = retry_;
    retry_ = std::min(retry_ * 2, std::max(options_.retry_max, options_.retry_min));
    if (stopping_since_) return std::min<Clock::duration>(delay, kRetryWhileStopping);
    std::uniform_real_distribution<double> factor(1.0, 1.2);
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(delay) * factor(jitter_));
}

// While records keep coming a short sleep that nothing ends spares producers the
// system call that wakes us for each batch; the queue must have room for it.
bool ExportingProcess::nap(Clock::time_point now) {
    if (hand_.batch || now - last_batch_ >= kNapAfter || options_.queue_batches < kNapQueue) return false;
    std::this_thread::sleep_for(kNap);
    return true;
}

// Also wakes for records, ended producers, a stop; and for its own deadlines.
void ExportingProcess::sleep_until(Clock::time_point when) {
    if (stopping_since_) when = std::min(when, drain_deadline());
    if (failing_since_ && options_.give_up_after > 0ms)
        when = std::min<Clock::time_point>(when, *failing_since_ + options_.give_up_after);
    if (spooling_) when = std::min<Clock::time_point>(when, Clock::now() + 1s);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - Clock::now());
    if (left > 0ms) wake_->wait(static_cast<int>(std::min<std::chrono::milliseconds>(left, kLongestSleep).count()));
}

void ExportingProcess::settle() {
    const std::uint64_t spooled = spool_ ? spool_->counters().written.get() : 0;
    if (spooling_) {
        take_back();
        spill_pending(true);
    }
    if (hand_.batch) leave(hand_.records());
    for (const auto& range : pending_) leave(range.records());
    if (held_) leave(held_->records);
    hand_ = {};
    held_.reset();
    pending_.clear();
    pending_records_ = 0;
    {
        const std::lock_guard lock(mutex_);
        abandoned_ = true;
        for (const auto& queue : queues_) {
            queue->abandon();
            while (RecordBatchPtr batch = queue->try_pop()) {
                batch = select(std::move(batch));
                if (batch) leave(batch->records);
            }
        }
    }
    in_hand_.set(0);
    if (spooling_) {
        commit_spool();
        spool_->close();
    }
    const std::uint64_t dropped = dropped_undelivered_.get();
    if (failed_for_good_)
        logger_.error(
            "exporter failed for good",
            {{"name", name_}, {"destination", destination()}, {"error", last_error()}, {"records_dropped", dropped}});
    else if (dropped > 0)
        logger_.warning("exporter stopped before all was out", {{"name", name_}, {"records_dropped", dropped}});
    if (spooling_ && !spool_->drained())
        logger_.info("records stay in the spool", {{"name", name_},
                                                   {"path", spool_->folder()},
                                                   {"records", spool_->counters().records.get()},
                                                   {"added", spool_->counters().written.get() - spooled}});
}

// Records that are not delivered now.
void ExportingProcess::leave(std::span<const FlowRecord> records) {
    if (spooling_ && spool_->append(records)) return;
    if (spooling_)
        spool_->count_dropped(records.size());
    else
        dropped_undelivered_.add(records.size());
    losses_.add(records);
}

void ExportingProcess::tend_spool(Clock::time_point now) {
    spooling_ = spool_ && spool_->ready(now);
    if (!spooling_) return;
    if (is_down() && spool_->has_room(now)) spill_pending(false);
    fill_spool(now);
    commit_spool();
    spool_->tend(now);
}

bool ExportingProcess::is_down() const {
    return !open_ && (failing_since_ || stopping_since_);
}

bool ExportingProcess::is_filling() const {
    const std::lock_guard lock(mutex_);
    return std::any_of(queues_.begin(), queues_.end(), [](const auto& queue) { return queue->filling(); });
}

// The queues go behind what is in the spool, when there is something, or when
// their records cannot leave. Without room there they wait, as long as they can.
void ExportingProcess::fill_spool(Clock::time_point now) {
    bool filling = is_filling();
    if (spool_->drained() && !is_down() && !filling) return;
    for (std::size_t i = 0; i < kSpooledAtOnce && (filling || spool_->has_room(now)); ++i) {
        if (!held_) {
            held_ = pop();
            if (!held_) return;
            held_ = select(std::move(held_));
            if (!held_) continue;
        }
        if (filling)
            leave(held_->records);
        else if (!spool_->append(held_->records))
            return;
        held_.reset();
        if (filling && !spool_->has_room(now)) filling = is_filling();
    }
}

// After a failure: what the exporter may have lost is written again, before
// everything that is newer.
void ExportingProcess::take_back() {
    const std::size_t unconfirmed = exporter_->unconfirmed();
    exporter_->forget_unconfirmed();
    auto taken = unconfirmed_.take_newest(unconfirmed);
    taken_.set(taken_.get() - unconfirmed);
    redelivered_.add(taken.records);
    if (taken.records < unconfirmed) {  // taken before there was a spool that could be used
        dropped_undelivered_.add(unconfirmed - taken.records);
        losses_.add_unknown(unconfirmed - taken.records);
    }
    if (unconfirmed > 0) unflushed_ = gathered_ = false;
    if (hand_.batch && (taken.ranges.empty() || taken.ranges.back().batch != hand_.batch))
        taken.ranges.push_back(std::move(hand_));
    hand_ = {};
    for (const auto& range : taken.ranges) pending_records_ += range.size();
    pending_.insert(pending_.begin(), taken.ranges.begin(), taken.ranges.end());
}

// What is pending goes (back) to the spool where that keeps the order: what
// never was there goes to its end. `at_the_end` it goes there in any case, or is
// lost; otherwise what finds no room stays.
void ExportingProcess::spill_pending(bool at_the_end) {
    const auto from_spool = [](const RecordRange& range) { return range.place.has_value(); };
    const auto first = std::find_if(pending_.begin(), pending_.end(), from_spool);
    const auto direct = std::find_if_not(pending_.begin(), pending_.end(), from_spool);
    const bool in_order =
        direct == pending_.end() || (spool_->drained() && std::none_of(direct, pending_.end(), from_spool));
    if (!in_order && !at_the_end) return;
    const auto oldest = first != pending_.end() ? std::optional(first->position()) : std::nullopt;
    std::uint64_t given_back = 0;
    for (; !pending_.empty(); pending_.pop_front()) {
        const RecordRange& range = pending_.front();
        if (range.place)
            given_back += range.size();
        else if (at_the_end)
            leave(range.records());
        else if (!spool_->append(range.records()))
            break;
        pending_records_ -= range.size();
    }
    if (oldest) spool_->rewind(*oldest, given_back);
}

void ExportingProcess::keep_unconfirmed() {
    if (spool_) unconfirmed_.keep_newest(exporter_->unconfirmed());
}

// At the end a receiver that is well has a moment to say that all has arrived;
// what it does not confirm goes to the spool.
bool ExportingProcess::all_confirmed() {
    const auto now = Clock::now();
    if (!spooling_ || exporter_->unconfirmed() == 0) return true;
    if (!confirm_by_) confirm_by_ = now + kConfirmationAtEnd;
    concluding_ = true;
    const Status status = exporter_->conclude();
    if (!status && status.error().code != ErrorCode::kBusy) {
        note_failure(status.error());
        return false;
    }
    keep_unconfirmed();
    if (exporter_->unconfirmed() == 0) return true;
    busy_until_ = now + kBusyPause;
    return now >= *confirm_by_;
}

void ExportingProcess::commit_spool() {
    auto oldest = unconfirmed_.oldest_place();
    if (!oldest && hand_.place) oldest = hand_.position();
    for (auto range = pending_.begin(); !oldest && range != pending_.end(); ++range)
        if (range->place) oldest = range->position();
    spool_->commit(oldest.value_or(spool_->position()));
}

ExportingProcess::QueueCounters ExportingProcess::queue_counters() const {
    const std::lock_guard lock(mutex_);
    QueueCounters sum = retired_;
    for (const auto& queue : queues_) add(sum, *queue);
    return sum;
}

// What was popped first: no reader sees more of it than was pushed.
void ExportingProcess::add(QueueCounters& counters, const RecordQueue& queue) {
    counters.popped += queue.popped_records();
    counters.packets_popped += queue.popped_packets();
    counters.pushed += queue.pushed_records();
    counters.packets_pushed += queue.pushed_packets();
    counters.dropped_full += queue.dropped_records();
    counters.packets_dropped_full += queue.losses().packets;
}

void ExportingProcess::answer_ledger() {
    const std::uint64_t wanted = ledger_wanted_.load(std::memory_order_relaxed);
    if (wanted == ledger_made_) return;
    ledger_made_ = wanted;
    const ExporterLedger ledger = make_ledger(wanted);
    const std::lock_guard lock(mutex_);
    ledger_ = ledger;
}

ExporterLedger ExportingProcess::ledger() const {
    const std::lock_guard lock(mutex_);
    return ledger_;
}

ExporterLedger ExportingProcess::make_ledger(std::uint64_t number) const {
    ExporterLedger ledger;
    ledger.number = number;
    ledger.closed = finished_;
    const QueueCounters queues = queue_counters();
    ledger.pushed = queues.pushed;
    ledger.queue_full = queues.dropped_full;
    ledger.taken = taken_.get();
    ledger.exported = counters().records.get();
    for (std::size_t i = 0; i < ledger.dropped.size(); ++i)
        ledger.dropped[i] = (counters().*kLossCauses[i].counter).get();
    ledger.filtered = filtered();
    ledger.sampled_out = sampled_out();
    ledger.elsewhere = elsewhere();
    ledger.in_hand = in_hand_.get();
    ledger.undelivered = dropped_undelivered_.get();
    (ledger.closed ? ledger.undelivered : ledger.queued) += queues.pushed - queues.popped;
    ledger.knows_packets = spool_ == nullptr;
    ledger.packets_pushed = queues.packets_pushed;
    ledger.packets_queue_full = queues.packets_dropped_full;
    ledger.packets_taken = packets_taken_.get();
    ledger.packets_left_out = packets_left_out_.get();
    ledger.packets_undelivered = losses_.totals().packets;
    (ledger.closed ? ledger.packets_undelivered : ledger.packets_queued) +=
        queues.packets_pushed - queues.packets_popped;
    if (hand_.batch) ledger.packets_in_hand = packets_of(hand_.records());
    if (!spool_) return ledger;
    const SpoolCounters& spool = spool_->counters();
    ledger.recovered = spool.recovered.get();
    ledger.in_spool = spool.records.get();
    ledger.spool_full = spool.dropped_full.get();
    ledger.spool_failed = spool.dropped_failed.get();
    ledger.spool_damaged = spool.discarded.get();
    return ledger;
}

std::uint64_t ExportingProcess::dropped_undelivered() const {
    const std::uint64_t counted = dropped_undelivered_.get();
    if (!finished_) return counted;
    const QueueCounters sum = queue_counters();
    return counted + (sum.pushed - sum.popped);
}

LossTotals ExportingProcess::losses() const {
    LossTotals sum = losses_.totals();
    if (spool_) sum.records += spool_->counters().discarded.get();
    const std::lock_guard lock(mutex_);
    sum += retired_losses_;
    for (const auto& queue : queues_) {
        sum += queue->losses();
        if (finished_) sum.records += queue->pushed_records() - queue->popped_records();
    }
    return sum;
}

std::string ExportingProcess::last_error() const {
    const std::lock_guard lock(mutex_);
    return last_error_;
}

}  // namespace nfstreamd
