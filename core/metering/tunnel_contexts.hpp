// SPDX-License-Identifier: Apache-2.0
// Small numbers for what a flow key says of its tunnel: 0 to 15 are the kinds,
// the others stand for a kind in an overlay network (VNI), as tenants may use
// the same addresses. Numbers that no flow has serve again, many of them at a
// time when others run short. One metering thread.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "core/packet/frame.hpp"
#include "core/packet/packet.hpp"

namespace nfstreamd {

class TunnelContexts {
public:
    static constexpr std::uint16_t kFirst = 16, kLast = 4094;  // twelve bits; the last value marks a free slot

    explicit TunnelContexts(std::uint64_t seed) : seed_(seed | 1) {}

    // The packet's number. The plain kind when none is left, counted by merged().
    std::uint16_t number(const Packet& packet) {
        return packet.tunnel_segment == 0 ? packet.tunnel_id : number_of(packet);
    }
    std::uint8_t kind(std::uint16_t number) const noexcept {
        return number < kFirst ? static_cast<std::uint8_t>(number) : contexts_[number - kFirst].kind;
    }
    std::uint64_t merged() const noexcept { return merged_; }

    // A flow with this number begins, ends.
    void hold(std::uint16_t number) noexcept {
        if (number >= kFirst) [[unlikely]]
            idle_ -= contexts_[number - kFirst].flows++ == 0;
    }
    void release(std::uint16_t number) noexcept {
        if (number >= kFirst) [[unlikely]]
            idle_ += --contexts_[number - kFirst].flows == 0;
    }
    // No packet is under way whose flow does not hold its number yet.
    void between_vectors() {
        if (idle_ >= kWorthwhile && left() < kFrameVectorSize) [[unlikely]]
            drop_idle();
    }

private:
    struct Context {
        std::uint32_t segment = 0;  // 0: not in use
        std::uint32_t flows = 0;
        std::uint8_t kind = 0;
    };
    static constexpr std::size_t kSlots = 8192;        // at most half of them taken
    static constexpr std::uint32_t kWorthwhile = 128;  // idle numbers for which all are looked at

    std::size_t left() const noexcept { return kLast - kFirst + 1 - contexts_.size() + free_.size(); }
    std::uint16_t number_of(const Packet& packet);
    std::uint16_t& slot_of(std::uint32_t segment, std::uint8_t kind) noexcept;
    void drop_idle();

    std::uint64_t seed_;
    std::vector<Context> contexts_;     // by number, in the order they were met
    std::vector<std::uint16_t> slots_;  // by hash: a number, or 0
    std::vector<std::uint16_t> free_;
    std::uint32_t idle_ = 0;  // numbers in use without a flow
    std::uint64_t merged_ = 0;
};

}  // namespace nfstreamd
