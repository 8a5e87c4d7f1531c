// SPDX-License-Identifier: Apache-2.0
#include "core/metering/tunnel_contexts.hpp"

namespace nfstreamd {

// Where the number stands, or the slot it would go to: probes in a row, which
// end as half of the slots are free.
std::uint16_t& TunnelContexts::slot_of(std::uint32_t segment, std::uint8_t kind) noexcept {
    std::uint64_t hash = (std::uint64_t{kind} << 32 | segment) * seed_;
    hash = (hash ^ hash >> 32) * 0x9E3779B97F4A7C15u >> 51;
    for (;; hash = (hash + 1) % kSlots) {
        std::uint16_t& slot = slots_[hash];
        if (slot == 0) return slot;
        const Context& context = contexts_[slot - kFirst];
        if (context.segment == segment && context.kind == kind) return slot;
    }
}

std::uint16_t TunnelContexts::number_of(const Packet& packet) {
    if (slots_.empty()) slots_.resize(kSlots);
    std::uint16_t& slot = slot_of(packet.tunnel_segment, packet.tunnel_id);
    if (slot != 0) return slot;
    const Context fresh{packet.tunnel_segment, 0, packet.tunnel_id};
    if (!free_.empty()) {
        slot = free_.back();
        free_.pop_back();
        contexts_[slot - kFirst] = fresh;
    } else if (contexts_.size() <= kLast - kFirst) {
        slot = static_cast<std::uint16_t>(kFirst + contexts_.size());
        contexts_.push_back(fresh);
    } else {
        ++merged_;
        return packet.tunnel_id;
    }
    ++idle_;
    return slot;
}

void TunnelContexts::drop_idle() {
    slots_.assign(kSlots, 0);
    for (std::size_t i = 0; i < contexts_.size(); ++i) {
        Context& context = contexts_[i];
        const auto number = static_cast<std::uint16_t>(kFirst + i);
        if (context.segment == 0) continue;
        if (context.flows == 0) {
            context = {};
            free_.push_back(number);
        } else {
            slot_of(context.segment, context.kind) = number;
        }
    }
    idle_ = 0;
}

}  // namespace nfstreamd
