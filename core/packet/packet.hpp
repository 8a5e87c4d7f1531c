// SPDX-License-Identifier: Apache-2.0
// A decoded packet: a view over capture memory, valid until on_frames returns.
// Nothing downstream may keep a pointer into it.
#pragma once
#include <cstdint>
#include <string_view>

#include "core/packet/frame.hpp"

namespace nfstreamd {

// What few packets have: of tunnels, fragments, ICMP and link layers other than Ethernet.
struct RarePacketFields {
    const std::uint8_t* outer_ip = nullptr;  // header around the innermost tunnel; null: not in one
    std::uint32_t ingress_interface = 0;     // ifIndex where the link header has it (SLL2), else 0
    std::uint32_t tunnel_key = 0;            // TEID, VNI, GRE key, session; by the kind
    std::uint32_t tunnel_segment = 0;        // overlay network (kind and VNI) the addresses belong to
    std::uint32_t fragment_id = 0;           // identification, when `fragment`
    std::uint16_t tunnel_context = 0;        // what the flow key says of the tunnel; the meter sets it
    std::uint8_t tunnel_id = 0;              // TunnelKind of the innermost one
    std::uint8_t tunnel_depth = 0;           // IP headers around `ip`
    std::uint8_t icmp_type = 0, icmp_code = 0;
    bool outgoing = false;        // the link header says so (SLL, SLL2)
    bool fragment = false;        // any, the first included
    bool later_fragment = false;  // FragmentMode::kAll only: ports are not its own
    friend bool operator==(const RarePacketFields&, const RarePacketFields&) = default;
};

struct Packet : RarePacketFields {
    TimestampNs timestamp = 0;
    const std::uint8_t* ip = nullptr;          // innermost IP header onward
    const std::uint8_t* source_mac = nullptr;  // six octets, or null: the link has none
    const std::uint8_t* destination_mac = nullptr;
    const std::uint8_t* tcp = nullptr;                    // TCP header, when its 20 octets were captured whole
    std::uint32_t ip_captured = 0;                        // captured octets from `ip` on, link padding included
    std::uint32_t captured = 0;                           // octets of the frame that were captured
    std::uint32_t ip_octets = 0;                          // IP datagram as its header says, header included (IE 1)
    std::uint32_t flow_label = 0;                         // IPv6
    std::uint16_t sizes[4] = {};                          // by accounting mode: link, IP, transport, payload
    std::uint16_t source_port = 0, destination_port = 0;  // TCP, UDP
    std::uint16_t vlan_id = 0;
    std::uint16_t transport_offset = 0;  // of the transport header, from `ip`
    std::uint8_t version = 0;            // 4 or 6
    std::uint8_t protocol = 0;
    std::uint8_t tcp_flags = 0;
    std::uint8_t tos = 0, ttl = 0;  // IPv6: traffic class, hop limit
    std::uint8_t source = 0;        // as of the frame
    bool cut = false;               // shorter than on the wire
    friend bool operator==(const Packet&, const Packet&) = default;
};

// What decoding found. Anything but kOk is counted under its own name.
enum class DecodeResult : std::uint8_t {
    kOk,
    kUnsupportedLinkType,
    kTruncated,      // the capture ends inside a header
    kNotIp,          // neither IPv4 nor IPv6 inside
    kBadHeader,      // lengths that contradict each other
    kFragment,       // not the first one, with fragments: first
    kNoTransport,    // IPv6 without next header
    kSpanningTree,   // LLC of 802.1D
    kBadRadioFrame,  // 802.11 with a failed checksum
    kNotData,        // 802.11 management or control, no LLC
    kBadChecksum,    // with checksum: ignore
};
inline constexpr std::size_t kDecodeResults = 11;
std::string_view name(DecodeResult result) noexcept;  // "truncated", as in packets_ignored{reason}

}  // namespace nfstreamd
