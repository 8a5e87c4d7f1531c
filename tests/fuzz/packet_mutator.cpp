// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/packet_mutator.hpp"

#include <algorithm>
#include <iterator>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace nfstreamd::fuzz {
namespace {

constexpr std::size_t kEthernet = 14, kIpv4 = 20, kIpv6 = 40, kTcp = 20, kUdp = 8;
constexpr std::uint8_t kTcpNumber = 6, kUdpNumber = 17, kSctpNumber = 132, kGreNumber = 47;

// In front of the packet within, behind UDP or the outer IP header.
struct Tunnel {
    std::uint8_t protocol;
    std::uint16_t port;
    bool frame_inside;  // else an IP packet
    std::vector<std::uint8_t> header;
};
const Tunnel kTunnels[] = {
    {kUdpNumber, 4789, true, {8, 0, 0, 0, 0, 0, 42, 0}},                                  // VXLAN
    {kUdpNumber, 6081, true, {0, 0, 0x65, 0x58, 0, 0, 42, 0}},                            // Geneve
    {kUdpNumber, 2152, false, {0x30, 0xff, 0, 0, 0, 0, 0, 42}},                           // GTP-U
    {kUdpNumber, 2152, false, {0x32, 0xff, 0, 4, 0, 0, 0, 42, 0, 1, 0, 0}},               // the same, numbered
    {kUdpNumber, 37008, true, {1, 0, 0, 1, 1}},                                           // TZSP
    {kUdpNumber, 1701, false, {0x00, 0x02, 0, 1, 0, 2, 0xff, 0x03, 0, 0x21}},             // L2TP
    {kUdpNumber, 3544, false, {}},                                                        // Teredo
    {kGreNumber, 0, false, {0, 0, 8, 0}},                                                 // GRE
    {kGreNumber, 0, false, {0x20, 0, 8, 0, 0, 0, 0, 42}},                                 // with a key
    {kGreNumber, 0, true, {0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 2, 0, 0, 0, 0}},  // ERSPAN II
    {4, 0, false, {}},                                                                    // IPv4 in IP
    {41, 0, false, {}},                                                                   // IPv6 in IP
};

}  // namespace

std::uint16_t PacketMutator::get16(const Octets& frame, std::size_t at) {
    return at + 2 <= frame.size() ? static_cast<std::uint16_t>(frame[at] << 8 | frame[at + 1]) : std::uint16_t{0};
}

void PacketMutator::put16(Octets& frame, std::size_t at, std::size_t value) {
    if (at + 2 > frame.size()) return;
    frame[at] = static_cast<std::uint8_t>(value >> 8);
    frame[at + 1] = static_cast<std::uint8_t>(value);
}

std::uint16_t PacketMutator::interesting16() {
    constexpr std::uint16_t kValues[] = {0, 1, 7, 8, 19, 20, 39, 40, 53, 80, 443, 1500, 0x7fff, 0x8000, 0xfffe, 0xffff};
    return below(3) == 0 ? static_cast<std::uint16_t>(random_()) : kValues[below(std::size(kValues))];
}

// Of frames that are plain enough; the fuzzer's own mutations take care of the others.
PacketMutator::Headers PacketMutator::headers_of(const Octets& frame) {
    Headers found;
    std::size_t at = kEthernet;
    std::uint16_t type = get16(frame, at - 2);
    for (; (type == 0x8100 || type == 0x88a8) && at + 4 < frame.size(); type = get16(frame, at - 2)) at += 4;
    if (at >= frame.size() || (type != 0x0800 && type != 0x86dd)) return found;
    const std::uint8_t version = frame[at] >> 4;
    const std::size_t length = version == 4 ? std::size_t{frame[at] & 15u} * 4 : kIpv6;
    if ((version != 4 && version != 6) || at + std::max(length, version == 4 ? kIpv4 : kIpv6) > frame.size())
        return found;
    found = {at, at + length, version, frame[at + (version == 4 ? 9 : 6)]};
    if (found.transport >= frame.size()) found.transport = 0;
    return found;
}

void PacketMutator::mutate(PacketList& list) {
    for (std::size_t times = 1 + below(3); times > 0; --times) {
        if (list.frames.empty() || below(4) == 0) {
            change_list(list);
            continue;
        }
        ListedFrame& frame = list.frames[below(list.frames.size())];
        switch (below(9)) {
            case 0:
                change_time(frame);
                break;
            case 1:
                change_ip(frame.octets);
                break;
            case 2:
                change_fragment(frame.octets);
                break;
            case 3:
            case 4:
                change_transport(frame.octets);
                break;
            case 5:
                change_payload(frame.octets);
                break;
            case 6:
                answer(frame.octets);
                break;
            case 7:
                wrap(frame.octets);
                break;
            default:
                fix_lengths(frame.octets);
        }
    }
}

