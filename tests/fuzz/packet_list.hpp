// SPDX-License-Identifier: Apache-2.0
// The meter's input as a list of frames: four octets of options, then for each
// frame flags, a step of time, a length and its octets. Any octets are one.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/packet/frame.hpp"
#include "tests/fuzz/promises.hpp"

namespace nfstreamd::fuzz {

struct ListedFrame {
    // Of `flags`: how far `step` is shifted, time goes back, more was on the wire, the vector ends before it.
    static constexpr std::uint8_t kShift = 31, kBack = 32, kCut = 64, kNewVector = 128;
    std::uint8_t flags = 0;
    std::uint16_t step = 0;
    std::vector<std::uint8_t> octets;

    TimestampNs after(TimestampNs time) const {
        const TimestampNs distance = TimestampNs{step} << (flags & kShift);
        return (flags & kBack) != 0 ? time - distance : time + distance;
    }
};

struct PacketList {
    static constexpr std::size_t kMostFrames = 256, kLongestFrame = 2048;
    std::uint8_t options[4] = {};
    std::vector<ListedFrame> frames;

    static PacketList read(std::span<const std::uint8_t> input) {
        PacketList list;
        Pieces pieces(input.data(), input.size());
        for (auto& option : list.options) option = pieces.octet();
        while (!pieces.empty() && list.frames.size() < kMostFrames) {
            ListedFrame& frame = list.frames.emplace_back();
            frame.flags = pieces.octet();
            frame.step = pieces.number16();
            const auto octets = pieces.behind_its_length();
            frame.octets.assign(octets.begin(), octets.end());
        }
        return list;
    }

    // Whole frames as far as they go.
    std::size_t write(std::span<std::uint8_t> output) const {
        if (output.size() < sizeof options) return 0;
        std::size_t at = 0;
        for (const auto option : options) output[at++] = option;
        for (const ListedFrame& frame : frames) {
            if (output.size() - at < 5 + frame.octets.size()) break;
            output[at++] = frame.flags;
            for (const std::size_t number : {std::size_t{frame.step}, frame.octets.size()}) {
                output[at++] = static_cast<std::uint8_t>(number >> 8);
                output[at++] = static_cast<std::uint8_t>(number);
            }
            std::copy(frame.octets.begin(), frame.octets.end(), output.begin() + static_cast<std::ptrdiff_t>(at));
            at += frame.octets.size();
        }
        return at;
    }
};

}  // namespace nfstreamd::fuzz
