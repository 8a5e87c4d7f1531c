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
constexpr auto kBusyPause = 5ms;  // an exporter that was busy and took nothing
constexpr auto kLongestSleep = 60s;
constexpr auto kNap = 1ms, kNapAfter = 5ms;  // of the last batch
constexpr std::size_t kNapQueue = 1024;      // batches: more than 50 million records a second

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

void ExportingProcess::run(std::stop_token stop) {
    const std::stop_callback wake_at_stop(stop, [this] { wake_->signal(); });
    refilled_ = Clock::now();
    while (step(stop)) {
    }
    drop_rest();
    exporter_->close();
    finished_ = true;
}

// One thing at a time: the loop comes back here after each call of the exporter
// and after each sleep, so that deadlines are looked at between them.
bool ExportingProcess::step(const std::stop_token& stop) {
    const auto now = Clock::now();
    if (out_of_time(now, stop)) return false;
    const bool took = !batch_ && take_next_batch();
    const bool left_out = took && !batch_;  // nothing of it is for this exporter
    const bool last = !batch_ && !took && nothing_will_come(stop);

    if (!open_ && !ensure_open(now)) {
        if (last && !unflushed_) {  // nothing to deliver, but a file run must have its file
            if (options_.wait_for_room && !ever_open_) failed_for_good_ = true;
            return false;
        }
        if (!left_out) sleep_until(next_try_);
        return true;
    }
    if (last) {
        if (flush()) return false;
        if (open_) sleep_until(busy_until_);
        return true;
    }
    if (now >= next_flush_) {
        flush();
        return true;
    }
    if (left_out) return true;
    const auto ready = batch_ ? when_to_write(now) : next_flush_;
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

// Queues that have ended and are empty have left the list by now.
bool ExportingProcess::nothing_will_come(const std::stop_token& stop) const {
    if (!sealed_ && !stop.stop_requested()) return false;
    const std::lock_guard lock(mutex_);
    return queues_.empty();
}

// False: there is none now.
bool ExportingProcess::take_next_batch() {
    batch_ = pop();
    if (!batch_) return false;
    last_batch_ = Clock::now();
    if (selector_) batch_ = selector_->select(std::move(batch_));
    from_ = 0;
    return true;
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
            return batch;
        }
        if (ended) {
            retired_.pushed += queue.pushed_records();
            retired_.popped += queue.popped_records();
            retired_.dropped_full += queue.dropped_records();
            queues_.erase(queues_.begin() + static_cast<std::ptrdiff_t>(next_queue_));
        } else {
            ++next_queue_;
        }
    }
    return nullptr;
}

bool ExportingProcess::ensure_open(Clock::time_point now) {
    if (now < next_try_) return false;
    const Status status = exporter_->open();
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
    return status.has_value();
}

void ExportingProcess::pause() {
    const Status status = exporter_->pause();
    gathered_ = !status && status.error().code == ErrorCode::kBusy;
    if (gathered_)
        busy_until_ = Clock::now() + kBusyPause;
    else if (!status)
        note_failure(status.error());
}

void ExportingProcess::write_batch() {
    const std::size_t size = batch_->records.size(), before = from_;
    std::size_t consumed = from_;
    const Status status = exporter_->write(*batch_, from_, consumed);
    from_ = status ? size : std::clamp(consumed, from_, size);
    tokens_ -= static_cast<double>(from_ - before);
    if (from_ > before) unflushed_ = gathered_ = true;
    if (from_ == size) batch_.reset();
    if (status)
        note_success();
    else if (status.error().code != ErrorCode::kBusy)
        note_failure(status.error());
    else if (from_ == before)
        busy_until_ = Clock::now() + kBusyPause;
}

// Token bucket. A batch larger than the bucket goes when the bucket is full and
// leaves a debt, so that the mean rate holds for batches of any size.
ExportingProcess::Clock::time_point ExportingProcess::when_to_write(Clock::time_point now) {
    if (options_.rate_limit <= 0) return busy_until_;
    const double size = burst(options_);
    tokens_ = std::min(size, tokens_ + options_.rate_limit * std::chrono::duration<double>(now - refilled_).count());
    refilled_ = now;
    const double missing = std::min(size, static_cast<double>(batch_->records.size() - from_)) - tokens_;
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
    open_ = false;
    const auto now = Clock::now();
    if (!failing_since_) failing_since_ = now;
    const auto delay = retry_delay();
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

// Exponential, a fifth more or less by chance, so that many probes do not come
// back to a collector at the same moment.
ExportingProcess::Clock::duration ExportingProcess::retry_delay() {
    const auto delay = retry_;
    retry_ = std::min(retry_ * 2, std::max(options_.retry_max, options_.retry_min));
    if (stopping_since_) return std::min<Clock::duration>(delay, kRetryWhileStopping);
    std::uniform_real_distribution<double> factor(0.8, 1.2);
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(delay) * factor(jitter_));
}

// While records keep coming a short sleep that nothing ends spares producers the
// system call that wakes us for each batch; the queue must have room for it.
bool ExportingProcess::nap(Clock::time_point now) {
    if (batch_ || now - last_batch_ >= kNapAfter || options_.queue_batches < kNapQueue) return false;
    std::this_thread::sleep_for(kNap);
    return true;
}

// Also wakes for records, ended producers, a stop; and for its own deadlines.
void ExportingProcess::sleep_until(Clock::time_point when) {
    if (stopping_since_) when = std::min(when, drain_deadline());
    if (failing_since_ && options_.give_up_after > 0ms)
        when = std::min<Clock::time_point>(when, *failing_since_ + options_.give_up_after);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - Clock::now());
    if (left > 0ms) wake_->wait(static_cast<int>(std::min<std::chrono::milliseconds>(left, kLongestSleep).count()));
}

void ExportingProcess::drop_rest() {
    std::uint64_t dropped = batch_ ? batch_->records.size() - from_ : 0;
    batch_.reset();
    {
        const std::lock_guard lock(mutex_);
        abandoned_ = true;
        for (const auto& queue : queues_) {
            queue->abandon();
            while (RecordBatchPtr batch = queue->try_pop()) {
                if (selector_) batch = selector_->select(std::move(batch));
                if (batch) dropped += batch->records.size();
            }
        }
    }
    dropped_undelivered_.add(dropped);
    if (failed_for_good_)
        logger_.error(
            "exporter failed for good",
            {{"name", name_}, {"destination", destination()}, {"error", last_error()}, {"records_dropped", dropped}});
    else if (dropped > 0)
        logger_.warning("exporter stopped before all was out", {{"name", name_}, {"records_dropped", dropped}});
}

ExportingProcess::QueueCounters ExportingProcess::queue_counters() const {
    const std::lock_guard lock(mutex_);
    QueueCounters sum = retired_;
    for (const auto& queue : queues_) {
        sum.popped += queue->popped_records();
        sum.pushed += queue->pushed_records();
        sum.dropped_full += queue->dropped_records();
    }
    return sum;
}

std::uint64_t ExportingProcess::dropped_undelivered() const {
    const std::uint64_t counted = dropped_undelivered_.get();
    if (!finished_) return counted;
    const QueueCounters sum = queue_counters();
    return counted + (sum.pushed - sum.popped);
}

std::string ExportingProcess::last_error() const {
    const std::lock_guard lock(mutex_);
    return last_error_;
}

}  // namespace nfstreamd