void PacketMutator::change_list(PacketList& list) {
    auto& frames = list.frames;
    switch (frames.empty() ? 0 : below(6)) {
        case 0:
            list.options[below(std::size(list.options))] ^= static_cast<std::uint8_t>(1u << below(8));
            break;
        case 1:
            frames.erase(frames.begin() + static_cast<std::ptrdiff_t>(below(frames.size())));
            break;
        case 2:
            std::swap(frames[below(frames.size())], frames[below(frames.size())]);
            break;
        case 3:  // one more packet of a flow, next to it or at the end
        case 4: {
            const ListedFrame copy = frames[below(frames.size())];
            const std::size_t at = below(2) == 0 ? frames.size() : below(frames.size());
            if (frames.size() < PacketList::kMostFrames)
                frames.insert(frames.begin() + static_cast<std::ptrdiff_t>(at), copy);
            break;
        }
        default:  // many flows: the same packet from other ports
            for (std::size_t i = 2 + below(12), from = below(frames.size()); i > 0; --i) {
                if (frames.size() >= PacketList::kMostFrames) break;
                ListedFrame copy = frames[from];
                const Headers headers = headers_of(copy.octets);
                if (headers.transport != 0) put16(copy.octets, headers.transport, random_() & 0xffff);
                frames.push_back(std::move(copy));
            }
    }
}

void PacketMutator::change_time(ListedFrame& frame) {
    if (below(2) == 0) frame.flags ^= static_cast<std::uint8_t>(1u << below(8));
    if (below(2) == 0) frame.flags = static_cast<std::uint8_t>((frame.flags & ~ListedFrame::kShift) | below(32));
    if (below(2) == 0) frame.step = interesting16();
}

void PacketMutator::change_ip(Octets& frame) {
    const Headers headers = headers_of(frame);
    if (headers.ip == 0) return change_payload(frame);
    const std::size_t length = headers.version == 4 ? 2 : 4, protocol = headers.version == 4 ? 9 : 6;
    const std::size_t addresses = headers.version == 4 ? 12 : 8, octets = headers.version == 4 ? 8 : 32;
    constexpr std::uint8_t kProtocols[] = {0, 1, 4, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60, 132, 135, 255};
    switch (below(7)) {
        case 0:
            return put16(frame, headers.ip + length, interesting16());
        case 1:
            frame[headers.ip + protocol] = kProtocols[below(std::size(kProtocols))];
            return;
        case 2:  // another host
            frame[headers.ip + addresses + below(octets)] ^= static_cast<std::uint8_t>(1u << below(8));
            return;
        case 3:  // version or header length
            frame[headers.ip] ^= static_cast<std::uint8_t>(1u << below(8));
            return;
        case 4:  // TTL
            frame[headers.ip + (headers.version == 4 ? 8 : 7)] = static_cast<std::uint8_t>(random_());
            return;
        case 5:  // traffic class, flow label
            put16(frame, headers.ip + (headers.version == 4 ? 0 : 2), random_() & 0xffff);
            if (headers.version == 4) frame[headers.ip] = 0x45;
            return;
        default: {  // a VLAN tag around it
            const Octets tag{0x81, 0, static_cast<std::uint8_t>(below(16)), static_cast<std::uint8_t>(random_())};
            if (frame.size() < PacketList::kLongestFrame) frame.insert(frame.begin() + 12, tag.begin(), tag.end());
        }
    }
}

void PacketMutator::change_fragment(Octets& frame) {
    const Headers headers = headers_of(frame);
    if (headers.ip == 0) return;
    const std::size_t offset = below(3) == 0 ? 0 : below(2) == 0 ? 185 : interesting16() & 0x1fff;
    const bool more = below(2) == 0;
    const std::uint16_t id = static_cast<std::uint16_t>(below(4));
    if (headers.version == 4) {
        put16(frame, headers.ip + 4, id);
        return put16(frame, headers.ip + 6, (more ? 0x2000u : below(4) == 0 ? 0x4000u : 0u) | offset);
    }
    if (headers.protocol == 44) return put16(frame, headers.ip + kIpv6 + 2, offset << 3 | (more ? 1 : 0));
    if (headers.transport == 0 || frame.size() > PacketList::kLongestFrame) return;
    const Octets fragment{headers.protocol,
                          0,
                          static_cast<std::uint8_t>(offset >> 5),
                          static_cast<std::uint8_t>(offset << 3 | (more ? 1 : 0)),
                          0,
                          0,
                          0,
                          static_cast<std::uint8_t>(id)};
    frame[headers.ip + 6] = 44;
    frame.insert(frame.begin() + static_cast<std::ptrdiff_t>(headers.transport), fragment.begin(), fragment.end());
    put16(frame, headers.ip + 4, frame.size() - headers.transport);
}

