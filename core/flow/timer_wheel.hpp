// SPDX-License-Identifier: Apache-2.0
// When to look at which flow again. Lazy: a packet does not move its flow; when
// the flow's slot comes up it is closed or armed anew. Slots are chunks of
// indices, so that no link lies in the flow. One thread.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/packet/frame.hpp"

namespace nfstreamd {

class TimerWheel {
public:
    static constexpr int kShift = 29;   // 2^29 ns, 0.54 s, a slot
    static constexpr int kSlots = 512;  // what is due later than 275 s is armed anew on the way
    static constexpr std::int64_t slot_of(TimestampNs time) noexcept { return time >> kShift; }

    TimerWheel() noexcept { slots_.fill(kNone); }

    bool started() const noexcept { return tick_ >= 0; }
    void start(TimestampNs now) noexcept { tick_ = slot_of(now); }
    std::int64_t tick() const noexcept { return tick_; }  // slots before this one have been handled
    void advance() noexcept { ++tick_; }

    void arm(std::uint32_t index, TimestampNs due);
    // Takes up to `room` indices out of the slot of `tick`; fewer: it is empty now.
    int take(std::int64_t tick, std::uint32_t* out, int room) noexcept;
    // With nothing held, skips to `now` at once.
    void skip_to(TimestampNs now) noexcept {
        if (held_ == 0 && slot_of(now) > tick_) tick_ = slot_of(now);
    }
    std::size_t held() const noexcept { return held_; }

private:
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr int kChunksPerBlock = 64;
    struct Chunk {
        std::uint32_t count, next, index[254];
    };

    Chunk& chunk(std::uint32_t i) noexcept { return blocks_[i / kChunksPerBlock][i % kChunksPerBlock]; }
    std::uint32_t& slot(std::int64_t tick) noexcept { return slots_[static_cast<std::size_t>(tick % kSlots)]; }
    std::uint32_t new_chunk(std::uint32_t next);

    std::array<std::uint32_t, kSlots> slots_;
    std::vector<std::unique_ptr<Chunk[]>> blocks_;
    std::vector<std::uint32_t> spare_;
    std::int64_t tick_ = -1;
    std::size_t held_ = 0;
};

}  // namespace nfstreamd
