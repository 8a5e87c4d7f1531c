// SPDX-License-Identifier: Apache-2.0
// Hash-based packet filtering (RFC 5475, 6.2) with its BOB function over chosen
// fields of a packet. Both directions of a flow hash alike in what is chosen of
// source and destination. Constant once made; any thread.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/result.hpp"
#include "core/packet/packet.hpp"
#include "core/selection/packet_selector.hpp"

namespace nfstreamd {

// RFC 5475, appendix A.2: selectorAlgorithm 6.
std::uint32_t bob_hash(std::span<const std::uint8_t> octets, std::uint32_t initialiser) noexcept;

std::span<const std::string_view> hash_field_names() noexcept;  // "src_ip"

// Fields that exist, each once, and a fraction that goes with them.
Status check_packet_hash(const PacketHashOptions& options);

class PacketHashFilter {
public:
    PacketHashFilter() = default;
    explicit PacketHashFilter(const PacketHashOptions& options) noexcept;

    bool on() const noexcept { return selected_ < kRange; }
    bool selects(const Packet& packet) const noexcept;

    static constexpr std::uint64_t kRange = std::uint64_t{1} << 32;
    std::uint64_t selected() const noexcept { return selected_; }  // hashes below it are selected

private:
    std::uint64_t selected_ = kRange;
    std::uint32_t seed_ = 0;
    unsigned fields_ = 0;
};

}  // namespace nfstreamd
