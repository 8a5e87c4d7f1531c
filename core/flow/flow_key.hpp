// SPDX-License-Identifier: Apache-2.0
// Identity of a bidirectional flow: the unordered pair {address, port}, the
// protocol, the VLAN and the tunnel's context. Both directions make the same key;
// `swapped` says which end sent the packet. Whole words, for fast comparison.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>

#include "core/base/ip_address.hpp"
#include "core/base/mixing.hpp"
#include "core/packet/packet.hpp"

namespace nfstreamd {

template <int AddressWords>
struct FlowKey {
    static constexpr int kWords = AddressWords + 1;
    // addresses (low one first), then low port 16 | high port 16 | protocol 8 | VLAN 12 | tunnel context 12
    std::array<std::uint64_t, kWords> word;

    bool operator==(const FlowKey& other) const noexcept {
        std::uint64_t difference = 0;
        for (int i = 0; i < kWords; ++i) difference |= word[i] ^ other.word[i];
        return difference == 0;
    }

    std::uint64_t& kind() noexcept { return word[kWords - 1]; }
    std::uint64_t kind() const noexcept { return word[kWords - 1]; }
    std::uint16_t port(bool high) const noexcept { return static_cast<std::uint16_t>(kind() >> (high ? 16 : 0)); }
    std::uint16_t vlan_id() const noexcept { return static_cast<std::uint16_t>(kind() >> 40 & 0xfff); }
    std::uint8_t protocol() const noexcept { return static_cast<std::uint8_t>(kind() >> 32); }
    std::uint16_t tunnel_context() const noexcept { return static_cast<std::uint16_t>(kind() >> 52); }

    // Never made from a packet: marks a slot that is free.
    void poison() noexcept { kind() = ~std::uint64_t{0}; }
    bool is_poisoned() const noexcept { return kind() == ~std::uint64_t{0}; }
};

using FlowKeyV4 = FlowKey<1>;
using FlowKeyV6 = FlowKey<4>;

inline std::uint64_t make_kind(const Packet& packet, std::uint16_t low_port, std::uint16_t high_port) noexcept {
    const std::uint32_t rest =
        packet.protocol | std::uint32_t{packet.vlan_id} << 8 | std::uint32_t{packet.tunnel_context} << 20;
    return low_port | std::uint32_t{high_port} << 16 | std::uint64_t{rest} << 32;
}

// Return: the packet comes from the high end.
inline bool make_key(const Packet& packet, FlowKeyV4& key) noexcept {
    std::uint64_t addresses;
    std::memcpy(&addresses, packet.ip + 12, 8);
    addresses = __builtin_bswap64(addresses);
    const std::uint64_t source = addresses >> 32 << 16 | packet.source_port;
    const std::uint64_t destination = (addresses & 0xffffffff) << 16 | packet.destination_port;
    const bool swapped = source > destination;
    const std::uint64_t low = swapped ? destination : source, high = swapped ? source : destination;
    key.word[0] = low >> 16 << 32 | high >> 16;
    key.kind() = make_kind(packet, static_cast<std::uint16_t>(low), static_cast<std::uint16_t>(high));
    return swapped;
}

inline bool make_key(const Packet& packet, FlowKeyV6& key) noexcept {
    const int order = std::memcmp(packet.ip + 8, packet.ip + 24, 16);
    const bool swapped = order > 0 || (order == 0 && packet.source_port > packet.destination_port);
    std::memcpy(&key.word[0], packet.ip + (swapped ? 24 : 8), 16);
    std::memcpy(&key.word[2], packet.ip + (swapped ? 8 : 24), 16);
    key.kind() = make_kind(packet, swapped ? packet.destination_port : packet.source_port,
                           swapped ? packet.source_port : packet.destination_port);
    return swapped;
}

// Into an address that is all zero.
inline void put_address(const FlowKeyV4& key, bool high, IpAddress& out) noexcept {
    const std::uint32_t network = __builtin_bswap32(static_cast<std::uint32_t>(key.word[0] >> (high ? 0 : 32)));
    std::memcpy(out.bytes.data(), &network, 4);
    out.version = 4;
}

inline void put_address(const FlowKeyV6& key, bool high, IpAddress& out) noexcept {
    std::memcpy(out.bytes.data(), &key.word[high ? 2 : 0], 16);
    out.version = 6;
}

// Keyed multiply-mix over the words. The secret is random, another one in each
// metering process, and never shown: without it nobody can aim at one bucket.
// Both factors of every product are masked by it, so no choice of words makes one
// zero and the other vanish, but by a guess of 63 bits. No more is proved: who
// learns the secret finds keys that collide at will. What they can do then is
// bounded by the table, which looks at 16 buckets for any key.
class FlowHash {
public:
    explicit FlowHash(std::array<std::uint64_t, 9> secret) noexcept : secret_(secret) {
        for (auto& word : secret_) word |= 1;
    }

    template <int AddressWords>
    std::uint64_t operator()(const FlowKey<AddressWords>& key) const noexcept {
        constexpr int n = FlowKey<AddressWords>::kWords;
        const auto& w = key.word;
        std::uint64_t h = n & 1 ? multiply_mix(w[n - 1] ^ secret_[6], secret_[7]) : secret_[6];
        for (int i = 0; i + 1 < n; i += 2) h ^= multiply_mix(w[i] ^ secret_[i], w[i + 1] ^ secret_[i + 1]);
        return multiply_mix(h, secret_[8]);
    }

private:
    std::array<std::uint64_t, 9> secret_;
};

}  // namespace nfstreamd
