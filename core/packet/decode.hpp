// SPDX-License-Identifier: Apache-2.0
// From link layer to transport, by nfstream's rules for what nfstream decodes
// and by the RFCs for what it does not. Pure: no allocation, no state, no
// logging, safe on hostile bytes. Any thread. Fuzzed.
#pragma once
#include <cstdint>
#include <optional>

#include "core/packet/decode_plain.hpp"
#include "core/packet/fragment_mode.hpp"
#include "core/packet/packet.hpp"
#include "core/packet/tunnel_set.hpp"

namespace nfstreamd {

struct DecodeOptions {
    TunnelSet tunnels = true;  // nfstream's alone: by its rules; with others: nested, by the RFCs
    FragmentMode fragments = FragmentMode::kFirst;
};

// Any frame, the long way. `link_type` is a DLT_* value. Writes all of `out`.
DecodeResult decode_any(int link_type, const RawFrame& frame, const DecodeOptions& options, Packet& out) noexcept;

// The same; a plain packet, decode_plain.hpp, takes the short way. Tests compare both.
inline DecodeResult decode(int link_type, const RawFrame& frame, const DecodeOptions& options, Packet& out) noexcept {
    constexpr int kEthernet = 1;  // DLT_EN10MB
    if (link_type == kEthernet && decode_plain(frame, out)) [[likely]]
        return DecodeResult::kOk;
    return decode_any(link_type, frame, options, out);
}

// Where the outermost IP header begins; none: the link layer does not lead to one.
std::optional<std::uint32_t> ip_offset(int link_type, const RawFrame& frame) noexcept;

bool is_supported_link_type(int link_type) noexcept;

}  // namespace nfstreamd
