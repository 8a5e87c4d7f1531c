// SPDX-License-Identifier: Apache-2.0
// State of one live flow: two cache lines for IPv4. The first is written per
// packet, the second for the first packet and when the direction changes. What
// only some flows need (statistics, sequence, dissection) lies in arrays beside,
// under the same index.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/flow/flow_key.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

template <class Key>
struct alignas(64) FlowEntry {
    TimestampNs first, last;  // of the flow
    Key key;
    std::uint32_t packets[2];                   // [0] initiator, [1] responder
    std::uint32_t octets_low[2], bytes_low[2];  // low halves; carries go to *_high
    std::uint8_t tcp_flags[2];
    std::uint8_t initiator_swapped : 1;  // the initiator is the key's high end
    std::uint8_t tunnelled : 1;          // a FlowTunnel lies beside
    std::uint8_t outgoing : 1;
    std::uint8_t biflow_direction : 2;
    std::uint8_t thinned : 1;     // its packets were sampled under overload
    std::uint8_t last_direction;  // 2: closed, only its key is kept
    std::uint8_t ttl_min[2], ttl_max[2];
    // second line of an IPv4 entry
    TimestampNs reverse_first;
    TimestampNs direction_last[2];  // of a direction, up to date only when it is not last_direction
    std::uint16_t octets_high[2], bytes_high[2];
    std::uint32_t flow_label[2];
    std::uint32_t interface;  // ifIndex from the link header, 0: the meter's own
    std::uint8_t tos[2], icmp_type[2], icmp_code[2];
    MacAddress source_mac, destination_mac;
    std::uint8_t source;  // interface of the first packet, in MeterContext::interfaces

    TimestampNs last_of(int direction) const noexcept {
        return direction == last_direction ? last : direction_last[direction];
    }
    std::uint64_t octets(int direction) const noexcept {
        return octets_low[direction] | std::uint64_t{octets_high[direction]} << 32;
    }
    std::uint64_t bytes(int direction) const noexcept {
        return bytes_low[direction] | std::uint64_t{bytes_high[direction]} << 32;
    }
};

using FlowEntryV4 = FlowEntry<FlowKeyV4>;
using FlowEntryV6 = FlowEntry<FlowKeyV6>;
static_assert(sizeof(FlowEntryV4) == 128 && offsetof(FlowEntryV4, reverse_first) == 64);
static_assert(sizeof(FlowEntryV6) == 192);

}  // namespace nfstreamd
