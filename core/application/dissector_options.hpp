// SPDX-License-Identifier: Apache-2.0
// How much of a flow nDPI is shown, by which rules, and what is kept of what it
// finds. Plain values, chosen by the operator.
#pragma once
#include <cstdint>
#include <string>

namespace nfstreamd {

// Packets of a flow that are shown to nDPI, by transport protocol; 0: none.
struct DissectionLimits {
    unsigned tcp = 20, udp = 20, other = 20;
    // false: nfstream 6, where a flow whose application is known by its only
    // packet (limit 1) is followed while there is more to learn. true: nfstream
    // 3, where the limit holds always.
    bool exact = false;

    constexpr DissectionLimits() = default;
    constexpr DissectionLimits(unsigned packets) : tcp(packets), udp(packets), other(packets) {}  // n_dissections
    constexpr unsigned of(std::uint8_t protocol) const {
        constexpr std::uint8_t kTcp = 6, kUdp = 17;
        return protocol == kTcp ? tcp : protocol == kUdp ? udp : other;
    }
    constexpr bool any() const { return tcp != 0 || udp != 0 || other != 0; }
    friend bool operator==(const DissectionLimits&, const DissectionLimits&) = default;
};

// Rules of the operator, in nDPI's own formats; empty: none.
struct NdpiFiles {
    std::string protocols, categories;  // paths
    std::uint64_t content = 0;          // of both, hashed when they were read: the same path may hold other rules
    friend bool operator==(const NdpiFiles&, const NdpiFiles&) = default;
};

struct DissectorOptions {
    DissectionLimits limits;
    bool details = false;  // fill ApplicationRecord::details
    NdpiFiles files;
};

}  // namespace nfstreamd
