// SPDX-License-Identifier: Apache-2.0
// Packet sampling (RFC 5475, 5): which frames of a capture are metered. The
// decision is a pure function of the frame's number and the seed, so that
// several meters that read the same frames agree. Any thread.
#pragma once
#include <cstdint>

#include "core/base/mixing.hpp"
#include "core/selection/packet_selector.hpp"

namespace nfstreamd {

class PacketSampler {
public:
    PacketSampler() = default;
    explicit PacketSampler(const PacketSamplingOptions& options) noexcept
        : rate_(options.rate == 0 ? 1 : options.rate),
          seed_(options.seed),
          random_(options.method == SamplingMethod::kRandom) {}

    bool on() const noexcept { return rate_ > 1; }

    // Frames are numbered from 0 in the order of the capture. Of each `rate` of
    // them exactly one is selected.
    bool selects(std::uint64_t number) const noexcept {
        const std::uint64_t window = number / rate_;
        return number % rate_ == (random_ ? chosen_of(window) : 0);
    }

private:
    // splitmix64 of the window's number, scaled to the window without a bias that could be measured.
    std::uint64_t chosen_of(std::uint64_t window) const noexcept {
        return scaled_to(splitmix_finish(seed_ + (window + 1) * kSplitmixStep), rate_);
    }

    std::uint64_t rate_ = 1, seed_ = 0;
    bool random_ = false;
};

}  // namespace nfstreamd
