// SPDX-License-Identifier: Apache-2.0
// Captured bytes as a capture source hands them over, a vector at a time. They
// are borrowed: valid until on_frames returns.
#pragma once
#include <cstdint>
#include <span>

#include "core/packet/checksum_mode.hpp"

namespace nfstreamd {

using TimestampNs = std::int64_t;  // since the Unix epoch, from the capture source

struct RawFrame {
    TimestampNs timestamp;
    const std::uint8_t* data;
    std::uint32_t captured_length;  // bytes at `data`
    std::uint32_t wire_length;      // exceeds captured_length when snapped
};

inline constexpr std::size_t kFrameVectorSize = 32;  // most frames of one vector (flow-table measurements: 16 to 32)

struct FrameVector {
    std::span<const RawFrame> frames;  // at most kFrameVectorSize
    int link_type;                     // DLT_* of all of them
    ChecksumMode checksum = ChecksumMode::kOff;
};

class FrameSink {
public:
    virtual void on_frames(const FrameVector& vector) noexcept = 0;

protected:
    ~FrameSink() = default;
};

}  // namespace nfstreamd
