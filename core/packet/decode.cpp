// SPDX-License-Identifier: Apache-2.0
#include "core/packet/decode.hpp"

#include <pcap/dlt.h>

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

#include "core/packet/octets.hpp"
#include "core/packet/tunnel_headers.hpp"

#ifndef DLT_LINUX_SLL2
#define DLT_LINUX_SLL2 276
#endif

namespace nfstreamd {
namespace {

using enum DecodeResult;

constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd, kVlan = 0x8100, kServiceVlan = 0x88a8, kOldServiceVlan = 0x9100,
                        kMpls = 0x8847, kMplsMulticast = 0x8848, kPppoe = 0x8864;
constexpr std::uint8_t kIcmp = 1, kIpip = 4, kTcp = 6, kUdp = 17, kIpv6InIp = 41, kGre = 47, kIcmpv6 = 58, kL2tp = 115;
constexpr std::uint32_t kShortestFrame = 28;  // nfstream looks at nothing shorter
constexpr int kDeepest = 64;                  // nested headers; each step moves forward, this bounds the work

// Walks one frame. `at` is the offset of the header to be read next.
struct Decoder {
    const std::uint8_t* data;
    std::uint32_t size;  // captured
    const DecodeOptions& options;
    Packet& out;
    std::uint32_t at = 0;
    std::uint16_t type = 0;  // what the link layer calls the payload; 0: it does not say
    // Of the last header that the link layer called IPv4: nfstream looks at no
    // other's, and so at an outer one's where the inner has another type.
    std::uint16_t fragment = 0;
    std::uint8_t protocol = 0;

    DecodeResult link(int link_type);
    DecodeResult ethernet();
    DecodeResult radiotap();
    DecodeResult tags();
    DecodeResult network(int link_type);
    DecodeResult transport(std::uint32_t wire_length);
    DecodeResult transport_ipv4();
    DecodeResult transport_ipv6();
    DecodeResult extension_headers(std::uint32_t& l4, std::uint32_t& l4_length, std::uint8_t& next);
    void ports(std::uint32_t l4, std::uint32_t l4_length);

    enum class Tunnel { kNone, kAtIp, kAtLink, kAtEncapsulated, kIgnore };
    Tunnel udp_tunnel(std::uint32_t udp);
    Tunnel gtp(std::uint32_t header);
    Tunnel tzsp(std::uint32_t header);
    Tunnel capwap(std::uint32_t header);

