// SPDX-License-Identifier: Apache-2.0
// A hook that keeps something of each flow, so that the meter may have it fetched
// while the packets of a vector are looked up.
#pragma once
#include <cstdint>
#include <span>

namespace nfstreamd {

class FlowStates {
public:
    // Packets of these flows come next; some of them may be about to begin.
    virtual void prefetch(std::span<const std::uint32_t> handles) const noexcept = 0;

protected:
    ~FlowStates() = default;
};

}  // namespace nfstreamd
