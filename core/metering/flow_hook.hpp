// SPDX-License-Identifier: Apache-2.0
// What an extension of the meter sees and may decide: called with each packet of
// a flow after the flow has counted it, and with the record of a flow that ends.
// Belongs to one metering process, whose thread makes all calls.
#pragma once
#include <cstdint>

#include "core/base/arena.hpp"
#include "core/packet/packet.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

// Makes the record that a flow would leave if it ended now.
class FlowDescriber {
public:
    virtual const FlowRecord& describe(std::uint32_t handle) = 0;
    virtual void forget() noexcept = 0;  // it has changed: the next one is made anew

protected:
    ~FlowDescriber() = default;
};

// A flow as it stands, this packet included. Valid during the call.
struct FlowView {
    // The same in every call for one flow, and of no other flow meanwhile: a place
    // for the extension's own state. Small numbers, from 0; used again by later flows.
    std::uint32_t handle = 0;
    std::uint32_t forward_packets = 0, reverse_packets = 0;  // forward: from the source
    TimestampNs before = 0;                                  // time of the packet before this one; of the first its own
    const MacAddress *source_mac = nullptr, *destination_mac = nullptr;  // of the first packet
    FlowDescriber* describer = nullptr;

    std::uint64_t packets() const { return std::uint64_t{forward_packets} + reverse_packets; }

    // All that is counted so far, in blocks as in a record at the end; id and end
    // reason are not known yet. Made when it is first asked for, and good during the call.
    const FlowRecord& record() const { return describer->describe(handle); }
};

class FlowHook {
public:
    virtual ~FlowHook() = default;

    // The first packet of a flow, and each later one with its direction (0: from the source). A
    // negative answer ends the flow at once: this packet is its last, the number is
    // its custom_expiration, and the next packet begins a new flow.
    virtual std::int32_t on_begin(const FlowView& flow, const Packet& packet) noexcept = 0;
    virtual std::int32_t on_packet(const FlowView& flow, const Packet& packet, int direction) noexcept = 0;

    // Adds to a record of FlowView what it would add if the flow ended now.
    virtual void describe(std::uint32_t /*handle*/, FlowRecord& /*record*/, Arena& /*arena*/) noexcept {}

    // The flow has ended, for whatever reason, and its record is complete. What is
    // added to it lives in the arena. Both stay where they are until complete().
    virtual void on_expire(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept = 0;

    // Records that on_expire() has had are about to leave their batch, or the hook is about to go: what
    // it has put off for them is done now, in the arena that it had.
    virtual void complete() noexcept {}

    // The flow has ended without a record, as the run has made as many as it was asked for.
    virtual void on_discard(std::uint32_t /*handle*/) noexcept {}
};

}  // namespace nfstreamd
