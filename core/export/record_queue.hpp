// SPDX-License-Identifier: Apache-2.0
// Bounded single-producer single-consumer queue of batches from one metering
// process to one exporting process. Live, the producer never waits: a full
// queue is a counted drop for that exporter alone. In a file run it waits.
#pragma once
#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/counter.hpp"
#include "core/base/wake_event.hpp"
#include "core/export/loss_counter.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

inline constexpr std::size_t kBatchRecords = 64;  // of a full batch

class RecordQueue {
public:
    RecordQueue(std::string producer, std::size_t capacity_batches, std::shared_ptr<WakeEvent> consumer);

    // Producer only. False: full or abandoned, nothing happened.
    bool try_push(RecordBatchPtr batch) noexcept;
    // Producer only: records that found no room.
    void count_dropped(const RecordBatch& batch) noexcept { dropped_.add(batch.records); }
    // Consumer only. Null: empty.
    RecordBatchPtr try_pop() noexcept;
    // Consumer only: more than a quarter of its room is taken.
    bool filling() const noexcept { return queue_.read_available() > capacity_ / 4; }

    // The producer leaves: nothing will be pushed after this.
    void end_of_stream() noexcept;
    bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }
    // The consumer has left: there will be no room again.
    void abandon() noexcept { abandoned_.store(true, std::memory_order_release); }
    bool abandoned() const noexcept { return abandoned_.load(std::memory_order_acquire); }

    const std::string& producer() const noexcept { return producer_; }
    std::size_t capacity_batches() const noexcept { return capacity_; }
    // any thread; pushed = popped + still queued
    std::uint64_t pushed_records() const noexcept { return pushed_records_.get(); }
    std::uint64_t popped_records() const noexcept { return popped_records_.get(); }
    std::uint64_t pushed_packets() const noexcept { return pushed_packets_.get(); }  // of those records
    std::uint64_t popped_packets() const noexcept { return popped_packets_.get(); }
    std::uint64_t dropped_records() const noexcept { return dropped_.records(); }
    LossTotals losses() const noexcept { return dropped_.totals(); }

private:
    std::string producer_;
    const std::size_t capacity_;  // batches
    boost::lockfree::spsc_queue<RecordBatchPtr> queue_;
    std::shared_ptr<WakeEvent> consumer_;
    Counter pushed_records_, popped_records_, pushed_packets_, popped_packets_;
    LossCounter dropped_;
    std::atomic<bool> ended_{false}, abandoned_{false};
};

}  // namespace nfstreamd
