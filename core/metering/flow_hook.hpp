// SPDX-License-Identifier: Apache-2.0
// What an extension of the meter sees and may decide: called with each packet of
// a flow after the flow has counted it, and with the record of a flow that ends.
// Given to one metering process, whose thread makes all calls.
#pragma once
#include <cstdint>

#include "core/base/arena.hpp"
#include "core/base/ip_address.hpp"
#include "core/packet/packet.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

// A flow as it stands. Valid during the call.
struct FlowView {
    struct Direction {
        std::uint64_t packets = 0, octets = 0, bytes = 0;  // as in DirectionRecord
        TimestampNs first = 0, last = 0;
        std::uint8_t tcp_flags = 0;
    };

    // The same in every call for one flow, and of no other flow meanwhile: a place
    // for the extension's own state. Small numbers, from 0; used again by later flows.
    std::uint32_t handle = 0;
    IpAddress source_address, destination_address;  // source = sender of the first packet
    std::uint16_t source_port = 0, destination_port = 0, vlan_id = 0;
    std::uint8_t protocol = 0, ip_version = 0, tunnel_id = 0;
    Direction forward, reverse;  // forward: from the source

    std::uint64_t packets() const { return forward.packets + reverse.packets; }
};

class FlowHook {
public:
    virtual ~FlowHook() = default;

    // The first packet of a flow, and each later one with its direction (0: from the source). A
    // negative answer ends the flow at once: this packet is its last, the number is
    // its custom_expiration, and the next packet begins a new flow.
    virtual std::int32_t on_begin(const FlowView& flow, const Packet& packet) noexcept = 0;
    virtual std::int32_t on_packet(const FlowView& flow, const Packet& packet, int direction) noexcept = 0;

    // The flow has ended, for whatever reason, and its record is complete. What is
    // added to it lives in the arena.
    virtual void on_expire(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept = 0;
};

}  // namespace nfstreamd
