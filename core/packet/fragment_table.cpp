// SPDX-License-Identifier: Apache-2.0
#include "core/packet/fragment_table.hpp"

#include <cstring>

#include "core/base/mixing.hpp"

namespace nfstreamd {

FragmentTable::FragmentTable(std::uint64_t seed)
    : secret_{seed | 1, splitmix_finish(seed + kSplitmixStep) | 1, splitmix_finish(seed + 2 * kSplitmixStep) | 1},
      entries_(std::make_unique<std::array<Entry, kEntries>>()) {}

// Not of sums or differences of what a sender chooses: all is multiplied by what it does not know.
std::size_t FragmentTable::place_of(const Identity& identity) const noexcept {
    std::uint64_t hash = multiply_mix(identity.id ^ secret_[0], secret_[2]);
    for (std::size_t i = 0; i < identity.addresses.size(); i += 16) {
        std::uint64_t words[2];
        std::memcpy(words, &identity.addresses[i], sizeof words);
        hash = multiply_mix(hash ^ words[0], words[1] ^ secret_[1]);
    }
    return hash % kEntries;
}

bool FragmentTable::resolve(Packet& packet) noexcept {
    Identity identity;
    const bool v4 = packet.version == 4;
    std::memcpy(identity.addresses.data(), packet.ip + (v4 ? 12 : 8), v4 ? 8 : 32);
    identity.id = packet.fragment_id;
    identity.protocol = packet.protocol;
    identity.version = packet.version;

    Entry& entry = (*entries_)[place_of(identity)];
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
