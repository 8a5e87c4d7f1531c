// SPDX-License-Identifier: Apache-2.0
#include "core/export/record_queue.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace nfstreamd {

WakeEvent::WakeEvent() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

WakeEvent::~WakeEvent() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void WakeEvent::signal() noexcept {
    const std::uint64_t one = 1;
    // fails only when the counter is full, and then it is signalled already
    [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
}

bool WakeEvent::wait(int milliseconds) noexcept {
    if (descriptor_ < 0) {  // out of descriptors: look again often instead
        ::poll(nullptr, 0, std::min(milliseconds, 10));
        return true;
    }
    pollfd entry{descriptor_, POLLIN, 0};
    if (::poll(&entry, 1, milliseconds) <= 0) return false;
    std::uint64_t count = 0;
    return ::read(descriptor_, &count, sizeof count) == sizeof count;
}

RecordQueue::RecordQueue(std::string producer, std::size_t capacity_batches, std::shared_ptr<WakeEvent> consumer)
    : producer_(std::move(producer)),
      queue_(std::max<std::size_t>(capacity_batches, 1)),
      consumer_(std::move(consumer)) {}

bool RecordQueue::try_push(RecordBatchPtr batch) noexcept {
    assert(!ended());
    if (abandoned() || queue_.write_available() == 0) return false;
    // counted first, so that a reader never sees more popped than pushed
    pushed_records_.add(batch->records.size());
    queue_.push(std::move(batch));
    consumer_->signal();
    return true;
}

RecordBatchPtr RecordQueue::try_pop() noexcept {
    RecordBatchPtr batch;
    if (queue_.pop(batch)) popped_records_.add(batch->records.size());
    return batch;
}

void RecordQueue::end_of_stream() noexcept {
    ended_.store(true, std::memory_order_release);
    consumer_->signal();
}

}  // namespace nfstreamd
