// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/flow_stream.hpp"

#include <algorithm>
#include <utility>

#include "daemon/threads.hpp"

namespace nfstreamd::python {
namespace {

// Batches of 64 records that wait for the reader. Files wait themselves, with room
// for the time in which it puts flows in order.
constexpr std::size_t kFileQueue = 1024, kLeastFileQueue = 128, kLiveQueue = 16384;

// By the clock of packets, as far as the record tells.
TimestampNs time_of_leaving(const FlowRecord& record, TimestampNs idle_timeout) {
    const bool by_timeout = record.end_reason == EndReason::kIdle || record.end_reason == EndReason::kEndOfInput;
    return record.last() + (by_timeout ? idle_timeout : 0);
}

thread_local const FlowStream* metered_here = nullptr;  // by this thread

}  // namespace

FlowStream::FlowStream(StreamOptions options)
    : options_(std::move(options)),
      logger_(LogLevel::kWarning, LogFormat::kText),
      mute_(LogLevel::kError, LogFormat::kText),
      idle_timeout_(std::chrono::nanoseconds(options_.metering.idle_timeout).count()),
      wake_(std::make_shared<WakeEvent>()) {
    if (options_.metering.max_nflows > 0) budget_ = std::make_shared<FlowBudget>(options_.metering.max_nflows);
}

FlowStream::~FlowStream() {
    abandon();
}

std::unique_ptr<PacketSource> FlowStream::make_source(const FanoutMember& fanout) {
    if (options_.live) return make_live_source(options_.sources.front(), options_.capture, logger_, fanout);
    return make_file_source(options_.sources, options_.capture, meters_.empty() ? logger_ : mute_);
}

Status FlowStream::start(const MakeHook& make_hook) {
    if (options_.live && options_.metering.system_visibility_mode > 0) watcher_.emplace(options_.metering, logger_);
    const auto fanout = options_.live && options_.meters > 1
                            ? make_fanout_group(options_.sources.front(), options_.capture, options_.meters)
                            : nullptr;
    const std::size_t for_file = std::max(kFileQueue / options_.meters, kLeastFileQueue);
    for (std::uint32_t i = 0; i < options_.meters; ++i) {
        auto meter = std::make_unique<Meter>();
        meter->queue = std::make_shared<RecordQueue>("meter", options_.live ? kLiveQueue : for_file, wake_);
        const ObservationPoint point{.id = 1,
                                     .name = options_.sources.front(),
                                     .offline = !options_.live,
                                     .share = {i, options_.meters},
                                     .process = i + 1};
        meter->process =
            std::make_unique<MeteringProcess>(point, options_.metering, make_source({fanout, i}),
                                              std::vector<std::shared_ptr<RecordQueue>>{meter->queue}, logger_);
        if (watcher_) meter->process->observe_processes(watcher_->processes());
        if (budget_) meter->process->set_flow_budget(budget_);
        if (make_hook) meter->process->set_flow_hook(make_hook(i));
        if (auto opened = meter->process->open(); !opened) {
            meters_.clear();
            return opened;
        }
        meters_.push_back(std::move(meter));
    }
    for (auto& meter : meters_)
        meter->thread = daemon::start_thread("meter", [this, meter = meter.get()](std::stop_token stop) {
            metered_here = this;
            meter->outcome = meter->process->run(std::move(stop));
        });
    return ok();
}

FlowStream::Outcome FlowStream::any_batch(RecordBatchPtr& batch) {
    bool ended = true;
    for (std::size_t i = 0; i < meters_.size(); ++i) {
        Meter& meter = *meters_[(turn_ + i) % meters_.size()];
        const bool was_over = meter.queue->ended();
        batch = meter.queue->try_pop();
        if (batch) {
            turn_ = (turn_ + i) % meters_.size();
            return Outcome::kBatch;
        }
        ended = ended && was_over;
    }
    return ended ? Outcome::kEnd : Outcome::kWaiting;
}

// Waits for every meter that goes on: none of them waits for another, as each reads the files for itself.
FlowStream::Outcome FlowStream::batch_in_order(RecordBatchPtr& batch) {
    Meter* next = nullptr;
    for (const auto& meter : meters_) {
        if (!meter->head) {
            const bool was_over = meter->queue->ended();
            meter->head = meter->queue->try_pop();
            if (!meter->head && !was_over) return Outcome::kWaiting;
            if (!meter->head) continue;
            meter->left = time_of_leaving(meter->head->records.front(), idle_timeout_);
        }
        if (next == nullptr || meter->left < next->left) next = meter.get();
    }
    if (next == nullptr) return Outcome::kEnd;
    batch = std::move(next->head);
    return Outcome::kBatch;
}

FlowStream::Outcome FlowStream::next(RecordBatchPtr& batch, std::chrono::milliseconds wait) {
    const bool in_order = !options_.live && meters_.size() > 1;
    for (bool waited = false;; waited = true) {
        const Outcome outcome = in_order ? batch_in_order(batch) : any_batch(batch);
        if (outcome != Outcome::kWaiting || waited) return outcome;
        wake_->wait(static_cast<int>(wait.count()));
    }
}

void FlowStream::join() const {
    const std::lock_guard lock(ending_);
    for (const auto& meter : meters_)
        if (meter->thread.joinable()) meter->thread.join();
}

Status FlowStream::result() const {
    join();
    for (const auto& meter : meters_)
        if (!meter->outcome) return meter->outcome;
    return ok();
}

bool FlowStream::is_called_by_a_meter() const {
    return metered_here == this;
}

void FlowStream::stop() {
    for (auto& meter : meters_) {
        meter->process->set_stop_reason(EndReason::kEndOfInput);
        meter->thread.request_stop();
    }
}

void FlowStream::abandon() {
    for (auto& meter : meters_) meter->queue->abandon();
    stop();
    join();
}

StreamTotals FlowStream::totals() const {
    StreamTotals totals;
    for (const auto& meter : meters_) {
        const auto& counters = meter->process->counters();
        totals.packets_by_meter.push_back(counters.packets.get());
        totals.packets += counters.packets.get();
        for (const auto& ignored : counters.ignored) totals.ignored += ignored.get();
        totals.flows += meter->queue->popped_records();
        totals.dropped += meter->process->capture().kernel_dropped;
    }
    return totals;
}

std::uint64_t FlowStream::records_dropped() const {
    std::uint64_t dropped = 0;
    for (const auto& meter : meters_) dropped += meter->queue->dropped_records();
    return dropped;
}

}  // namespace nfstreamd::python