    DecodeResult layers();
    bool open(std::uint8_t next, std::uint32_t l4, std::uint32_t end);
    std::optional<TunnelPayload> behind_udp(TunnelOctets datagram) const;
    bool enter(const TunnelPayload& payload, std::uint32_t start, std::uint32_t end);
    bool is_at_ip(std::uint32_t end) const;
    void note_tunnel(TunnelKind kind, const std::uint8_t* outer_ip, std::uint32_t key);
};

// ---- link layer: sets `at` to the network header ----

DecodeResult Decoder::link(int link_type) {
    if (size < at + kShortestFrame) return kTruncated;
    const std::uint8_t* p = data + at;
    switch (link_type) {
        case DLT_EN10MB:
            return ethernet();
        case DLT_NULL:  // nfstream: host order of a big-endian machine; a little-endian AF_INET is not "IPv4"
        case DLT_LOOP:
            type = be32(p) == 2 ? kIpv4 : kIpv6;
            at += 4;
            return kOk;
        case DLT_PPP_SERIAL:
            type = be16(p + 2);
            at += 4;
            return kOk;
        case DLT_C_HDLC:
        case DLT_PPP:
            if (p[0] == 0x0f || p[0] == 0x8f) {
                type = be16(p + 2);
                at += 4;
            } else {
                type = be16(p);
                at += 2;
            }
            return kOk;
        case DLT_IPV4:
            type = kIpv4;
            return kOk;
        case DLT_IPV6:
            type = kIpv6;
            return kOk;
        case DLT_RAW:
            type = p[0] >> 4 == 4 ? kIpv4 : kIpv6;
            return kOk;
        case DLT_LINUX_SLL:
            type = be16(p + 14);
            out.outgoing = be16(p) == 4;
            at += 16;
            return kOk;
        case DLT_LINUX_SLL2:
            type = be16(p);
            out.ingress_interface = be32(p + 4);
            out.outgoing = p[10] == 4;
            at += 20;
            return kOk;
        case DLT_IEEE802_11_RADIO:
            return radiotap();
        default:
            return kUnsupportedLinkType;
    }
}

DecodeResult Decoder::ethernet() {
    const std::uint8_t* p = data + at;
    out.destination_mac = p;
    out.source_mac = p + 6;
    const std::uint16_t field = be16(p + 12);
    at += 14;
    type = 0;
    if (field >= 1536) {
        type = field;
    } else if (field != 0 && field <= 1500) {  // a length: IEEE 802.2 follows
        const std::uint8_t dsap = p[14], ssap = p[15];
        if (dsap == 0xaa || ssap == 0xaa) {
            type = le16(p + 20);  // nfstream reads SNAP's type in the wrong order, and so never as IPv4
            at += 8;
        } else if (dsap == 0x42 || ssap == 0x42) {
            return kSpanningTree;
        }
    }
    return kOk;
}

DecodeResult Decoder::radiotap() {
    const std::uint8_t* p = data + at;
    const std::uint32_t header = le16(p + 2);
    constexpr std::uint8_t kBadChecksum = 0x50;
    if ((p[16] & kBadChecksum) == kBadChecksum) return kBadRadioFrame;
    if (size < at + header + 24) return kTruncated;
    const std::uint8_t* frame = p + header;
    if ((frame[0] >> 2 & 3) != 2) return kNotData;
    const bool to_ds = frame[1] & 1, from_ds = frame[1] & 2;
    const std::uint32_t wifi = to_ds != from_ds ? 26 : 0;  // nfstream takes other frames to have no header
    out.source_mac = frame + 10;
    out.destination_mac = frame + 16;
    const std::uint32_t llc = at + header + wifi;
    if (size < llc + 8) return kTruncated;
    type = data[llc] == 0xaa ? be16(data + llc + 6) : 0;
    at = llc + 8;
    return kOk;
}

// VLAN tags, MPLS labels and PPPoE between link layer and IP, in any number.
DecodeResult Decoder::tags() {
    for (;;) {
        switch (type) {
            case kVlan:
            case kServiceVlan:
            case kOldServiceVlan:
                if (at + 4 >= size) return kTruncated;
                out.vlan_id = be16(data + at) & 0xfff;
                type = be16(data + at + 2);
                at += 4;
                break;
            case kMpls:
            case kMplsMulticast: {
                bool bottom = false;
                while (!bottom) {
                    if (at + 4 >= size) return kTruncated;
                    bottom = data[at + 2] & 1;
                    at += 4;
                }
                type = kIpv4;
                break;
            }
            case kPppoe:
                at += 8;
                type = kIpv4;
                break;
            default:
                return kOk;
        }
    }
}

// ---- network layer: sets `at` to the innermost IP header ----

DecodeResult Decoder::network(int link_type) {
    for (int depth = 0; depth < kDeepest; ++depth) {
        if (size < at + 20) return kTruncated;
        const std::uint8_t* ip = data + at;
        const std::uint8_t version = ip[0] >> 4;
        if (type == kIpv4) {
            fragment = be16(ip + 6);
            protocol = ip[9];
        }
        if (version == 4) {
            const std::uint32_t header = (ip[0] & 15u) * 4;
            if ((ip[9] == kIpip || ip[9] == kIpv6InIp) && header > 0) {
                note_tunnel(TunnelKind::kNone, ip, 0);
                at += header;
                continue;
            }
            if (fragment & 0x1fff) return options.fragments == FragmentMode::kFirst ? kFragment : kOk;
            if (options.tunnels.empty() || protocol != kUdp) return kOk;
            const std::uint32_t udp = at + header;
            if (size < udp + 8) return kTruncated;
            switch (udp_tunnel(udp)) {
                case Tunnel::kNone:
                case Tunnel::kAtIp:
                    return kOk;
                case Tunnel::kIgnore:
                    return kBadHeader;
                case Tunnel::kAtEncapsulated:
                    continue;
                case Tunnel::kAtLink: {
                    DecodeResult result = link(link_type);
                    if (result == kOk) result = tags();
                    if (result != kOk) return result;
                    continue;
                }
            }
        } else if (version == 6) {
            if (size < at + 40) return kTruncated;
            const std::uint32_t payload = be16(ip + 4);
            if (size < at + 40 + payload) return kTruncated;  // nfstream meters no cut IPv6 packet
            std::uint32_t l4 = at + 40, l4_length = payload;
            std::uint8_t next = ip[6];
            const DecodeResult result = extension_headers(l4, l4_length, next);
            if (result != kOk) return result;
            protocol = next;
            if (out.later_fragment || (next != kIpip && next != kIpv6InIp)) return kOk;
            note_tunnel(TunnelKind::kNone, ip, 0);
            at = l4;
        } else {
            return kNotIp;
        }
    }
    return kBadHeader;
}

// RFC 8200, 4: moves l4 past the headers that nfstream walks.
DecodeResult Decoder::extension_headers(std::uint32_t& l4, std::uint32_t& l4_length, std::uint8_t& next) {
    for (;;) {
        const std::uint8_t* p = data + l4;
        std::uint32_t length = 0;
        switch (next) {
            case 59:
                return kNoTransport;
            case 44: {  // fragment
                if (l4_length < 8) return kBadHeader;
                const std::uint16_t offset = be16(p + 2);
                if (offset >> 3 != 0) {
                    if (options.fragments == FragmentMode::kFirst) return kFragment;
                    out.later_fragment = true;
                }
                out.fragment = offset >> 3 != 0 || offset & 1;
                out.fragment_id = be32(p + 4);
                length = 8;
                break;
            }
            case 0:
            case 43:
            case 60:
            case 135:
                if (l4_length < 2) return kBadHeader;
                length = p[1] * 8u + 8;
                if (l4_length < length) return kBadHeader;
                break;
            default:
                return kOk;
        }
        next = p[0];
        l4 += length;
        l4_length -= length;
        if (out.later_fragment) return kOk;  // what follows is payload
    }
}

// ---- tunnels over UDP: GTP-U, TZSP, CAPWAP, found by port ----

Decoder::Tunnel Decoder::udp_tunnel(std::uint32_t udp) {
    const std::uint16_t source = be16(data + udp), destination = be16(data + udp + 2);
    const auto port = [&](std::uint16_t number) { return source == number || destination == number; };
    const auto chosen = [&](TunnelKind kind) { return options.tunnels.has(kind); };
    const std::uint32_t header = udp + 8;
    if (port(2152) && chosen(TunnelKind::kGtp)) return gtp(header);
    if (port(37008) && chosen(TunnelKind::kTzsp)) return tzsp(header);
    if (port(5247) && chosen(TunnelKind::kCapwap)) return capwap(header);
    return Tunnel::kNone;
}

Decoder::Tunnel Decoder::gtp(std::uint32_t header) {  // 3GPP TS 29.281, 5.1
    constexpr std::uint8_t kUserData = 0xff;
    if (header + 8 >= size) return Tunnel::kNone;
    const std::uint8_t flags = data[header];
    if (flags >> 5 != 1 || data[header + 1] != kUserData) return Tunnel::kNone;
    std::uint32_t inner = header + 8;
    if (flags & 7) inner += 4;
    if (flags & 4) {
        for (bool more = true; more;) {
            if (inner >= size) return Tunnel::kNone;
            const std::uint32_t length = data[inner] * 4u;
            inner += length;
            if (length == 0 || inner >= size) return Tunnel::kNone;
            more = data[inner - 1] != 0;
        }
    }
    if (inner >= size) return Tunnel::kNone;
    const std::uint8_t version = data[inner] >> 4;
    if (version != 4 && version != 6) return Tunnel::kIgnore;
    if (size < inner + (version == 4 ? 20 : 40)) return Tunnel::kIgnore;
    note_tunnel(TunnelKind::kGtp, data + at, be32(data + header + 4));
    at = inner;
    return Tunnel::kAtIp;
}

Decoder::Tunnel Decoder::tzsp(std::uint32_t header) {
    if (size < header + 4) return Tunnel::kIgnore;
    out.tunnel_id = static_cast<std::uint8_t>(TunnelKind::kTzsp);  // nfstream goes by the port alone
    constexpr std::uint16_t kEthernet = 1;
    if (data[header] != 1 || data[header + 1] != 0 || be16(data + header + 2) != kEthernet) return Tunnel::kNone;
    const std::uint32_t tag = header + 4;
    if (tag >= size) return Tunnel::kNone;
    std::uint32_t length = 1;  // padding and end tags; nfstream reads one tag only
    if (data[tag] > 1) {
        if (tag + 1 >= size) return Tunnel::kIgnore;
        length = data[tag + 1];
    }
    if (tag + length >= size) return Tunnel::kIgnore;
    note_tunnel(TunnelKind::kTzsp, data + at, 0);
    at = tag + length;
    return Tunnel::kAtLink;
}

Decoder::Tunnel Decoder::capwap(std::uint32_t header) {  // RFC 5415, 4.3
    if (header + 1 >= size || (data[header] & 0x0f) != 0) return Tunnel::kNone;
    const std::uint32_t frame = header + ((data[header + 1] & 0xf8u) >> 1);
    if (frame + 32 >= size) return Tunnel::kNone;
    out.source_mac = data + frame + 10;
    out.destination_mac = data + frame + 16;
    type = be16(data + frame + 24 + 6);
    note_tunnel(TunnelKind::kCapwap, data + at, 0);
    at = frame + 32;
    return Tunnel::kAtEncapsulated;
}

// IP in IP has no kind; its addresses count where no other tunnel has any.
void Decoder::note_tunnel(TunnelKind kind, const std::uint8_t* outer_ip, std::uint32_t key) {
    ++out.tunnel_depth;
    if (kind == TunnelKind::kNone && out.tunnel_id != 0) return;
    out.outer_ip = outer_ip;
    out.tunnel_key = key;
    out.tunnel_id = static_cast<std::uint8_t>(kind);
    if (kind == TunnelKind::kVxlan || kind == TunnelKind::kGeneve || kind == TunnelKind::kErspan)
        out.tunnel_segment = std::uint32_t{out.tunnel_id} << 24 | key;
}

// ---- tunnels that nfstream does not know, and with them its own: nested, by the RFCs ----

// What is no tunnel after all, or carries no IP, is metered as what it came in.
DecodeResult Decoder::layers() {
    for (int depth = 0; depth < kDeepest; ++depth) {
        if (size < at + 20) return kTruncated;
        const std::uint8_t* ip = data + at;
        std::uint32_t l4, end;
        std::uint8_t next;
        if (ip[0] >> 4 == 4) {
            const std::uint32_t header = (ip[0] & 15u) * 4, total = be16(ip + 2);
            if (be16(ip + 6) & 0x1fff) return options.fragments == FragmentMode::kFirst ? kFragment : kOk;
            if (header < 20 || size < at + header) return kOk;  // transport() says what is wrong with it
            l4 = at + header;
            end = total >= header ? std::min(size, at + total) : size;
            next = ip[9];
        } else if (ip[0] >> 4 == 6) {
            if (size < at + 40) return kTruncated;
            const std::uint32_t payload = be16(ip + 4);
            if (size < at + 40 + payload && out.tunnel_depth == 0) return kTruncated;  // as nfstream
            l4 = at + 40;
            end = std::min(size, l4 + payload);
            std::uint32_t l4_length = end - l4;
            next = ip[6];
            out.fragment = out.later_fragment = false;
            const DecodeResult result = extension_headers(l4, l4_length, next);
            if (result != kOk || out.later_fragment) return result;
        } else {
            return kNotIp;
        }
        if (!open(next, l4, end)) return kOk;
    }
    return kBadHeader;
}

bool Decoder::open(std::uint8_t next, std::uint32_t l4, std::uint32_t end) {
    std::optional<TunnelPayload> payload;
    const TunnelOctets octets(data + l4, end - l4);
    switch (next) {
        case kIpip:
            return enter({.type = kIpv4}, l4, end);
        case kIpv6InIp:
            return enter({.type = kIpv6}, l4, end);
        case kUdp:
            payload = behind_udp(octets);
            break;
        case kGre:
            payload = read_gre(octets);
            break;
        case kL2tp:
            payload = read_l2tp_v3(octets);
            break;
        default:
            return false;
    }
    return payload && options.tunnels.has(payload->kind) && enter(*payload, l4, end);
}

std::optional<TunnelPayload> Decoder::behind_udp(TunnelOctets datagram) const {
    constexpr std::uint32_t kHeader = 8;
    if (datagram.size() < kHeader) return {};
    const std::uint16_t source = be16(&datagram[0]), destination = be16(&datagram[2]), length = be16(&datagram[4]);
    if (length >= kHeader && length < datagram.size()) datagram = datagram.first(length);
    const TunnelOctets octets = datagram.subspan(kHeader);
    const auto either = [&](std::uint16_t port) { return source == port || destination == port; };
    std::optional<TunnelPayload> payload;
    if (destination == 4789) {  // the source port spreads the load
        payload = read_vxlan(octets);
    } else if (destination == 6081) {
        payload = read_geneve(octets);
    } else if (either(2152)) {
        payload = read_gtp(octets);
    } else if (either(1701)) {
        payload = read_l2tp(octets);
    } else if (either(3544)) {
        payload = read_teredo(octets);
    } else if (either(5247)) {
        payload = read_capwap(octets);
    } else if (either(37008)) {
        payload = read_tzsp(octets);
    }
    if (payload) payload->offset += kHeader;
    return payload;
}

// Goes on at the IP header inside, when there is one.
bool Decoder::enter(const TunnelPayload& payload, std::uint32_t start, std::uint32_t end) {
    const auto before = std::tuple(at, type, out.vlan_id, out.source_mac, out.destination_mac);
    const std::uint8_t* const outer_ip = data + at;
    at = start + payload.offset;
    type = payload.type;
    bool is_ip = at + 20 <= end;
    if (is_ip && type == kTransparentEthernet) is_ip = at + 34 <= end && ethernet() == kOk;
    is_ip = is_ip && tags() == kOk && is_at_ip(end);
    if (!is_ip) {
        std::tie(at, type, out.vlan_id, out.source_mac, out.destination_mac) = before;
        return false;
    }
    if (payload.source_mac != nullptr) {
        out.source_mac = payload.source_mac;
        out.destination_mac = payload.destination_mac;
    }
    out.fragment = out.later_fragment = false;  // an outer header's
    note_tunnel(payload.kind, outer_ip, payload.key);
    return true;
}

bool Decoder::is_at_ip(std::uint32_t end) const {
    if ((type != kIpv4 && type != kIpv6) || at + 20 > end) return false;
    const std::uint8_t* ip = data + at;
    const std::uint32_t header = (ip[0] & 15u) * 4;
    if (ip[0] >> 4 == 4) return header >= 20 && at + header <= end && be16(ip + 2) >= header;
    return ip[0] >> 4 == 6 && at + 40 <= end;
}

// ---- lengths, ports, flags ----

DecodeResult Decoder::transport(std::uint32_t wire_length) {
    out.ip = data + at;
    out.ip_captured = static_cast<std::uint16_t>(size - at);
    out.sizes[0] = static_cast<std::uint16_t>(wire_length);
    out.version = out.ip[0] >> 4;
    return out.version == 4 ? transport_ipv4() : transport_ipv6();
}

DecodeResult Decoder::transport_ipv4() {
    const std::uint8_t* ip = out.ip;
    const std::uint32_t header = (ip[0] & 15u) * 4, total = be16(ip + 2);
    if (out.ip_captured < 20 || header > out.ip_captured) return kTruncated;
    const std::uint32_t length = static_cast<std::uint16_t>(total - header);
    if (std::max(total, out.ip_captured) < header + length) return kBadHeader;
    out.protocol = ip[9];
    out.tos = ip[1];
    out.ttl = ip[8];
    out.ip_octets = total;
    out.sizes[1] = static_cast<std::uint16_t>(total);
    const std::uint16_t own_fragment = be16(ip + 6);
    if (own_fragment & 0x3fff) {  // more fragments, or an offset
        out.fragment = true;
        out.later_fragment = options.fragments == FragmentMode::kAll && (own_fragment & 0x1fff) != 0;
        out.fragment_id = be16(ip + 4);
    }
    ports(header, length);
    return kOk;
}

DecodeResult Decoder::transport_ipv6() {
    const std::uint8_t* ip = out.ip;
    const std::uint32_t payload = be16(ip + 4);
    // what came in fragments of a tunnel is cut, too
    const bool may_be_cut = options.tunnels.has_ours() && out.tunnel_depth > 0;
    if (out.ip_captured < (may_be_cut ? 40 : 40 + payload)) return kTruncated;
    std::uint32_t l4 = at + 40, length = std::min(payload, out.ip_captured - 40);
    out.protocol = ip[6];
    out.fragment = out.later_fragment = false;  // an outer header's
    const DecodeResult result = extension_headers(l4, length, out.protocol);
    if (result != kOk) return result;
    length = payload - (l4 - at - 40);
    out.tos = static_cast<std::uint8_t>(be16(ip) >> 4);
    out.ttl = ip[7];
    out.flow_label = be32(ip) & 0xfffff;
    out.ip_octets = payload + 40;
    out.sizes[1] = static_cast<std::uint16_t>(payload);
    ports(l4 - at, length);
    return kOk;
}

// `l4` is counted from the IP header, `length` is what the headers promise; the
// capture may hold less of it.
void Decoder::ports(std::uint32_t l4, std::uint32_t length) {
    const std::uint8_t* p = out.ip + l4;
    out.transport_offset = static_cast<std::uint16_t>(l4);
    const auto captured = [&](std::uint32_t n) { return l4 + n <= out.ip_captured; };
    const auto transport_size = static_cast<std::uint16_t>(length);
    if (out.later_fragment) {
        if (out.protocol == kTcp || out.protocol == kUdp || out.protocol == kIcmp || out.protocol == kIcmpv6)
            out.sizes[2] = out.sizes[3] = transport_size;
        return;
    }
    switch (out.protocol) {
        case kTcp: {
            if (length < 20) return;
            out.sizes[2] = transport_size;
            const std::uint32_t header = captured(13) ? (p[12] >> 4) * 4u : 20;
            out.sizes[3] = static_cast<std::uint16_t>(length > header ? length - header : 0);
            if (captured(14)) out.tcp_flags = p[13];
            if (captured(20)) out.tcp = p;
            break;
        }
        case kUdp:
            if (length < 8) return;
            out.sizes[2] = transport_size;
            out.sizes[3] = static_cast<std::uint16_t>(length - 8);
            break;
        case kIcmp:
        case kIcmpv6:
            out.sizes[2] = transport_size;
            out.sizes[3] = static_cast<std::uint16_t>(length > 8 ? length - 8 : 0);
            if (length >= 2 && captured(2)) {
                out.icmp_type = p[0];
                out.icmp_code = p[1];
            }
            return;
        default:
            return;
    }
    if (captured(4)) {
        out.source_port = be16(p);
        out.destination_port = be16(p + 2);
    }
}

constexpr std::array kLinkTypes{DLT_EN10MB, DLT_NULL, DLT_LOOP, DLT_PPP_SERIAL, DLT_C_HDLC,     DLT_PPP,
                                DLT_IPV4,   DLT_IPV6, DLT_RAW,  DLT_LINUX_SLL,  DLT_LINUX_SLL2, DLT_IEEE802_11_RADIO};

constexpr std::array<std::string_view, kDecodeResults> kNames{
    "ok",           "unsupported-link-type", "truncated",       "not-ip",   "bad-header",  "fragment",
    "no-transport", "spanning-tree",         "bad-radio-frame", "not-data", "bad-checksum"};

}  // namespace

std::optional<std::uint32_t> ip_offset(int link_type, const RawFrame& frame) noexcept {
    const DecodeOptions options;
    Packet packet;
    Decoder decoder{frame.data, frame.captured_length, options, packet};
    if (decoder.link(link_type) != kOk || decoder.tags() != kOk) return std::nullopt;
    if (decoder.at > frame.captured_length || frame.captured_length - decoder.at < 20) return std::nullopt;
    const std::uint8_t version = frame.data[decoder.at] >> 4;
    if (version != 4 && (version != 6 || frame.captured_length - decoder.at < 40)) return std::nullopt;
    return decoder.at;
}

bool is_supported_link_type(int link_type) noexcept {
    return std::find(kLinkTypes.begin(), kLinkTypes.end(), link_type) != kLinkTypes.end();
}

std::string_view name(DecodeResult result) noexcept {
    return kNames[static_cast<std::size_t>(result)];
}

DecodeResult decode_any(int link_type, const RawFrame& frame, const DecodeOptions& options, Packet& out) noexcept {
    out = Packet{};
    out.timestamp = frame.timestamp;
    out.source = frame.source;
    out.captured = frame.captured_length;
    out.cut = frame.captured_length < frame.wire_length;
    Decoder decoder{frame.data, frame.captured_length, options, out};
    DecodeResult result = decoder.link(link_type);
    if (result == kOk) result = decoder.tags();
    if (result == kOk) result = options.tunnels.has_ours() ? decoder.layers() : decoder.network(link_type);
    if (result == kOk) result = decoder.transport(frame.wire_length);
    return result;
}

}  // namespace nfstreamd
