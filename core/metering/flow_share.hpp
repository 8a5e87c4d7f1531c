// SPDX-License-Identifier: Apache-2.0
// Which flows of an observation point one of its metering processes has, by the
// addresses of their packets: both directions and all fragments meet. Any thread.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>

#include "core/packet/packet.hpp"

namespace nfstreamd {

// The same for both directions, the same in every run.
inline std::uint64_t address_pair_hash(const Packet& packet) noexcept {
    const auto mix = [](std::uint64_t x) noexcept {  // the finalizer of splitmix64
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
        x = (x ^ x >> 27) * 0x94d049bb133111eb;
        return x ^ x >> 31;
    };
    if (packet.version == 4) {
        std::uint32_t ends[2];
        std::memcpy(ends, packet.ip + 12, sizeof ends);
        return mix(mix(ends[0]) + mix(ends[1]));
    }
    std::uint64_t words[4];
    std::memcpy(words, packet.ip + 8, sizeof words);
    return mix(mix(words[0] + std::rotl(mix(words[1]), 1)) + mix(words[2] + std::rotl(mix(words[3]), 1)));
}

struct FlowShare {
    std::uint32_t index = 0, count = 1;

    bool first() const noexcept { return index == 0; }
    bool has(const Packet& packet) const noexcept { return address_pair_hash(packet) % count == index; }
    friend bool operator==(const FlowShare&, const FlowShare&) = default;
};

}  // namespace nfstreamd
