// SPDX-License-Identifier: Apache-2.0
#include "core/features/flow_sequences.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace nfstreamd {
namespace {

constexpr std::uint32_t kLongestGap = std::numeric_limits<std::int32_t>::max();
constexpr unsigned kDirectionBit = 31;  // above the gap

template <class T>
void store(std::uint8_t* at, T value) {
    std::memcpy(at, &value, sizeof value);
}
template <class T>
T load(const std::uint8_t* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

}  // namespace

Status FlowSequences::allocate(std::size_t flows, unsigned length) {
    length_ = length;
    stride_ = (std::size_t{length} * kPacket + 7) & ~std::size_t{7};
    return length == 0 ? ok() : blocks_.allocate(flows * stride_);
}

void FlowSequences::record(std::uint32_t flow, std::uint32_t number, int direction, std::uint16_t size,
                           std::uint64_t gap_ms) noexcept {
    if (number >= length_) return;
    std::uint8_t* packet = blocks_.data() + flow * stride_ + number * kPacket;
    const auto gap = static_cast<std::uint32_t>(std::min<std::uint64_t>(gap_ms, kLongestGap));
    store(packet, gap | static_cast<std::uint32_t>(direction) << kDirectionBit);
    store(packet + sizeof gap, size);
}

const SequenceRecord* FlowSequences::build(std::uint32_t flow, std::uint64_t packets, Arena& arena) const {
    const std::uint8_t* block = &blocks_[flow * stride_];
    const auto kept = static_cast<std::size_t>(std::min<std::uint64_t>(packets, length_));
    const auto direction = arena.array<std::int32_t>(length_);
    const auto size = arena.array<std::int32_t>(length_);
    const auto gap = arena.array<std::int32_t>(length_);
    for (std::size_t i = 0; i < kept; ++i) {
        const std::uint8_t* packet = block + i * kPacket;
        const auto word = load<std::uint32_t>(packet);
        gap[i] = static_cast<std::int32_t>(word & kLongestGap);
        direction[i] = static_cast<std::int32_t>(word >> kDirectionBit);
        size[i] = load<std::uint16_t>(packet + sizeof word);
    }
    for (const auto& list : {direction, size, gap})
        std::fill(list.begin() + static_cast<std::ptrdiff_t>(kept), list.end(), -1);
    auto* record = arena.make<SequenceRecord>();
    *record = {direction, size, gap};
    return record;
}

}  // namespace nfstreamd
