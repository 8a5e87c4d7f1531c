// SPDX-License-Identifier: Apache-2.0
// From link layer to transport, by nfstream's rules for what nfstream decodes
// and by the RFCs for what it does not. Pure: no allocation, no state, no
// logging, safe on hostile bytes. Any thread. Fuzzed.
#pragma once
#include "core/packet/fragment_mode.hpp"
#include "core/packet/packet.hpp"
#include "core/packet/tunnel_set.hpp"

namespace nfstreamd {

struct DecodeOptions {
    TunnelSet tunnels = true;  // nfstream's alone: by its rules; with others: nested, by the RFCs
    FragmentMode fragments = FragmentMode::kFirst;
};

// `link_type` is a DLT_* value. `out` must be freshly constructed.
DecodeResult decode(int link_type, const RawFrame& frame, const DecodeOptions& options, Packet& out) noexcept;

bool is_supported_link_type(int link_type) noexcept;

}  // namespace nfstreamd
