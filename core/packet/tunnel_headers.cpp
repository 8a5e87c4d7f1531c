// SPDX-License-Identifier: Apache-2.0
#include "core/packet/tunnel_headers.hpp"

#include <algorithm>

#include "core/packet/checksum.hpp"
#include "core/packet/octets.hpp"

namespace nfstreamd {
namespace {

constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd, kMpls = 0x8847, kVlan = 0x8100;
using Payload = std::optional<TunnelPayload>;

// RFC 1661: address and control may be left out, and so may the first octet of
// the protocol when it is zero.
Payload behind_ppp(TunnelOctets octets, TunnelPayload payload) {
    std::uint32_t at = payload.offset;
    if (octets.size() < at + 4) return {};
    if (octets[at] == 0xff && octets[at + 1] == 3) at += 2;
    const bool is_short = octets[at] & 1;
    const std::uint16_t protocol = is_short ? octets[at] : be16(&octets[at]);
    payload.offset = at + (is_short ? 1 : 2);
    switch (protocol) {
        case 0x0021:
            payload.type = kIpv4;
            return payload;
        case 0x0057:
            payload.type = kIpv6;
            return payload;
        case 0x0281:
            payload.type = kMpls;
            return payload;
        default:
            return {};  // negotiation, or compressed, or encrypted
    }
}

// RFC 2637, 4.1: version 1 of GRE, with PPP inside.
Payload pptp(TunnelOctets octets, std::uint16_t flags) {
    constexpr std::uint16_t kKey = 0x2000, kSequence = 0x1000, kAcknowledgement = 0x0080;
    if (be16(&octets[2]) != 0x880b || (flags & 0xef78) != kKey || !(flags & kSequence)) return {};
    TunnelPayload payload{.kind = TunnelKind::kGre, .offset = 12};
    if (octets.size() < 12) return {};
    if (flags & kAcknowledgement) payload.offset += 4;
    payload.key = be16(&octets[6]);  // the call
    return behind_ppp(octets, payload);
}

// draft-foschiano-erspan-03: type I has no header of its own, II and III do.
Payload erspan(TunnelOctets octets, TunnelPayload payload, std::uint16_t protocol, bool has_sequence) {
    payload.kind = TunnelKind::kErspan;
    payload.type = kTransparentEthernet;
    payload.key = 0;
    if (protocol == 0x88be && !has_sequence) return payload;
    const std::uint32_t header = payload.offset, length = protocol == 0x88be ? 8 : 12;
    if (octets.size() < header + length) return {};
    const int version = octets[header] >> 4;
    if (version != (protocol == 0x88be ? 1 : 2)) return {};
    payload.key = be16(&octets[header + 2]) & 0x3ff;
    payload.offset += length;
    if (version == 1) return payload;
    const bool has_platform_header = octets[header + 11] & 1;
    if (has_platform_header) payload.offset += 8;
    constexpr int kEthernetFrame = 0, kIpPacket = 2;
    const int frame_type = octets[header + 10] >> 2 & 0x1f;
    if (frame_type == kEthernetFrame) return payload;
    if (frame_type != kIpPacket || octets.size() <= payload.offset) return {};
    payload.type = octets[payload.offset] >> 4 == 6 ? kIpv6 : kIpv4;
    return payload;
}

// The cookie of L2TPv3 and its sublayer are agreed on out of band: an offset is
// the right one when a whole IP packet in Ethernet begins there.
bool is_frame_with_ip(TunnelOctets frame) {
    std::size_t at = 12;
    while (at + 4 <= frame.size() && be16(&frame[at]) == kVlan) at += 4;
    if (frame.size() < at + 2 + 20) return false;
    const std::uint16_t type = be16(&frame[at]);
    const TunnelOctets ip = frame.subspan(at + 2);
    if (type == kIpv4) {
        const std::size_t header = (ip[0] & 15u) * 4, total = be16(&ip[2]);
        return ip[0] >> 4 == 4 && header >= 20 && header <= ip.size() && total >= header && total <= ip.size() &&
               is_valid_checksum(ones_complement_sum(ip.data(), header));
    }
    return type == kIpv6 && ip[0] >> 4 == 6 && ip.size() >= 40 && be16(&ip[4]) + 40u <= ip.size();
}

// IEEE 802.11 data with LLC and SNAP behind it, as access points send it.
Payload behind_wifi(TunnelOctets octets, TunnelPayload payload) {
    constexpr std::uint32_t kShortest = 24;
    for (const std::uint32_t header : {kShortest, kShortest + 2}) {  // with QoS two octets more
        const std::uint32_t llc = payload.offset + header;
        if (octets.size() < llc + 8) return {};
        if (octets[llc] != 0xaa || octets[llc + 1] != 0xaa || octets[llc + 2] != 3) continue;
        payload.source_mac = &octets[payload.offset + 10];
        payload.destination_mac = &octets[payload.offset + 16];
        payload.type = be16(&octets[llc + 6]);
        payload.offset = llc + 8;
        return payload;
    }
    return {};
}

}  // namespace

Payload read_gre(TunnelOctets octets) noexcept {  // RFC 2784 and 2890
    constexpr std::uint16_t kChecksum = 0x8000, kKey = 0x2000, kSequence = 0x1000, kMustBeZero = 0x4c00, kVersion = 7;
    if (octets.size() < 8) return {};
    const std::uint16_t flags = be16(&octets[0]), protocol = be16(&octets[2]);
    if ((flags & kVersion) == 1) return pptp(octets, flags);
    if ((flags & kVersion) != 0 || (flags & kMustBeZero) != 0) return {};
    TunnelPayload payload{.kind = TunnelKind::kGre, .offset = 4, .type = protocol};
    if (flags & kChecksum) payload.offset += 4;
    if (flags & kKey) {
        if (octets.size() < payload.offset + 4) return {};
        payload.key = be32(&octets[payload.offset]);
        payload.offset += 4;
    }
    if (flags & kSequence) payload.offset += 4;
    if (protocol == 0x88be || protocol == 0x22eb) return erspan(octets, payload, protocol, flags & kSequence);
    return payload;
}

Payload read_l2tp_v3(TunnelOctets octets) noexcept {            // RFC 3931, 4.1.1
    if (octets.size() < 4 || be32(&octets[0]) == 0) return {};  // session 0: control
    for (const std::uint32_t offset : {4u, 8u, 12u, 16u}) {     // cookie 0, 4 or 8 octets, sublayer 0 or 4
        if (octets.size() < offset) return {};
        if (is_frame_with_ip(octets.subspan(offset)))
            return TunnelPayload{TunnelKind::kL2tp, offset, kTransparentEthernet, be32(&octets[0])};
    }
    return {};
}

Payload read_l2tp(TunnelOctets octets) noexcept {  // RFC 2661, 3.1; RFC 3931, 4.1.2
    constexpr std::uint16_t kControl = 0x8000, kLength = 0x4000, kSequence = 0x0800, kOffset = 0x0200,
                            kReserved = 0x34f0;
    if (octets.size() < 8) return {};
    const std::uint16_t flags = be16(&octets[0]);
    if (flags & kControl) return {};
    if (flags == 3) {  // version 3 over UDP: 16 reserved bits, then as over IP
        auto payload = read_l2tp_v3(octets.subspan(4));
        if (payload) payload->offset += 4;
        return payload;
    }
    if ((flags & 15) != 2 || (flags & kReserved) != 0) return {};
    std::uint32_t at = 2;
    if (flags & kLength) {
        if (be16(&octets[2]) > octets.size()) return {};
        at += 2;
    }
    TunnelPayload payload{.kind = TunnelKind::kL2tp, .key = be32(&octets[at])};  // tunnel and session
    at += 4;
    if (flags & kSequence) at += 4;
    if (flags & kOffset) {
        if (octets.size() < at + 2) return {};
        at += 2u + be16(&octets[at]);
    }
    payload.offset = at;
    return behind_ppp(octets, payload);
}

Payload read_gtp(TunnelOctets octets) noexcept {  // 3GPP TS 29.281, 5.1
    constexpr std::uint8_t kUserData = 0xff, kAnyOption = 7, kExtension = 4;
    if (octets.size() < 12 || octets[0] >> 4 != 3 || octets[1] != kUserData) return {};
    std::uint32_t at = 8;
    if (octets[0] & kAnyOption) at += 4;
    bool more = (octets[0] & kExtension) && octets[11] != 0;
    while (more) {
        if (octets.size() <= at) return {};
        const std::uint32_t length = octets[at] * 4u;
        if (length == 0 || octets.size() <= at + length) return {};
        at += length;
        more = octets[at - 1] != 0;
    }
    if (octets.size() <= at) return {};
    return TunnelPayload{TunnelKind::kGtp, at, octets[at] >> 4 == 6 ? kIpv6 : kIpv4, be32(&octets[4])};
}

Payload read_teredo(TunnelOctets octets) noexcept {  // RFC 4380, 5.1.1
    constexpr std::uint16_t kAuthentication = 1, kOrigin = 0;
    std::size_t at = 0;
    if (octets.size() >= 4 && be16(&octets[0]) == kAuthentication) at = 4u + octets[2] + octets[3] + 8 + 1;
    if (octets.size() >= at + 8 && be16(&octets[at]) == kOrigin) at += 8;
    if (octets.size() < at + 40) return {};
    constexpr std::uint8_t kNoNextHeader = 59;
    const TunnelOctets ip = octets.subspan(at);
    // a bubble has no payload: it is the tunnel's own
    if (ip[0] >> 4 != 6 || ip[6] == kNoNextHeader || be16(&ip[4]) + 40u > ip.size()) return {};
    return TunnelPayload{.kind = TunnelKind::kTeredo, .offset = static_cast<std::uint32_t>(at), .type = kIpv6};
}

Payload read_vxlan(TunnelOctets octets) noexcept {  // RFC 7348, 5
    constexpr std::uint8_t kHasIdentifier = 0x08;
    if (octets.size() < 8 || !(octets[0] & kHasIdentifier)) return {};
    return TunnelPayload{TunnelKind::kVxlan, 8, kTransparentEthernet, be24(&octets[4])};
}

Payload read_geneve(TunnelOctets octets) noexcept {  // RFC 8926, 3.4
    if (octets.size() < 8 || octets[0] >> 6 != 0) return {};
    const std::uint32_t options = (octets[0] & 0x3fu) * 4;
    return TunnelPayload{TunnelKind::kGeneve, 8 + options, be16(&octets[2]), be24(&octets[4])};
}

Payload read_capwap(TunnelOctets octets) noexcept {  // RFC 5415, 4.3
    constexpr std::uint8_t kNative = 0x01, kFragment = 0x80, kKeepAlive = 0x08;
    if (octets.size() < 8 || octets[0] != 0) return {};  // else of another version, or encrypted
    TunnelPayload payload{.kind = TunnelKind::kCapwap, .offset = (octets[1] & 0xf8u) >> 1};
    const bool is_later_fragment = (octets[3] & kFragment) && be16(&octets[6]) >> 3 != 0;
    if ((octets[3] & kKeepAlive) || is_later_fragment || payload.offset < 8) return {};
    if (octets[2] & kNative) return behind_wifi(octets, payload);
    payload.type = kTransparentEthernet;
    return payload;
}

Payload read_tzsp(TunnelOctets octets) noexcept {
    constexpr std::uint8_t kReceived = 0, kToTransmit = 1, kPadding = 0, kEnd = 1;
    constexpr std::uint16_t kEthernet = 1;
    if (octets.size() < 5 || octets[0] != 1 || be16(&octets[2]) != kEthernet) return {};
    if (octets[1] != kReceived && octets[1] != kToTransmit) return {};
    for (std::uint32_t at = 4; at < octets.size();) {
        if (octets[at] == kEnd)
            return TunnelPayload{.kind = TunnelKind::kTzsp, .offset = at + 1, .type = kTransparentEthernet};
        if (octets[at] == kPadding) {
            ++at;
        } else {
            if (at + 1 >= octets.size()) return {};
            at += 2u + octets[at + 1];
        }
    }
    return {};
}

}  // namespace nfstreamd
