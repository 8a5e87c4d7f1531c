// SPDX-License-Identifier: Apache-2.0
// Frames by hand, from the inside out: PacketBuilder().udp(1, 2).ipv4(a, b).ethernet().
// Each step wraps what is there, with lengths and the next protocol's number set.
#pragma once
#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

namespace nfstreamd::test {

using Bytes = std::vector<std::uint8_t>;

struct Ipv4Fields {
    std::uint8_t tos = 0, ttl = 64;
    std::uint16_t id = 0, fragment = 0;  // fragment: flags and offset, as in the header
    int option_words = 0;
    int total_length = -1;  // -1: what there is
    int protocol = -1;      // -1: of what is inside
};

struct Ipv6Fields {
    std::uint8_t traffic_class = 0, hop_limit = 64;
    std::uint32_t flow_label = 0;
};

class PacketBuilder {
public:
    static constexpr std::array<std::uint8_t, 6> kSourceMac{0x02, 0, 0, 0, 0, 1}, kDestinationMac{0x02, 0, 0, 0, 0, 2};

    explicit PacketBuilder(std::size_t payload = 0) : bytes_(payload, 0x5a) {}
    explicit PacketBuilder(Bytes payload) : bytes_(std::move(payload)) {}

    PacketBuilder& tcp(std::uint16_t source, std::uint16_t destination, std::uint8_t flags = 0x10, int words = 5) {
        Bytes h;
        put16(h, source);
        put16(h, destination);
        h.resize(static_cast<std::size_t>(words) * 4);
        h[12] = static_cast<std::uint8_t>(words << 4);
        h[13] = flags;
        return wrap(std::move(h), 0, 6);
    }
    PacketBuilder& udp(std::uint16_t source, std::uint16_t destination) {
        Bytes h;
        put16(h, source);
        put16(h, destination);
        put16(h, bytes_.size() + 8);
        put16(h, 0);
        return wrap(std::move(h), 0, 17);
    }
    PacketBuilder& icmp(std::uint8_t type, std::uint8_t code, std::uint8_t protocol = 1) {
        return wrap({type, code, 0, 0, 0, 0, 0, 0}, 0, protocol);
    }
    PacketBuilder& icmpv6(std::uint8_t type, std::uint8_t code) { return icmp(type, code, 58); }
    PacketBuilder& protocol(std::uint8_t number) { return wrap({}, 0, number); }

    // An IPv6 extension header of 8 * (1 + units) octets; a fragment header has its own step.
    PacketBuilder& extension(std::uint8_t kind, std::uint8_t units = 0) {
        Bytes h(8 + units * 8u);
        h[0] = next_;
        h[1] = units;
        return wrap(std::move(h), 0, kind);
    }
    PacketBuilder& fragment_header(std::uint16_t offset_and_flags, std::uint32_t id) {
        Bytes h{next_, 0};
        put16(h, offset_and_flags);
        put32(h, id);
        return wrap(std::move(h), 0, 44);
    }

    PacketBuilder& ipv4(const std::string& source, const std::string& destination, Ipv4Fields f = {}) {
        const std::size_t header = 20 + static_cast<std::size_t>(f.option_words) * 4;
        Bytes h{static_cast<std::uint8_t>(0x40 | header / 4), f.tos};
        put16(h, f.total_length < 0 ? bytes_.size() + header : static_cast<std::size_t>(f.total_length));
        put16(h, f.id);
        put16(h, f.fragment);
        h.push_back(f.ttl);
        h.push_back(f.protocol < 0 ? next_ : static_cast<std::uint8_t>(f.protocol));
        put16(h, 0);
        put_address(h, AF_INET, source, 4);
        put_address(h, AF_INET, destination, 4);
        h.resize(header);
        std::uint32_t sum = 0;
        for (std::size_t i = 0; i < header; i += 2) sum += static_cast<std::uint32_t>(h[i] << 8 | h[i + 1]);
        while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
        h[10] = static_cast<std::uint8_t>(~sum >> 8);
        h[11] = static_cast<std::uint8_t>(~sum);
        return wrap(std::move(h), 0x0800, 4);
    }
    PacketBuilder& ipv6(const std::string& source, const std::string& destination, Ipv6Fields f = {}) {
        Bytes h;
        put32(h, 6u << 28 | std::uint32_t{f.traffic_class} << 20 | f.flow_label);
        put16(h, bytes_.size());
        h.push_back(next_);
        h.push_back(f.hop_limit);
        put_address(h, AF_INET6, source, 16);
        put_address(h, AF_INET6, destination, 16);
        return wrap(std::move(h), 0x86dd, 41);
    }

