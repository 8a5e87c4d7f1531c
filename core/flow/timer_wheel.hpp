// SPDX-License-Identifier: Apache-2.0
// When to look at which flow again. Lazy: a packet does not move its flow; when
// the flow's slot comes up it is closed or armed anew. Slots are chunks of
// indices, so that no link lies in the flow; beside them stands where each index
// is, so that one can be taken out. Every index is held at most once, in one of
// two ranks, which differ for those alone who take of one of them. One thread.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/flow/memory.hpp"
#include "core/packet/frame.hpp"

namespace nfstreamd {

class TimerWheel {
public:
    static constexpr int kShift = 29;    // 2^29 ns, 0.54 s, a slot, unless fit() makes it wider
    static constexpr int kSlots = 4096;  // what is due later than a turn, here 37 minutes, is armed anew on the way

    static constexpr int kRanks = 2;

    static constexpr std::size_t kOctetsPerIndex = 2 * sizeof(std::uint32_t);

    TimerWheel() noexcept {
        for (auto& slots : slots_) slots.fill(kNone);
        overdue_.fill(kNone);
    }

    Status allocate(std::uint32_t indices);  // for 0 to indices - 1, once
    void prefault(Prefault& prefault, std::size_t indices) { places_.prefault(prefault, indices); }

    // Slots so wide that what is due within `longest` comes in the order of time, but no wider than `late`, by which it
    // may come up later. What is held then comes up with the next takes.
    void fit(TimestampNs longest, TimestampNs late) noexcept;

    void arm(std::uint32_t index, TimestampNs due, int rank = 0);
    void disarm(std::uint32_t index) noexcept;  // one that is held

    // Up to `room` indices whose slot has passed at `now`; 0: none is left.
    int take_due(TimestampNs now, std::uint32_t* out, int room) noexcept;
    // Up to `room` indices of the earliest slot that holds any, and the end of
    // that slot's time: what is due later was refreshed since. 0: the wheel is empty.
    int take_nearest(std::uint32_t* out, int room, TimestampNs& until) noexcept {
        return take_nearest(0, kRanks, out, room, until);
    }
    int take_nearest_of(int rank, std::uint32_t* out, int room, TimestampNs& until) noexcept {
        return take_nearest(rank, rank + 1, out, room, until);
    }

    // Up to `room` of those that the next take may give, to fetch their flows meanwhile.
    int peek(std::uint32_t* out, int room) const noexcept;

    // All that is held comes up with the next takes, whenever it was due: the
    // timeouts have changed.
    void revisit_all() noexcept { jump(tick_); }

    // The wheel stands at `now`. The first call starts it; before that nothing may be armed.
    void start(TimestampNs now) noexcept {
        if (tick_ < 0) tick_ = slot_of(now);
    }
    // Starts anew at any time, earlier ones included; nothing may be held.
    void restart(TimestampNs now) noexcept;
    std::size_t held() const noexcept { return held_[0] + held_[1]; }
    std::size_t held_of(int rank) const noexcept { return held_[static_cast<std::size_t>(rank)]; }

private:
    static constexpr std::uint32_t kNone = 0xffffffff, kHigherRank = 0x80000000;  // of a place
    static constexpr int kChunksPerBlock = 64;
    struct Chunk {
        std::uint32_t count, next, index[254];
    };
    static_assert(sizeof(Chunk) == 1024);  // a place is a rank, a chunk's number and eight bits

    std::int64_t slot_of(TimestampNs time) const noexcept { return time >> shift_; }
    const Chunk& chunk(std::uint32_t i) const noexcept { return blocks_[i / kChunksPerBlock][i % kChunksPerBlock]; }
    Chunk& chunk(std::uint32_t i) noexcept { return blocks_[i / kChunksPerBlock][i % kChunksPerBlock]; }
    std::uint32_t& slot(int rank, std::int64_t tick) noexcept {
        return slots_[static_cast<std::size_t>(rank)][static_cast<std::size_t>(tick % kSlots)];
    }
    std::int64_t& first(int rank) noexcept { return first_[static_cast<std::size_t>(rank)]; }
    std::uint32_t& overdue(int rank) noexcept { return overdue_[static_cast<std::size_t>(rank)]; }
    std::uint32_t new_chunk(std::uint32_t next);
    int take(int rank, std::uint32_t& head, std::uint32_t* out, int room) noexcept;
    int take_nearest(int first, int end, std::uint32_t* out, int room, TimestampNs& until) noexcept;
    void jump(std::int64_t tick) noexcept;

    Region<std::uint32_t> places_;  // of what is held
    std::array<std::array<std::uint32_t, kSlots>, kRanks> slots_;
    std::array<std::uint32_t, kRanks> overdue_;  // chunks that a jump in time left behind
    std::vector<std::unique_ptr<Chunk[]>> blocks_;
    std::vector<std::uint32_t> spare_;
    int shift_ = kShift;
    std::int64_t tick_ = -1;                    // slots before this one have been handled
    std::array<std::int64_t, kRanks> first_{};  // and those before this one hold nothing of the rank
    std::array<std::size_t, kRanks> held_{};
};

}  // namespace nfstreamd
