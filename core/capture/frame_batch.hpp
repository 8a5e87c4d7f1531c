// SPDX-License-Identifier: Apache-2.0
// One vector of frames with a copy of their octets, for sources whose own
// memory dies with the next packet. Allocates for a frame larger than all its
// memory only. Owned by one metering thread.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "core/packet/frame.hpp"

namespace nfstreamd {

class FrameBatch {
public:
    // False: full, hand it on, clear() and add again. Fits always when empty.
    bool add(const RawFrame& frame) {
        if (count_ == kFrameVectorSize) return false;
        if (frame.captured_length > capacity_ - used_) {
            if (count_ != 0) return false;
            capacity_ = frame.captured_length;
            octets_ = std::make_unique_for_overwrite<std::uint8_t[]>(capacity_);
        }
        std::uint8_t* copy = octets_.get() + used_;
        if (frame.captured_length != 0) std::memcpy(copy, frame.data, frame.captured_length);
        used_ += frame.captured_length;
        frames_[count_] = frame;
        frames_[count_++].data = copy;
        return true;
    }

    std::span<const RawFrame> frames() const noexcept { return {frames_.data(), count_}; }
    bool empty() const noexcept { return count_ == 0; }
    void clear() noexcept { count_ = used_ = 0; }

private:
    std::size_t capacity_ = 256 * 1024;
    std::unique_ptr<std::uint8_t[]> octets_ = std::make_unique_for_overwrite<std::uint8_t[]>(capacity_);
    std::array<RawFrame, kFrameVectorSize> frames_;
    std::size_t count_ = 0, used_ = 0;
};

}  // namespace nfstreamd