    PacketBuilder& vlan(std::uint16_t id, std::uint16_t tag = 0x8100) {
        Bytes h;
        put16(h, 0xe000 | id);  // priority bits must not matter
        put16(h, type_);
        return wrap(std::move(h), tag);
    }
    PacketBuilder& mpls(int labels, std::uint16_t tag = 0x8847) {
        Bytes h;
        for (int i = 0; i < labels; ++i) put32(h, 0x12345000u | (i + 1 == labels ? 0x100u : 0u) | 64u);
        return wrap(std::move(h), tag);
    }
    PacketBuilder& pppoe() {
        Bytes h{0x11, 0, 0, 1};
        put16(h, bytes_.size() + 2);
        put16(h, type_ == 0x0800 ? 0x0021 : 0x0057);
        return wrap(std::move(h), 0x8864);
    }

    PacketBuilder& ethernet() { return ethernet_field(type_); }
    PacketBuilder& ethernet_field(std::uint16_t field) {
        Bytes h(kDestinationMac.begin(), kDestinationMac.end());
        h.insert(h.end(), kSourceMac.begin(), kSourceMac.end());
        put16(h, field);
        return wrap(std::move(h));
    }
    // 802.3 with LLC; a SNAP header when `snap`.
    PacketBuilder& llc(std::uint8_t dsap, std::uint8_t ssap, bool snap) {
        Bytes h{dsap, ssap, 3};
        if (snap) {
            h.insert(h.end(), {0, 0, 0});
            put16(h, type_);
        }
        wrap(std::move(h));
        return ethernet_field(static_cast<std::uint16_t>(bytes_.size()));
    }
    PacketBuilder& sll(std::uint16_t packet_type = 0) {
        Bytes h;
        put16(h, packet_type);
        h.resize(14);
        put16(h, type_);
        return wrap(std::move(h));
    }
    PacketBuilder& sll2(std::uint32_t interface, std::uint8_t packet_type) {
        Bytes h;
        put16(h, type_);
        put16(h, 0);
        put32(h, interface);
        put16(h, 1);
        h.push_back(packet_type);
        h.resize(20);
        return wrap(std::move(h));
    }
    PacketBuilder& prefix(Bytes octets) { return wrap(std::move(octets)); }
    PacketBuilder& typed_prefix(Bytes octets) {  // octets, then the payload's EtherType
        put16(octets, type_);
        return wrap(std::move(octets));
    }
    PacketBuilder& radiotap(std::uint8_t directions, std::uint8_t flags = 0, std::uint8_t frame_control = 0x08) {
        Bytes wifi(26);
        wifi[0] = frame_control;
        wifi[1] = directions;
        wifi[10] = 0xa2;  // transmitter
        wifi[16] = 0xa3;
        wifi.insert(wifi.end(), {0xaa, 0xaa, 3, 0, 0, 0});
        put16(wifi, type_);
        wrap(std::move(wifi));
        Bytes h(18);
        h[2] = 18;
        h[16] = flags;
        return wrap(std::move(h));
    }

