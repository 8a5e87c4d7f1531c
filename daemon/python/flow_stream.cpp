// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/flow_stream.hpp"

#include <utility>

#include "daemon/threads.hpp"

namespace nfstreamd::python {
namespace {

// A file waits for its reader; live, so many batches of 64 records wait for it.
constexpr std::size_t kFileQueue = 256, kLiveQueue = 16384;

}  // namespace

FlowStream::FlowStream(StreamOptions options)
    : options_(std::move(options)),
      logger_(LogLevel::kWarning, LogFormat::kText),
      mute_(LogLevel::kError, LogFormat::kText),
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
    for (std::uint32_t i = 0; i < options_.meters; ++i) {
        auto meter = std::make_unique<Meter>();
        meter->queue = std::make_shared<RecordQueue>("meter", options_.live ? kLiveQueue : kFileQueue, wake_);
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
        meter->thread = daemon::start_thread("meter", [meter = meter.get()](std::stop_token stop) {
            meter->outcome = meter->process->run(std::move(stop));
        });
    return ok();
}

FlowStream::Outcome FlowStream::next(RecordBatchPtr& batch, std::chrono::milliseconds wait) {
    for (bool waited = false;; waited = true) {
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
        if (ended) return Outcome::kEnd;
        if (waited) return Outcome::kWaiting;
        wake_->wait(static_cast<int>(wait.count()));
    }
}

Status FlowStream::result() const {
    for (const auto& meter : meters_) {
        if (meter->thread.joinable()) meter->thread.join();
        if (!meter->outcome) return meter->outcome;
    }
    return ok();
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
    for (auto& meter : meters_)
        if (meter->thread.joinable()) meter->thread.join();
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
