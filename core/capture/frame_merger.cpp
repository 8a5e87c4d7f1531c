// SPDX-License-Identifier: Apache-2.0
#include "core/capture/frame_merger.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace nfstreamd {

// ---- a queue

void FrameMerger::Queue::pop() noexcept {
    first_ = (first_ + 1) & (ring_.size() - 1);
    --count_;
}

void FrameMerger::Queue::push(const Held& held) {
    if (count_ == ring_.size()) {
        std::vector<Held> larger(2 * ring_.size());
        for (std::size_t i = 0; i < count_; ++i) larger[i] = at(i);
        ring_ = std::move(larger);
        first_ = 0;
    }
    std::size_t position = count_++;
    for (; position > 0 && at(position - 1).frame.timestamp > held.frame.timestamp; --position)
        at(position) = at(position - 1);
    at(position) = held;
}

// ---- keeping

FrameMerger::FrameMerger(std::size_t sources, std::optional<DuplicateFilter> filter, Limits limits)
    : limits_(limits), filter_(std::move(filter)), queues_(sources), heads_(sources, kNone) {}

void FrameMerger::add(std::uint8_t source, const FrameVector& vector, RawFrame frame, FrameSink& sink) noexcept {
    frame.source = source;
    frame.timestamp = std::min(frame.timestamp, kNone - 1);
    std::uint64_t identity = 0;
    if (filter_) {
        identity = filter_->identify(vector.link_type, frame);
        if (identity != 0 && !filter_->admit(identity, frame, released_)) {
            ++counts_.duplicates;
            return;
        }
    }
    while (held_ != 0 && (held_ >= limits_.frames || !find_room(frame.captured_length))) release_some(sink);
    find_room(frame.captured_length);
    std::uint8_t* copy = blocks_[open_].octets.get() + used_;
    if (frame.captured_length != 0) std::memcpy(copy, frame.data, frame.captured_length);
    frame.data = copy;
    used_ += frame.captured_length;
    ++blocks_[open_].frames;
    ++held_;
    queues_[source].push({frame, identity, vector.link_type, vector.checksum, open_});
    heads_[source] = queues_[source].front().frame.timestamp;
}

// The open block, or another one, has so many octets left. False: every block is in use.
bool FrameMerger::find_room(std::size_t octets) {
    if (!blocks_.empty()) {
        Block& open = blocks_[open_];
        if (open.frames == 0) used_ = 0;
        if (octets <= open.size - used_) return true;
        if (open.frames == 0) free_blocks_.push_back(open_);
    }
    if (!free_blocks_.empty()) {
        open_ = free_blocks_.back();
        free_blocks_.pop_back();
    } else if (blocks_.size() < limits_.blocks) {
        open_ = static_cast<std::uint32_t>(blocks_.size());
        blocks_.emplace_back();
    } else {
        return false;
    }
    used_ = 0;
    Block& block = blocks_[open_];
    if (block.size < octets || block.size == 0) {
        block.size = std::max(octets, kBlockOctets);
        block.octets = std::make_unique_for_overwrite<std::uint8_t[]>(block.size);
    }
    return true;
}

void FrameMerger::release_some(FrameSink& sink) noexcept {
    for (std::size_t i = 0; i < kFrameVectorSize && held_ != 0; ++i) {
        ++counts_.early;
        take(nearest(), sink);
    }
    deliver(sink);
}

// ---- handing over

TimestampNs FrameMerger::oldest() const noexcept {
    return heads_[nearest()];
}

std::size_t FrameMerger::nearest() const noexcept {
    return static_cast<std::size_t>(std::min_element(heads_.begin(), heads_.end()) - heads_.begin());
}

std::size_t FrameMerger::release(TimestampNs until, FrameSink& sink) noexcept {
    const std::size_t before = held_;
    while (held_ != 0) {
        const std::size_t source = nearest();
        if (heads_[source] > until) break;
        take(source, sink);
    }
    deliver(sink);
    return before - held_;
}

void FrameMerger::take(std::size_t source, FrameSink& sink) noexcept {
    Queue& queue = queues_[source];
    const Held held = queue.front();
    const bool fits = vector_link_type_ == held.link_type && vector_checksum_ == held.checksum;
    if (vector_count_ == kFrameVectorSize || (vector_count_ != 0 && !fits)) deliver(sink);
    queue.pop();
    --held_;
    heads_[source] = queue.empty() ? kNone : queue.front().frame.timestamp;

    if (held.identity != 0 && filter_->is_superseded(held.identity, held.frame)) {
        ++counts_.duplicates;
        if (--blocks_[held.block].frames == 0 && held.block != open_) free_blocks_.push_back(held.block);
        return;
    }
    if (held.frame.timestamp < released_)
        ++counts_.late;
    else
        released_ = held.frame.timestamp;
    vector_link_type_ = held.link_type;
    vector_checksum_ = held.checksum;
    vector_blocks_[vector_count_] = held.block;
    vector_[vector_count_++] = held.frame;
}

// Only now the octets may be overwritten.
void FrameMerger::deliver(FrameSink& sink) noexcept {
    if (vector_count_ == 0) return;
    sink.on_frames({{vector_.data(), vector_count_}, vector_link_type_, vector_checksum_});
    for (std::size_t i = 0; i < vector_count_; ++i) {
        const std::uint32_t block = vector_blocks_[i];
        if (--blocks_[block].frames == 0 && block != open_) free_blocks_.push_back(block);
    }
    vector_count_ = 0;
}

}  // namespace nfstreamd
