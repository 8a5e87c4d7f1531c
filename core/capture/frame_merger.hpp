// SPDX-License-Identifier: Apache-2.0
// Holds back copies of the frames of several sources and hands them over as one
// sequence in time stamp order; frames of the same time in the order of their
// sources. Its memory is bounded: when it is full, the oldest frames leave early.
// Owned by one metering thread.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "core/packet/duplicate_filter.hpp"
#include "core/packet/frame.hpp"

namespace nfstreamd {

class FrameMerger {
public:
    struct Limits {
        std::size_t frames = 256 * 1024;
        std::size_t blocks = 256;  // of 256 KiB, or one frame that is larger
    };

    FrameMerger(std::size_t sources, std::optional<DuplicateFilter> filter, Limits limits);
    FrameMerger(std::size_t sources, std::optional<DuplicateFilter> filter)
        : FrameMerger(sources, std::move(filter), Limits()) {}

    // A frame of `vector`. Of all that is held, what must leave to make room goes to `sink`.
    void add(std::uint8_t source, const FrameVector& vector, RawFrame frame, FrameSink& sink) noexcept;

    // All frames up to this time leave. Returns how many did.
    std::size_t release(TimestampNs until, FrameSink& sink) noexcept;

    // Time begins anew: what comes now is not late, whatever left before.
    void restart() noexcept { released_ = kNever; }

    bool empty() const noexcept { return held_ == 0; }
    TimestampNs oldest() const noexcept;  // of what is held

    std::size_t held() const noexcept { return held_; }  // frames

    struct Counts {
        std::uint64_t late = 0, early = 0, duplicates = 0;
    };
    const Counts& counts() const noexcept { return counts_; }

private:
    static constexpr TimestampNs kNever = std::numeric_limits<TimestampNs>::min(),
                                 kNone = std::numeric_limits<TimestampNs>::max();
    static constexpr std::size_t kBlockOctets = 256 * 1024;

    struct Held {
        RawFrame frame;
        std::uint64_t identity;  // see DuplicateFilter
        int link_type;
        ChecksumMode checksum;
        std::uint32_t block;
    };
    // Frames of one source, oldest first. They come nearly in order.
    class Queue {
    public:
        bool empty() const noexcept { return count_ == 0; }
        const Held& front() const noexcept { return ring_[first_]; }
        void pop() noexcept;
        void push(const Held& held);

    private:
        Held& at(std::size_t position) noexcept { return ring_[(first_ + position) & (ring_.size() - 1)]; }
        std::vector<Held> ring_ = std::vector<Held>(64);  // size: a power of two
        std::size_t first_ = 0, count_ = 0;
    };
    struct Block {
        std::unique_ptr<std::uint8_t[]> octets;
        std::size_t size = 0;
        std::uint32_t frames = 0;  // that are held in it
    };

    bool find_room(std::size_t octets);
    void release_some(FrameSink& sink) noexcept;
    std::size_t nearest() const noexcept;
    void take(std::size_t source, FrameSink& sink) noexcept;
    void deliver(FrameSink& sink) noexcept;

    const Limits limits_;
    std::optional<DuplicateFilter> filter_;
    std::vector<Queue> queues_;       // by source
    std::vector<TimestampNs> heads_;  // time of their oldest frames, or kNone
    std::size_t held_ = 0;
    TimestampNs released_ = kNever;
    Counts counts_;

    std::vector<Block> blocks_;
    std::vector<std::uint32_t> free_blocks_;
    std::uint32_t open_ = 0;  // of blocks_, when there is one
    std::size_t used_ = 0;    // of the open block

    std::array<RawFrame, kFrameVectorSize> vector_;
    std::array<std::uint32_t, kFrameVectorSize> vector_blocks_;
    std::size_t vector_count_ = 0;
    int vector_link_type_ = 0;
    ChecksumMode vector_checksum_ = ChecksumMode::kOff;
};

}  // namespace nfstreamd
