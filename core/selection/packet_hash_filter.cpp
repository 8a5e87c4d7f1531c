// SPDX-License-Identifier: Apache-2.0
#include "core/selection/packet_hash_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>

namespace nfstreamd {
namespace {

enum Field : unsigned { kSourceIp, kDestinationIp, kSourcePort, kDestinationPort, kProtocol, kVlanId, kIpId };
constexpr std::array<std::string_view, 7> kNames{"src_ip",   "dst_ip",  "src_port", "dst_port",
                                                 "protocol", "vlan_id", "ip_id"};

constexpr unsigned bit(Field field) {
    return 1u << field;
}

unsigned bit_of(std::string_view name) {
    const auto found = std::find(kNames.begin(), kNames.end(), name);
    return found == kNames.end() ? 0 : 1u << (found - kNames.begin());
}

std::uint32_t word(const std::uint8_t* octets) {  // low octet first, as the RFC's code does on any machine
    return std::uint32_t{octets[0]} | std::uint32_t{octets[1]} << 8 | std::uint32_t{octets[2]} << 16 |
           std::uint32_t{octets[3]} << 24;
}

void mix(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c) {
    a = (a - b - c) ^ c >> 13;
    b = (b - c - a) ^ a << 8;
    c = (c - a - b) ^ b >> 13;
    a = (a - b - c) ^ c >> 12;
    b = (b - c - a) ^ a << 16;
    c = (c - a - b) ^ b >> 5;
    a = (a - b - c) ^ c >> 3;
    b = (b - c - a) ^ a << 10;
    c = (c - a - b) ^ b >> 15;
}

// What is hashed: addresses, ports, protocol, VLAN, identification, in this
// order and in network byte order, as far as they were chosen.
class HashInput {
public:
    void add(const std::uint8_t* octets, std::size_t count) noexcept {
        std::memcpy(octets_.data() + size_, octets, count);
        size_ += count;
    }
    void add(std::uint16_t value) noexcept {
        const std::uint8_t octets[] = {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
        add(octets, sizeof octets);
    }
    std::span<const std::uint8_t> octets() const noexcept { return {octets_.data(), size_}; }

private:
    std::array<std::uint8_t, 2 * 16 + 2 * 2 + 1 + 2 + 2> octets_;
    std::size_t size_ = 0;
};

}  // namespace

std::uint32_t bob_hash(std::span<const std::uint8_t> octets, std::uint32_t initialiser) noexcept {
    std::uint32_t a = 0x9e3779b9, b = a, c = initialiser;
    std::size_t at = 0;
    for (; octets.size() - at >= 12; at += 12) {
        a += word(&octets[at]);
        b += word(&octets[at + 4]);
        c += word(&octets[at + 8]);
        mix(a, b, c);
    }
    std::uint8_t rest[12] = {};  // the lowest octet of c is for the length
    for (std::size_t i = 0; at < octets.size(); ++i, ++at) rest[i < 8 ? i : i + 1] = octets[at];
    a += word(rest);
    b += word(rest + 4);
    c += word(rest + 8) + static_cast<std::uint32_t>(octets.size());
    mix(a, b, c);
    return c;
}

std::span<const std::string_view> hash_field_names() noexcept {
    return kNames;
}

Status check_packet_hash(const PacketHashOptions& options) {
    unsigned fields = 0;
    for (const std::string& name : options.fields) {
        const unsigned field = bit_of(name);
        if (field == 0) {
            std::string names;
            for (const auto known : kNames) names += fmt::format("{}{}", names.empty() ? "" : ", ", known);
            return Error{ErrorCode::kInvalidArgument, fmt::format("\"{}\" cannot be hashed; known: {}", name, names),
                         ""};
        }
        if (fields & field) return Error{ErrorCode::kInvalidArgument, fmt::format("\"{}\" is there twice", name), ""};
        fields |= field;
    }
    if (fields == 0 && options.fraction < 1)
        return Error{ErrorCode::kInvalidArgument, "a fraction needs fields to hash, such as [src_ip, dst_ip]", ""};
    return ok();
}

PacketHashFilter::PacketHashFilter(const PacketHashOptions& options) noexcept : seed_(options.seed) {
    for (const std::string& name : options.fields) fields_ |= bit_of(name);
    if (fields_ != 0 && options.fraction < 1)
        selected_ =
            static_cast<std::uint64_t>(std::ceil(std::max(options.fraction, 0.0) * static_cast<double>(kRange)));
}

bool PacketHashFilter::selects(const Packet& packet) const noexcept {
    const auto chosen = [this](unsigned fields) { return (fields_ & fields) == fields; };
    const std::size_t length = packet.version == 4 ? 4 : 16;
    const std::uint8_t* source = packet.ip + (packet.version == 4 ? 12 : 8);
    const std::uint8_t* destination = source + length;
    std::uint16_t source_port = packet.source_port, destination_port = packet.destination_port;

    // the lower end first, so that the other direction gives the same octets
    const bool ips = chosen(bit(kSourceIp) | bit(kDestinationIp));
    const bool ports = chosen(bit(kSourcePort) | bit(kDestinationPort));
    int order = ips ? std::memcmp(source, destination, length) : 0;
    if (order == 0 && ports) order = int{source_port} - int{destination_port};
    if (order > 0 && ips) std::swap(source, destination);
    if (order > 0 && ports) std::swap(source_port, destination_port);

    HashInput input;
    if (chosen(bit(kSourceIp))) input.add(source, length);
    if (chosen(bit(kDestinationIp))) input.add(destination, length);
    if (chosen(bit(kSourcePort))) input.add(source_port);
    if (chosen(bit(kDestinationPort))) input.add(destination_port);
    if (chosen(bit(kProtocol))) input.add(&packet.protocol, 1);
    if (chosen(bit(kVlanId))) input.add(packet.vlan_id);
    if (chosen(bit(kIpId))) {  // IPv6 has one in fragments only
        constexpr std::uint8_t kAbsent[2] = {};
        input.add(packet.version == 4 ? packet.ip + 4 : kAbsent, 2);
    }
    return bob_hash(input.octets(), seed_) < selected_;
}

}  // namespace nfstreamd
