// SPDX-License-Identifier: Apache-2.0
#include "core/packet/fragment_table.hpp"

#include <cstring>

namespace nfstreamd {

FragmentTable::FragmentTable(std::uint64_t seed)
    : seed_(seed | 1), entries_(std::make_unique<std::array<Entry, kEntries>>()) {}

bool FragmentTable::resolve(Packet& packet) noexcept {
    Identity identity;
    const bool v4 = packet.version == 4;
    std::memcpy(identity.addresses.data(), packet.ip + (v4 ? 12 : 8), v4 ? 8 : 32);
    identity.id = packet.fragment_id;
    identity.protocol = packet.protocol;
    identity.version = packet.version;

    std::uint64_t hash = seed_ ^ identity.id;
    for (std::size_t i = 0; i < identity.addresses.size(); i += 8) {
        std::uint64_t word;
        std::memcpy(&word, &identity.addresses[i], 8);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    Entry& entry = (*entries_)[hash % kEntries];
    if (!packet.later_fragment) {
        entry = {identity, packet.timestamp, packet.source_port, packet.destination_port};
        return true;
    }
    const TimestampNs age = packet.timestamp - entry.seen;  // negative: before the clock was set back
    if (entry.identity != identity || age < 0 || age > kLifetime) return false;
    packet.source_port = entry.source_port;
    packet.destination_port = entry.destination_port;
    return true;
}

}  // namespace nfstreamd
