// SPDX-License-Identifier: Apache-2.0
// Keeps a copy of every frame that a packet source delivers.
#pragma once
#include <vector>

#include "core/packet/frame.hpp"

namespace nfstreamd::test {

struct CollectedFrame {
    TimestampNs timestamp;
    std::vector<std::uint8_t> octets;
    std::uint32_t wire_length;
    int link_type;
    std::uint8_t source = 0;
    friend bool operator==(const CollectedFrame&, const CollectedFrame&) = default;
};

class CollectingSink final : public FrameSink {
public:
    void on_frames(const FrameVector& vector) noexcept override {
        ++vectors;
        if (vector.frames.size() > largest_vector) largest_vector = vector.frames.size();
        for (const auto& frame : vector.frames) {
            frames.push_back({frame.timestamp,
                              {frame.data, frame.data + frame.captured_length},
                              frame.wire_length,
                              vector.link_type,
                              frame.source});
        }
    }

    std::vector<CollectedFrame> frames;
    std::size_t vectors = 0, largest_vector = 0;
};

}  // namespace nfstreamd::test