void PacketMutator::change_transport(Octets& frame) {
    const Headers headers = headers_of(frame);
    if (headers.transport == 0) return;
    const std::size_t at = headers.transport;
    const bool tcp = headers.protocol == kTcpNumber, udp = headers.protocol == kUdpNumber;
    constexpr std::uint16_t kPorts[] = {21,   22,   25,   53,   67,   68,   80,   110,  123,  137,  143,
                                        161,  389,  443,  445,  554,  1194, 1883, 1900, 3306, 3389, 3478,
                                        4789, 5060, 5353, 6081, 6881, 2152, 3544, 1701, 5246};
    switch (below(tcp ? 7 : udp ? 4 : 2)) {
        case 0:
        case 1:
            return put16(frame, at + (below(2) == 0 ? 0 : 2),
                         below(2) == 0 ? random_() & 0xffff : kPorts[below(std::size(kPorts))]);
        case 2:
            if (udp) return put16(frame, at + 4, interesting16());
            [[fallthrough]];
        case 3:  // flags: of a handshake, of an end, or any
            if (tcp && at + 13 < frame.size()) {
                constexpr std::uint8_t kFlags[] = {2, 18, 16, 24, 17, 4, 20, 1, 0x29, 0};
                frame[at + 13] =
                    below(4) == 0 ? static_cast<std::uint8_t>(random_()) : kFlags[below(std::size(kFlags))];
            }
            return;
        case 4:  // sequence or acknowledgement numbers
            return put16(frame, at + 4 + 2 * below(4), random_() & 0xffff);
        case 5:  // data offset, window
            if (at + 12 < frame.size()) frame[at + 12] = static_cast<std::uint8_t>(below(16) << 4);
            return;
        default:
            return put16(frame, at + 14, interesting16());
    }
}

// The fuzzer's own mutations, of what is behind the headers or of the whole frame.
void PacketMutator::change_payload(Octets& frame) {
    const Headers headers = headers_of(frame);
    std::size_t from = 0;
    if (headers.transport != 0 && below(4) != 0)
        from = headers.transport + (headers.protocol == kTcpNumber ? kTcp : headers.protocol == kUdpNumber ? kUdp : 0);
    if (from > frame.size()) from = 0;
    const std::size_t size = frame.size() - from;
    frame.resize(std::min(PacketList::kLongestFrame, frame.size() + 64));
    if (frame.size() <= from) return;
    frame.resize(from +
                 LLVMFuzzerMutate(frame.data() + from, std::min(size, frame.size() - from), frame.size() - from));
    if (headers.ip != 0 && below(4) != 0) fix_lengths(frame);
}

void PacketMutator::answer(Octets& frame) {
    const Headers headers = headers_of(frame);
    if (headers.ip == 0) return;
    const auto at = [&](std::size_t offset) { return frame.begin() + static_cast<std::ptrdiff_t>(offset); };
    std::swap_ranges(at(0), at(6), at(6));
    const std::size_t addresses = headers.ip + (headers.version == 4 ? 12 : 8), length = headers.version == 4 ? 4 : 16;
    std::swap_ranges(at(addresses), at(addresses + length), at(addresses + length));
    if (headers.transport != 0 && headers.transport + 4 <= frame.size() &&
        (headers.protocol == kTcpNumber || headers.protocol == kUdpNumber || headers.protocol == kSctpNumber))
        std::swap_ranges(at(headers.transport), at(headers.transport + 2), at(headers.transport + 2));
}

void PacketMutator::wrap(Octets& frame) {
    const Headers headers = headers_of(frame);
    const Tunnel& tunnel = kTunnels[below(std::size(kTunnels))];
    if (headers.ip == 0 || frame.size() > PacketList::kLongestFrame / 2) return;
    Octets inside(frame.begin() + static_cast<std::ptrdiff_t>(tunnel.frame_inside ? 0 : headers.ip), frame.end());
    Octets header = tunnel.header;
    if (tunnel.port == 2152) put16(header, 2, inside.size() + header.size() - 8);
    Octets out(frame.begin(), frame.begin() + 12);
    const std::size_t udp = tunnel.protocol == kUdpNumber ? kUdp : 0;
    const std::size_t total = kIpv4 + udp + header.size() + inside.size();
    out.insert(out.end(), {8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, tunnel.protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2});
    put16(out, kEthernet + 2, total);
    if (udp != 0) {
        out.insert(out.end(), {0xc0, 0, 0, 0, 0, 0, 0, 0});
        put16(out, kEthernet + kIpv4 + 2, tunnel.port);
        put16(out, kEthernet + kIpv4 + 4, total - kIpv4);
    }
    out.insert(out.end(), header.begin(), header.end());
    out.insert(out.end(), inside.begin(), inside.end());
    frame = std::move(out);
}

void PacketMutator::fix_lengths(Octets& frame) {
    const Headers headers = headers_of(frame);
    if (headers.ip == 0) return;
    const std::size_t octets = frame.size() - headers.ip;
    put16(frame, headers.ip + (headers.version == 4 ? 2 : 4), headers.version == 4 ? octets : octets - kIpv6);
    if (headers.protocol == kUdpNumber && headers.transport != 0)
        put16(frame, headers.transport + 4, frame.size() - headers.transport);
}

PacketList PacketMutator::cross(const PacketList& first, const PacketList& second) {
    PacketList list = first;
    list.frames.resize(below(first.frames.size() + 1));
    const std::size_t from = below(second.frames.size() + 1);
    list.frames.insert(list.frames.end(), second.frames.begin() + static_cast<std::ptrdiff_t>(from),
                       second.frames.end());
    if (list.frames.size() > PacketList::kMostFrames) list.frames.resize(PacketList::kMostFrames);
    return list;
}

}  // namespace nfstreamd::fuzz
