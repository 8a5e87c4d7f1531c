// SPDX-License-Identifier: Apache-2.0
// Which flows of an observation point one of its metering processes has, by the
// addresses of their packets: both directions and all fragments meet. Any thread.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>

#include "core/base/mixing.hpp"
#include "core/packet/packet.hpp"

namespace nfstreamd {

// The same for both directions, the same in every run.
inline std::uint64_t address_pair_hash(const Packet& packet) noexcept {
    if (packet.version == 4) {
        std::uint32_t ends[2];
        std::memcpy(ends, packet.ip + 12, sizeof ends);
        return splitmix_finish(splitmix_finish(ends[0]) + splitmix_finish(ends[1]));
    }
    std::uint64_t words[4];
    std::memcpy(words, packet.ip + 8, sizeof words);
    return splitmix_finish(splitmix_finish(words[0] + std::rotl(splitmix_finish(words[1]), 1)) +
                           splitmix_finish(words[2] + std::rotl(splitmix_finish(words[3]), 1)));
}

struct FlowShare {
    std::uint32_t index = 0, count = 1;

    bool first() const noexcept { return index == 0; }
    bool has(const Packet& packet) const noexcept { return address_pair_hash(packet) % count == index; }
    friend bool operator==(const FlowShare&, const FlowShare&) = default;
};

}  // namespace nfstreamd
