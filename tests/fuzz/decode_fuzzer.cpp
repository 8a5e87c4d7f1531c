// SPDX-License-Identifier: Apache-2.0
// decode() on hostile bytes, and the checksums of what came out. The first octet chooses link type and options, the
// second how much of the wire the capture has; the rest is the frame, in a heap
// block of exactly its size so that AddressSanitizer sees one octet too far.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

#include "core/packet/checksum.hpp"
#include "core/packet/decode.hpp"
#include "tests/fuzz/promises.hpp"

namespace {

using namespace nfstreamd;

// DLT_NULL, EN10MB, PPP, PPP_SERIAL, PPP_ETHER, RAW, 802.11, LOOP, LINUX_SLL, radiotap, SLL2, IPV4, IPV6, unknown
constexpr int kLinkTypes[] = {0, 1, 9, 50, 51, 12, 105, 108, 113, 127, 276, 228, 229, 147, 101, 14};

using fuzz::require;

void check_pointers(const RawFrame& frame, const Packet& packet) {
    const std::uint8_t* begin = frame.data;
    const std::uint8_t* end = frame.data + frame.captured_length;
    require(packet.ip != nullptr, "a decoded packet has an IP header");
    require(packet.ip >= begin && packet.ip <= end, "ip points into the frame");
    require(packet.ip_captured <= static_cast<std::size_t>(end - packet.ip), "ip_captured ends inside the frame");
    for (const std::uint8_t* mac : {packet.source_mac, packet.destination_mac}) {
        require(mac == nullptr || (mac >= begin && end - mac >= 6), "MAC addresses lie inside the frame");
    }
}

void check_tunnel(const RawFrame& frame, const Packet& packet) {
    require((packet.tunnel_depth == 0) == (packet.outer_ip == nullptr), "what is in a tunnel has a packet around it");
    if (packet.outer_ip == nullptr) return;
    const std::size_t header = packet.outer_ip[0] >> 4 == 6 ? 40 : 20;
    require(packet.outer_ip >= frame.data && packet.outer_ip + header <= frame.data + frame.captured_length,
            "the outer header was captured");
    require(packet.outer_ip < packet.ip, "the outer header is in front");
}

void check_headers(const Packet& packet) {
    require(packet.version == 4 || packet.version == 6, "version is 4 or 6");
    const std::uint32_t header = packet.version == 4 ? 20 : 40;
    require(packet.ip_captured >= header, "the fixed IP header was captured");
    require(packet.ip[0] >> 4 == packet.version, "version is the header's own");
    require(packet.version == 6 || (packet.ip[0] & 15u) * 4 <= packet.ip_captured, "options of IPv4 were captured");
    require(packet.vlan_id < 4096, "a VLAN id has 12 bits");
    require(packet.flow_label < (1U << 20), "a flow label has 20 bits");
    require(packet.tunnel_id < kTunnelNames.size(), "the tunnel has a name");
    require(packet.transport_offset <= packet.ip_octets || packet.ip_octets == 0 || packet.version == 4,
            "the transport header is in the IP packet");
    const bool has_ports = packet.protocol == 6 || packet.protocol == 17 || packet.protocol == 132;
    require(has_ports || (packet.source_port == 0 && packet.destination_port == 0), "no ports without a transport");
    require(packet.protocol == 6 || packet.tcp_flags == 0, "no TCP flags without TCP");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    if (size < 2) return 0;
    const int link_type = kLinkTypes[input[0] & 15];
    constexpr TunnelSet kTunnels[] = {false, true, TunnelSet::all(), TunnelSet::all()};
    const DecodeOptions options{.tunnels = kTunnels[(input[0] >> 4 & 1) | (input[0] >> 5 & 2)],
                                .fragments = (input[0] & 32) != 0 ? FragmentMode::kAll : FragmentMode::kFirst};
    const std::size_t length = size - 2;
    const auto block = std::make_unique<std::uint8_t[]>(length);
    std::memcpy(block.get(), input + 2, length);
    const RawFrame frame{.timestamp = 1,
                         .data = block.get(),
                         .captured_length = static_cast<std::uint32_t>(length),
                         .wire_length = static_cast<std::uint32_t>(length + input[1])};

    Packet packet;
    const DecodeResult result = decode(link_type, frame, options, packet);
    require(static_cast<std::size_t>(result) < kDecodeResults, "the result has a name");
    require(!name(result).empty(), "the result has a name");
    require(is_supported_link_type(link_type) || result != DecodeResult::kOk, "an unknown link type is not decoded");
    if (result != DecodeResult::kOk) return 0;
    check_pointers(frame, packet);
    check_headers(packet);
    check_tunnel(frame, packet);
    require(check_checksums(packet, false) <= ChecksumVerdict::kBad, "checksums are looked at inside the frame");

    Packet again;
    require(decode_any(link_type, frame, options, again) == result && again == packet,
            "the short way says the same as the long one");
    return 0;
}
