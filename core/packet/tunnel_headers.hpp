// SPDX-License-Identifier: Apache-2.0
// The headers of tunnels, by their RFCs: where the payload begins and what it
// is. Each takes the octets behind IP or UDP and gives nothing when they are no
// such header, or one that carries no user's packet (control, keep-alive, a
// later fragment). Pure, safe on hostile bytes.
#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "core/packet/tunnel_set.hpp"

namespace nfstreamd {

inline constexpr std::uint16_t kTransparentEthernet = 0x6558;  // EtherType of a frame in a tunnel

struct TunnelPayload {
    TunnelKind kind = TunnelKind::kNone;
    std::uint32_t offset = 0;                  // of the payload
    std::uint16_t type = 0;                    // its EtherType
    std::uint32_t key = 0;                     // TEID, VNI, GRE key or call, session
    const std::uint8_t* source_mac = nullptr;  // where the tunnel's header has them
    const std::uint8_t* destination_mac = nullptr;
};

using TunnelOctets = std::span<const std::uint8_t>;

std::optional<TunnelPayload> read_gre(TunnelOctets octets) noexcept;      // protocol 47; PPTP and ERSPAN too
std::optional<TunnelPayload> read_l2tp_v3(TunnelOctets octets) noexcept;  // protocol 115
std::optional<TunnelPayload> read_l2tp(TunnelOctets octets) noexcept;     // UDP 1701
std::optional<TunnelPayload> read_gtp(TunnelOctets octets) noexcept;      // UDP 2152
std::optional<TunnelPayload> read_teredo(TunnelOctets octets) noexcept;   // UDP 3544
std::optional<TunnelPayload> read_vxlan(TunnelOctets octets) noexcept;    // UDP 4789
std::optional<TunnelPayload> read_capwap(TunnelOctets octets) noexcept;   // UDP 5247
std::optional<TunnelPayload> read_geneve(TunnelOctets octets) noexcept;   // UDP 6081
std::optional<TunnelPayload> read_tzsp(TunnelOctets octets) noexcept;     // UDP 37008

}  // namespace nfstreamd
