// SPDX-License-Identifier: Apache-2.0
#include "core/flow/timer_wheel.hpp"

#include <algorithm>
#include <cassert>

namespace nfstreamd {

Status TimerWheel::allocate(std::uint32_t indices) {
    // as many chunks as are in use when every slot has one that is not full: later growth would be a pause
    const std::size_t chunks = indices / std::size(Chunk{}.index) + kRanks * kSlots;
    blocks_.reserve(chunks / kChunksPerBlock + 1);
    spare_.reserve(chunks + kChunksPerBlock);
    return places_.allocate(indices);
}

std::uint32_t TimerWheel::new_chunk(std::uint32_t next) {
    if (spare_.empty()) {
        // not value-initialised: a chunk's count says what is in it
        blocks_.push_back(std::make_unique_for_overwrite<Chunk[]>(kChunksPerBlock));
        const auto first = static_cast<std::uint32_t>((blocks_.size() - 1) * kChunksPerBlock);
        spare_.reserve(blocks_.size() * kChunksPerBlock);  // giving back never allocates
        for (std::uint32_t i = kChunksPerBlock; i-- > 0;) spare_.push_back(first + i);
    }
    const std::uint32_t i = spare_.back();
    spare_.pop_back();
    chunk(i).count = 0;
    chunk(i).next = next;
    return i;
}

void TimerWheel::fit(TimestampNs longest, TimestampNs late) noexcept {
    int shift = kShift;
    while (longest >> shift >= kSlots / 2 && late >> shift >= 2) ++shift;
    if (shift == shift_) return;
    const TimestampNs now = tick_ << shift_;
    shift_ = shift;
    if (tick_ >= 0) jump(slot_of(now));
}

void TimerWheel::arm(std::uint32_t index, TimestampNs due, int rank) {
    const std::int64_t tick = std::clamp(slot_of(due), tick_, tick_ + kSlots - 1);
    first(rank) = std::min(first(rank), tick);
    std::uint32_t& head = slot(rank, tick);
    if (head == kNone || chunk(head).count == std::size(chunk(head).index)) head = new_chunk(head);
    Chunk& c = chunk(head);
    places_[index] = head << 8 | c.count | (rank == 0 ? 0 : kHigherRank);
    c.index[c.count++] = index;
    ++held_[static_cast<std::size_t>(rank)];
}

// The chunk's last one takes the place; a chunk that is empty goes with its slot.
void TimerWheel::disarm(std::uint32_t index) noexcept {
    const std::uint32_t place = places_[index];
    Chunk& c = chunk((place & ~kHigherRank) >> 8);
    assert((place & 0xff) < c.count && c.index[place & 0xff] == index);
    const std::uint32_t last = c.index[--c.count];
    c.index[place & 0xff] = last;
    places_[last] = place;
    --held_[place & kHigherRank ? 1 : 0];
}

int TimerWheel::take(int rank, std::uint32_t& head, std::uint32_t* out, int room) noexcept {
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
    held_[static_cast<std::size_t>(rank)] -= static_cast<std::size_t>(taken);
    return taken;
}

// Sets all that is held aside, in as many steps as there are chunks, and goes on
// from `tick`: time leapt over a whole turn, or all is to be looked at.
void TimerWheel::jump(std::int64_t tick) noexcept {
    for (int rank = 0; rank < kRanks; ++rank)
        for (std::uint32_t& head : slots_[static_cast<std::size_t>(rank)])
            while (head != kNone) {
                const std::uint32_t next = chunk(head).next;
                chunk(head).next = overdue(rank);
                overdue(rank) = head;
                head = next;
            }
    tick_ = tick;
    first_.fill(tick + kSlots);
}

void TimerWheel::restart(TimestampNs now) noexcept {
    assert(held() == 0);
    jump(slot_of(now));
    std::uint32_t none;
    for (int rank = 0; rank < kRanks; ++rank) take(rank, overdue(rank), &none, 1);  // gives back the chunks
}

int TimerWheel::peek(std::uint32_t* out, int room) const noexcept {
    const std::uint32_t head = overdue_[0] != kNone ? overdue_[0] : slots_[0][static_cast<std::size_t>(tick_ % kSlots)];
    if (head == kNone) return 0;
    const Chunk& next = chunk(head);
    const int count = std::min(room, static_cast<int>(next.count));
    std::reverse_copy(next.index + next.count - count, next.index + next.count, out);
    return count;
}

int TimerWheel::take_due(TimestampNs now, std::uint32_t* out, int room) noexcept {
    const std::int64_t present = slot_of(now);
    if (present - tick_ > kSlots) jump(present);
    int taken = 0;
    for (int rank = 0; rank < kRanks; ++rank) taken += take(rank, overdue(rank), out + taken, room - taken);
    while (taken < room && tick_ < present) {
        for (int rank = 0; rank < kRanks; ++rank) taken += take(rank, slot(rank, tick_), out + taken, room - taken);
        if (slot(0, tick_) == kNone && slot(1, tick_) == kNone) ++tick_;
    }
    return taken;
}

// Of the ranks from `begin` to before `end`.
int TimerWheel::take_nearest(int begin, int end, std::uint32_t* out, int room, TimestampNs& until) noexcept {
    until = tick_ << shift_;
    std::size_t held = 0;
    std::int64_t tick = tick_ + kSlots;
    for (int rank = begin; rank < end; ++rank) {
        held += held_of(rank);
        tick = std::min(tick, first(rank));
    }
    if (held == 0) return 0;
    for (int rank = begin; rank < end; ++rank)
        if (const int taken = take(rank, overdue(rank), out, room); taken != 0) return taken;
    for (tick = std::max(tick, tick_);; ++tick) {
        until = (tick + 1) << shift_;
        for (int rank = begin; rank < end; ++rank) {
            if (const int taken = take(rank, slot(rank, tick), out, room); taken != 0) return taken;
            first(rank) = std::max(first(rank), tick + 1);
        }
    }
}

}  // namespace nfstreamd
