// SPDX-License-Identifier: Apache-2.0
// The tunnels that can be looked into, and a choice of them. The numbers are
// those of the column tunnel_id; the first three are nfstream's.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nfstreamd {

enum class TunnelKind : std::uint8_t {
    kNone,  // also IP in IP, which nfstream passes without a number
    kGtp,
    kCapwap,
    kTzsp,
    kVxlan,
    kGeneve,
    kGre,
    kErspan,
    kL2tp,
    kTeredo
};
inline constexpr std::array<std::string_view, 10> kTunnelNames{"ip",     "gtp", "capwap", "tzsp", "vxlan",
                                                               "geneve", "gre", "erspan", "l2tp", "teredo"};

constexpr std::string_view name(TunnelKind kind) noexcept {
    return kTunnelNames[static_cast<std::size_t>(kind)];
}

class TunnelSet {
public:
    constexpr TunnelSet(bool nfstream = true) noexcept : bits_(nfstream ? kNfstream : 0) {}  // its decode_tunnels

    static constexpr TunnelSet all() noexcept { return of_bits(kNfstream | kOurs); }
    static constexpr std::optional<TunnelKind> find(std::string_view tunnel) noexcept {
        for (std::size_t i = 1; i < kTunnelNames.size(); ++i)
            if (kTunnelNames[i] == tunnel) return static_cast<TunnelKind>(i);
        return std::nullopt;
    }

    constexpr TunnelSet& add(TunnelKind kind) noexcept {
        bits_ = static_cast<std::uint16_t>(bits_ | bit(kind));
        return *this;
    }
    constexpr bool has(TunnelKind kind) const noexcept { return (bits_ & bit(kind)) != 0; }
    constexpr bool empty() const noexcept { return bits_ == 0; }
    constexpr bool has_ours() const noexcept { return (bits_ & kOurs) != 0; }  // one that nfstream does not know
    friend constexpr bool operator==(const TunnelSet&, const TunnelSet&) = default;

private:
    static constexpr std::uint16_t kNfstream = 0x00e, kOurs = 0x3f0;
    static constexpr std::uint16_t bit(TunnelKind kind) noexcept {
        return static_cast<std::uint16_t>(1u << static_cast<unsigned>(kind));
    }
    static constexpr TunnelSet of_bits(std::uint16_t bits) noexcept {
        TunnelSet set(false);
        set.bits_ = bits;
        return set;
    }

    std::uint16_t bits_;
};

}  // namespace nfstreamd
