// SPDX-License-Identifier: Apache-2.0
// Ports of fragmented datagrams (`fragments: all`): the first fragment leaves
// them here, later ones fetch them. Fixed size, direct-mapped: an entry is
// overwritten by another datagram or forgotten after 30 s (RFC 791, 3.2, asks
// for 15 s, RFC 8200, 4.5, for 60 s). Its hash is keyed: a datagram overwrites one
// entry at most, and nobody outside can choose whose. One metering thread.
#pragma once
#include <array>
#include <cstdint>
#include <memory>

#include "core/packet/packet.hpp"

namespace nfstreamd {

class FragmentTable {
public:
    explicit FragmentTable(std::uint64_t seed);

    // Remembers a first fragment; gives a later one its ports. False: a later
    // fragment whose first was not seen, it stays without ports.
    bool resolve(Packet& packet) noexcept;

private:
    static constexpr std::size_t kEntries = 4096;
    static constexpr TimestampNs kLifetime = 30'000'000'000;
    struct Identity {
        std::array<std::uint8_t, 32> addresses{};
        std::uint32_t id = 0;
        std::uint8_t protocol = 0, version = 0;
        bool operator==(const Identity&) const = default;
    };
    struct Entry {
        Identity identity;
        TimestampNs seen = 0;
        std::uint16_t source_port = 0, destination_port = 0;
    };

    std::size_t place_of(const Identity& identity) const noexcept;

    std::array<std::uint64_t, 3> secret_;
    std::unique_ptr<std::array<Entry, kEntries>> entries_;
};

}  // namespace nfstreamd
