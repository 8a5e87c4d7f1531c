// SPDX-License-Identifier: Apache-2.0
// Payloads of IPv4 packets by their own lengths, padding of the link left out. Pure.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/plugin/nfstreamd_plugin.hpp"

namespace nfstreamd::plugins {

using Octets = std::basic_string_view<std::uint8_t>;

// Of the IP packet, as far as it was captured; empty when it is not IPv4, or not of that protocol.
inline Octets ipv4_payload(const Packet& packet, std::uint8_t protocol) {
    if (packet.ip_version != 4 || packet.protocol != protocol || packet.ip_packet_length < 20) return {};
    const std::size_t header = static_cast<std::size_t>(packet.ip_packet[0] & 15) * 4;
    const std::size_t total = static_cast<std::size_t>(packet.ip_packet[2]) << 8 | packet.ip_packet[3];
    const std::size_t end = std::min<std::size_t>(total, packet.ip_packet_length);
    if (header < 20 || header >= end) return {};
    return {packet.ip_packet + header, end - header};
}

inline Octets udp_payload(const Packet& packet) {
    constexpr std::uint8_t kUdp = 17;
    const Octets datagram = ipv4_payload(packet, kUdp);
    return datagram.size() > 8 ? datagram.substr(8) : Octets();
}

}  // namespace nfstreamd::plugins
