// SPDX-License-Identifier: Apache-2.0
// The short way of decode() for nearly every packet: Ethernet with at most one
// VLAN tag, IPv4 without options or IPv6 without extension headers, no fragment,
// TCP or UDP with its header captured, no port of a tunnel. Says the same of
// these as the long way, in a third of its instructions. Pure. Any thread.
#pragma once
#include <algorithm>
#include <cstdint>

#include "core/packet/octets.hpp"
#include "core/packet/packet.hpp"

namespace nfstreamd {

// GTP-U, CAPWAP, TZSP, VXLAN, GENEVE, L2TP, Teredo: the long way looks at what is behind.
constexpr bool is_tunnel_port(std::uint16_t port) noexcept {
    switch (port) {
        case 1701:
        case 2152:
        case 3544:
        case 4789:
        case 5247:
        case 6081:
        case 37008:
            return true;
        default:
            return false;
    }
}

namespace plain {

constexpr std::uint8_t kTcp = 6, kUdp = 17;

// TCP or UDP behind an IP header of `header` octets, `length` octets of it promised, 20 captured.
[[gnu::always_inline]] inline bool decode_transport(const std::uint8_t* ip, std::uint32_t header, std::uint32_t length,
                                                    Packet& out) noexcept {
    const std::uint8_t* transport = ip + header;
    std::uint32_t own_header = 8;
    out.source_port = be16(transport);
    out.destination_port = be16(transport + 2);
    if (out.protocol == kTcp) {
        if (length < 20) return false;
        own_header = (transport[12] >> 4) * 4u;
        out.tcp_flags = transport[13];
        out.tcp = transport;
    } else {
        if (out.protocol != kUdp || length < own_header) return false;
        if (is_tunnel_port(out.source_port) || is_tunnel_port(out.destination_port)) return false;
        out.tcp_flags = 0;
        out.tcp = nullptr;
    }
    out.transport_offset = static_cast<std::uint16_t>(header);
    out.sizes[2] = static_cast<std::uint16_t>(length);
    out.sizes[3] = static_cast<std::uint16_t>(length > own_header ? length - own_header : 0);
    return true;
}

inline bool decode_ipv4(const std::uint8_t* ip, std::uint32_t captured, Packet& out) noexcept {
    constexpr std::uint16_t kOffsetOrMore = 0x3fff;
    constexpr std::uint32_t kHeader = 20;
    const std::uint32_t octets = be16(ip + 2);
    if (ip[0] != 0x45 || (be16(ip + 6) & kOffsetOrMore) != 0 || octets < kHeader || captured < kHeader + 20)
        return false;
    out.version = 4;
    out.protocol = ip[9];
    out.tos = ip[1];
    out.ttl = ip[8];
    out.flow_label = 0;
    out.ip_octets = octets;
    out.sizes[1] = static_cast<std::uint16_t>(octets);
    return decode_transport(ip, kHeader, octets - kHeader, out);
}

inline bool decode_ipv6(const std::uint8_t* ip, std::uint32_t captured, Packet& out) noexcept {
    constexpr std::uint32_t kHeader = 40;
    const std::uint32_t payload = be16(ip + 4);
    if (ip[0] >> 4 != 6 || captured < kHeader + std::max(payload, 20u)) return false;
    out.version = 6;
    out.protocol = ip[6];
    out.tos = static_cast<std::uint8_t>(be16(ip) >> 4);
    out.ttl = ip[7];
    out.flow_label = be32(ip) & 0xfffff;
    out.ip_octets = payload + kHeader;
    out.sizes[1] = static_cast<std::uint16_t>(payload);
    return decode_transport(ip, kHeader, payload, out);
}

}  // namespace plain

// False: not such a packet, and what `out` has means nothing.
[[gnu::always_inline]] inline bool decode_plain(const RawFrame& frame, Packet& out) noexcept {
    constexpr std::uint32_t kLink = 14, kTag = 4, kLeast = kLink + 20, kMost = kLink + 0xffff;
    constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd, kVlan = 0x8100;
    if (frame.captured_length - kLeast > kMost - kLeast) return false;
    const std::uint8_t* ip = frame.data + kLink;
    std::uint32_t captured = frame.captured_length - kLink;
    std::uint16_t type = be16(ip - 2);
    out.vlan_id = 0;
    if (type == kVlan) [[unlikely]] {
        out.vlan_id = be16(ip) & 0xfff;
        type = be16(ip + 2);
        ip += kTag;
        captured -= kTag;
        if (captured < 20) return false;
    }
    static_cast<RarePacketFields&>(out) = RarePacketFields{};
    out.timestamp = frame.timestamp;
    out.ip = ip;
    out.source_mac = frame.data + 6;
    out.destination_mac = frame.data;
    out.ip_captured = captured;
    out.sizes[0] = static_cast<std::uint16_t>(frame.wire_length);
    out.cut = frame.captured_length < frame.wire_length;
    out.source = frame.source;
    out.captured = frame.captured_length;
    if (type == kIpv4) [[likely]]
        return plain::decode_ipv4(ip, captured, out);
    return type == kIpv6 && plain::decode_ipv6(ip, captured, out);
}

}  // namespace nfstreamd
