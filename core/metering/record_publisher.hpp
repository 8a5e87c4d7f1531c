// SPDX-License-Identifier: Apache-2.0
// Gathers the records of one metering process into batches and hands each batch
// to every output. One metering thread.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/export/record_queue.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

class HookChain;

class RecordPublisher {
public:
    // `wait_for_room`: a full queue holds the caller back (file run); otherwise
    // it costs the batch, counted at that queue.
    RecordPublisher(std::vector<std::shared_ptr<RecordQueue>> outputs, bool wait_for_room)
        : wait_for_room_(wait_for_room) {
        for (auto& queue : outputs) outputs_.push_back({std::move(queue)});
    }

    // Arena of the batch that the next record() goes to.
    Arena& arena();
    FlowRecord& add();  // a fresh record of the open batch
    void commit() {     // the record is complete
        if (batch_->records.size() >= kBatchRecords) publish();
    }
    void publish();  // the open batch leaves, if it has records
    void publish_if_old(std::chrono::steady_clock::time_point now);

    // Of each batch before it leaves; null: nobody.
    void complete_by(HookChain* hook) noexcept { hook_ = hook; }

    // Batches that are begun from now on keep `tables`, which their records borrow from.
    void keep(std::shared_ptr<const void> tables);

    // Outputs that leave get what is open, then their end.
    void replace_outputs(std::vector<std::shared_ptr<RecordQueue>> outputs);
    void end();  // publish, then every output ends

    // For a flush of all flows: from now on a full queue is waited for, all in all as
    // long as `at_most`, as nobody says that its exporter will ever get on.
    void wait_for_room(std::chrono::milliseconds at_most = kLongestFlush);

    std::uint64_t published() const noexcept { return published_; }  // records that have left in batches
    std::uint64_t in_batch() const noexcept { return batch_ ? batch_->records.size() : 0; }
    // Records, for each output by itself: what was published while it was one, and
    // what its queue has counted.
    struct Handed {
        std::uint64_t offered = 0, pushed = 0, dropped = 0;
    };
    Handed handed() const;

private:
    struct Output {
        std::shared_ptr<RecordQueue> queue;
        std::uint64_t published_before = 0;
    };
    static constexpr std::chrono::milliseconds kOldest{200}, kLongestFlush{10'000};

    void push(RecordQueue& queue, const RecordBatchPtr& batch);
    bool may_wait() const;
    void add(Handed& handed, const Output& output) const;
    void let_go(const Output& output);

    std::vector<Output> outputs_;
    Handed gone_;  // of outputs that have left
    std::uint64_t published_ = 0;
    bool wait_for_room_;
    std::optional<std::chrono::steady_clock::time_point> wait_until_;  // of the last flush
    HookChain* hook_ = nullptr;
    std::shared_ptr<RecordBatch> batch_;
    std::shared_ptr<const void> tables_;
    std::chrono::steady_clock::time_point opened_{};
};

}  // namespace nfstreamd
