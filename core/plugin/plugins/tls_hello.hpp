// SPDX-License-Identifier: Apache-2.0
// ClientHello and ServerHello (RFC 8446, 4.1) as far as one segment has them, and
// their JA4 and JA4S fingerprints as nfstream's JA4 makes them. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/plugin/plugins/udp_payload.hpp"

namespace nfstreamd::plugins {

enum class HelloKind : std::uint8_t { kClient = 1, kServer = 2 };

struct TlsHello {
    HelloKind kind = HelloKind::kClient;
    std::uint16_t version = 0;           // that the message begins with
    std::vector<std::uint16_t> ciphers;  // a server's: the one that it chose
    // The last one of each type, where the first one was; the end of the last may be in the next segment.
    std::vector<std::pair<std::uint16_t, Octets>> extensions;

    const Octets* find(std::uint16_t extension) const;
};

// Of what follows the header of TCP; nothing when no hello of that kind begins there.
std::optional<TlsHello> read_hello(Octets segment, HelloKind kind);

// "t13d1516h2_8daaf6152771_e5627efa2ab1"; of a server JA4S. Nothing when a list in it is cut off.
std::optional<std::string> ja4(const TlsHello& hello);

}  // namespace nfstreamd::plugins
