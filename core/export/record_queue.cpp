// SPDX-License-Identifier: Apache-2.0
#include "core/export/record_queue.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace nfstreamd {

RecordQueue::RecordQueue(std::string producer, std::size_t capacity_batches, std::shared_ptr<WakeEvent> consumer)
    : producer_(std::move(producer)),
      capacity_(std::max<std::size_t>(capacity_batches, 1)),
      queue_(capacity_),
      consumer_(std::move(consumer)) {}

bool RecordQueue::try_push(RecordBatchPtr batch) noexcept {
    assert(!ended());
    if (abandoned() || queue_.write_available() == 0) return false;
    // counted first, so that a reader never sees more popped than pushed
    pushed_records_.add(batch->records.size());
    pushed_packets_.add(packets_of(batch->records));
    queue_.push(std::move(batch));
    consumer_->signal();
    return true;
}

RecordBatchPtr RecordQueue::try_pop() noexcept {
    RecordBatchPtr batch;
    if (!queue_.pop(batch)) return batch;
    popped_records_.add(batch->records.size());
    popped_packets_.add(packets_of(batch->records));
    return batch;
}

void RecordQueue::end_of_stream() noexcept {
    ended_.store(true, std::memory_order_release);
    consumer_->signal();
}

}  // namespace nfstreamd
