// SPDX-License-Identifier: Apache-2.0
#include "core/metering/record_publisher.hpp"

#include <algorithm>
#include <thread>

#include "core/metering/hook_chain.hpp"

namespace nfstreamd {

Arena& RecordPublisher::arena() {
    if (!batch_) {
        batch_ = std::make_shared<RecordBatch>();
        batch_->records.reserve(kBatchRecords);
        batch_->tables = tables_;
        opened_ = std::chrono::steady_clock::now();
    }
    return batch_->arena;
}

FlowRecord& RecordPublisher::add() {
    arena();
    FlowRecord& record = batch_->records.emplace_back();
    // the one after it: its lines are still with the exporter that read them last
    const auto* next = reinterpret_cast<const char*>(&record + 1);
    for (std::size_t i = 0; i < sizeof(FlowRecord); i += 64) __builtin_prefetch(next + i, 1);
    return record;
}

void RecordPublisher::publish() {
    if (!batch_ || batch_->records.empty()) return;
    if (hook_ != nullptr) [[unlikely]]
        hook_->complete();
    const RecordBatchPtr batch = std::move(batch_);
    batch_.reset();
    published_ += batch->records.size();
    for (const auto& output : outputs_) push(*output.queue, batch);
}

void RecordPublisher::push(RecordQueue& queue, const RecordBatchPtr& batch) {
    // an abandoned queue has no reader any more; its exporter says why
    while (!queue.abandoned()) {
        if (queue.try_push(batch)) return;
        if (!may_wait()) break;
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    queue.count_dropped(*batch);
}

bool RecordPublisher::may_wait() const {
    return wait_for_room_ || (wait_until_ && std::chrono::steady_clock::now() < *wait_until_);
}

void RecordPublisher::wait_for_room(std::chrono::milliseconds at_most) {
    wait_until_ = std::chrono::steady_clock::now() + at_most;
}

void RecordPublisher::publish_if_old(std::chrono::steady_clock::time_point now) {
    if (batch_ && now - opened_ >= kOldest) publish();
}

// The open batch may borrow from those before.
void RecordPublisher::keep(std::shared_ptr<const void> tables) {
    publish();
    batch_.reset();
    tables_ = std::move(tables);
}

void RecordPublisher::replace_outputs(std::vector<std::shared_ptr<RecordQueue>> outputs) {
    publish();
    const auto before = std::move(outputs_);
    outputs_.clear();
    for (const auto& output : before)
        if (std::find(outputs.begin(), outputs.end(), output.queue) == outputs.end()) let_go(output);
    for (auto& queue : outputs) {
        const auto same = [&](const Output& output) { return output.queue == queue; };
        const auto kept = std::find_if(before.begin(), before.end(), same);
        outputs_.push_back(kept != before.end() ? *kept : Output{std::move(queue), published_});
    }
}

void RecordPublisher::end() {
    publish();
    for (const auto& output : outputs_) let_go(output);
    outputs_.clear();
}

void RecordPublisher::let_go(const Output& output) {
    add(gone_, output);
    output.queue->end_of_stream();
}

void RecordPublisher::add(Handed& handed, const Output& output) const {
    handed.offered += published_ - output.published_before;
    handed.pushed += output.queue->pushed_records();
    handed.dropped += output.queue->dropped_records();
}

RecordPublisher::Handed RecordPublisher::handed() const {
    Handed handed = gone_;
    for (const auto& output : outputs_) add(handed, output);
    return handed;
}

}  // namespace nfstreamd
