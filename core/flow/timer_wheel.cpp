// SPDX-License-Identifier: Apache-2.0
#include "core/flow/timer_wheel.hpp"

#include <algorithm>

namespace nfstreamd {

std::uint32_t TimerWheel::new_chunk(std::uint32_t next) {
    if (spare_.empty()) {
        // not value-initialised: a chunk's count says what is in it
        blocks_.push_back(std::make_unique_for_overwrite<Chunk[]>(kChunksPerBlock));
        const auto first = static_cast<std::uint32_t>((blocks_.size() - 1) * kChunksPerBlock);
        for (std::uint32_t i = kChunksPerBlock; i-- > 0;) spare_.push_back(first + i);
    }
    const std::uint32_t i = spare_.back();
    spare_.pop_back();
    chunk(i).count = 0;
    chunk(i).next = next;
    return i;
}

void TimerWheel::arm(std::uint32_t index, TimestampNs due) {
    const std::int64_t tick = std::clamp(slot_of(due), tick_, tick_ + kSlots - 1);
    std::uint32_t& head = slot(tick);
    if (head == kNone || chunk(head).count == std::size(chunk(head).index)) head = new_chunk(head);
    Chunk& c = chunk(head);
    c.index[c.count++] = index;
    ++held_;
}

int TimerWheel::take(std::int64_t tick, std::uint32_t* out, int room) noexcept {
    std::uint32_t& head = slot(tick);
    int taken = 0;
    while (taken < room && head != kNone) {
        Chunk& c = chunk(head);
        while (taken < room && c.count != 0) out[taken++] = c.index[--c.count];
        if (c.count == 0) {
            const std::uint32_t empty = head;
            head = c.next;
            spare_.push_back(empty);
        }
    }
    held_ -= static_cast<std::size_t>(taken);
    return taken;
}

}  // namespace nfstreamd
