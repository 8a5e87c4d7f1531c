// SPDX-License-Identifier: Apache-2.0
// A number for the flow that a record tells of: the same for all its records,
// whichever end is the source, in every run and on every probe. Anyone can aim
// at it: it spreads load, it protects nothing. Any thread.
#pragma once
#include <cstdint>
#include <cstring>
#include <utility>

#include "core/base/mixing.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

inline std::uint64_t record_hash(const FlowRecord& record) noexcept {
    const auto end = [](const IpAddress& address, std::uint16_t port) {
        std::uint64_t words[2];
        static_assert(sizeof words == sizeof address.bytes);
        std::memcpy(words, address.bytes.data(), sizeof words);
        return splitmix_finish(splitmix_finish(words[0] ^ kSplitmixStep) ^ words[1] ^ port);
    };
    std::uint64_t low = end(record.source_address, record.source_port);
    std::uint64_t high = end(record.destination_address, record.destination_port);
    if (low > high) std::swap(low, high);
    return splitmix_finish(splitmix_finish(low) ^ high ^ record.protocol ^ std::uint64_t{record.vlan_id} << 8);
}

}  // namespace nfstreamd
