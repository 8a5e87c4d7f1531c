// SPDX-License-Identifier: Apache-2.0
// nfstream's splt_analysis: direction, size and gap of the first packets of
// each flow. One block per flow index, reserved together; one thread.
#pragma once
#include <cstdint>

#include "core/base/arena.hpp"
#include "core/flow/memory.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

class FlowSequences {
public:
    // `length` packets for each of `flows` flows.
    Status allocate(std::size_t flows, unsigned length);
    void prefault(Prefault& prefault, std::size_t flows) { blocks_.prefault(prefault, flows * stride_); }
    bool enabled() const noexcept { return length_ != 0; }
    std::size_t octets_per_flow() const noexcept { return stride_; }

    // `number` of the packet in its flow, from 0.
    void record(std::uint32_t flow, std::uint32_t number, int direction, std::uint16_t size,
                std::uint64_t gap_ms) noexcept;

    // The first packets; most flows have no more.
    void prefetch(std::uint32_t flow) const noexcept {
        const std::uint8_t* block = &blocks_[flow * stride_];
        __builtin_prefetch(block, 1);
        __builtin_prefetch(block + 64, 1);
    }

    // The first `packets` of the flow, or as many as are kept, the tail -1.
    const SequenceRecord* build(std::uint32_t flow, std::uint64_t packets, Arena& arena) const;

private:
    // of a packet: gap and, above it, direction; then size. Together, so that a packet is one line of the cache.
    static constexpr std::size_t kPacket = 6;

    Region<std::uint8_t> blocks_;
    std::size_t stride_ = 0;
    unsigned length_ = 0;
};

}  // namespace nfstreamd
