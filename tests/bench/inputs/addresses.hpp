// SPDX-License-Identifier: Apache-2.0
// Gives the copies of a captured Ethernet frame addresses of their own, so that
// their flows are others, and keeps the checksums as right or wrong as they
// were. Pure.
#pragma once
#include <cstdint>

namespace nfstreamd::bench {

// Copy 0 keeps its addresses.
void shift_addresses(std::uint8_t* frame, std::uint32_t captured, unsigned copy);

// A packet of one of the tunnels that nfstream looks into: what it counts of them depends on what they carry.
bool is_of_a_tunnel(const std::uint8_t* frame, std::uint32_t captured);

}  // namespace nfstreamd::bench