    // What comes behind UDP; call udp() next.
    PacketBuilder& gtp(std::uint8_t flags = 0x30, Bytes optional = {}, std::uint8_t message = 0xff) {
        Bytes h{flags, message};
        put16(h, bytes_.size() + optional.size());
        put32(h, 0xdeadbeef);
        h.insert(h.end(), optional.begin(), optional.end());
        return wrap(std::move(h));
    }
    PacketBuilder& tzsp(Bytes tags = {1}, std::uint16_t encapsulated = 1) {
        Bytes h{1, 0};
        put16(h, encapsulated);
        h.insert(h.end(), tags.begin(), tags.end());
        return wrap(std::move(h));
    }
    PacketBuilder& capwap(std::uint8_t header_words = 2) {
        Bytes h(header_words * 4u + 24);
        h[1] = static_cast<std::uint8_t>(header_words << 3);
        h[2] = 3;                     // IEEE 802.11 in its own format
        h[header_words * 4u] = 0x08;  // data
        h[header_words * 4u + 10] = 0xb2;
        h[header_words * 4u + 16] = 0xb3;
        h.insert(h.end(), {0xaa, 0xaa, 3, 0, 0, 0});
        put16(h, type_);
        return wrap(std::move(h));
    }

    PacketBuilder& vxlan(std::uint32_t network, std::uint8_t flags = 8) {
        Bytes h{flags, 0, 0, 0};
        put32(h, network << 8);
        return wrap(std::move(h));
    }
    PacketBuilder& geneve(std::uint32_t network, std::uint8_t option_words = 0, std::uint8_t version = 0) {
        Bytes h{static_cast<std::uint8_t>(version << 6 | option_words), 0};
        put16(h, tunnelled_type());
        put32(h, network << 8);
        h.resize(8 + option_words * 4u, 0x77);
        return wrap(std::move(h));
    }
    PacketBuilder& l2tp(std::uint16_t flags, Bytes rest) {  // rest: all behind the flags
        Bytes h;
        put16(h, flags);
        h.insert(h.end(), rest.begin(), rest.end());
        return wrap(std::move(h));
    }
    PacketBuilder& ppp(bool with_address = true, bool short_protocol = false, std::uint16_t protocol = 0) {
        Bytes h;
        if (with_address) put16(h, 0xff03);
        if (protocol == 0) protocol = type_ == 0x0800 ? 0x0021 : 0x0057;
        if (!short_protocol) h.push_back(static_cast<std::uint8_t>(protocol >> 8));
        h.push_back(static_cast<std::uint8_t>(protocol));
        return wrap(std::move(h));
    }

    // GRE, next to IP: `optional` are the words that the flags announce.
    PacketBuilder& gre(std::uint16_t flags = 0, Bytes optional = {}, int protocol = -1) {
        Bytes h;
        put16(h, flags);
        put16(h, protocol < 0 ? tunnelled_type() : static_cast<std::size_t>(protocol));
        h.insert(h.end(), optional.begin(), optional.end());
        return wrap(std::move(h), 0, 47);
    }

    std::uint16_t type() const { return type_; }
    const Bytes& bytes() const { return bytes_; }
    operator Bytes() const { return bytes_; }

private:
    static void put16(Bytes& out, std::size_t value) {
        out.push_back(static_cast<std::uint8_t>(value >> 8));
        out.push_back(static_cast<std::uint8_t>(value));
    }
    static void put32(Bytes& out, std::uint32_t value) {
        put16(out, value >> 16);
        put16(out, value & 0xffff);
    }
    static void put_address(Bytes& out, int family, const std::string& text, std::size_t length) {
        std::uint8_t raw[16];
        if (::inet_pton(family, text.c_str(), raw) != 1) throw std::invalid_argument(text);
        out.insert(out.end(), raw, raw + length);
    }
    std::uint16_t tunnelled_type() const { return type_ == 0 ? 0x6558 : type_; }
    PacketBuilder& wrap(Bytes header, std::uint16_t type = 0, std::uint8_t next = 0) {
        header.insert(header.end(), bytes_.begin(), bytes_.end());
        bytes_ = std::move(header);
        type_ = type;
        next_ = next;
        return *this;
    }

    Bytes bytes_;
    std::uint16_t type_ = 0;  // EtherType of what is built
    std::uint8_t next_ = 0;   // its IP protocol number
};

}  // namespace nfstreamd::test
