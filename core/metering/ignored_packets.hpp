// SPDX-License-Identifier: Apache-2.0
// The packets that a metering process should have metered and could not (RFC 7011,
// 4.2): what the kernel or the interface dropped, what no flow can be made of
// although it is or may be IP, what was shed under overload, and what was in flows
// that max_nflows cut off. What the operator leaves out by choice is none of them:
// capture filters, sampling, hash filter, duplicates. Pure.
#pragma once
#include <cstdint>

#include "core/metering/metering_process.hpp"

namespace nfstreamd {

struct IgnoredPackets {
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;  // of those that were seen: on the wire; of discarded flows as in records

    IgnoredPackets& operator+=(const IgnoredPackets& other) noexcept {
        packets += other.packets;
        octets += other.octets;
        return *this;
    }
    friend bool operator==(const IgnoredPackets&, const IgnoredPackets&) = default;
};

// False: the frame holds no IP packet.
constexpr bool may_be_ip(DecodeResult result) noexcept {
    return result != DecodeResult::kNotIp && result != DecodeResult::kSpanningTree &&
           result != DecodeResult::kBadRadioFrame && result != DecodeResult::kNotData;
}

inline IgnoredPackets ignored_packets(const MeterCounters& counters, const MeteringProcess::CaptureTotals& capture) {
    IgnoredPackets ignored{capture.kernel_dropped + capture.interface_dropped + capture.unread,
                           counters.ignored_octets.get()};
    ignored.packets += counters.packets_shed.get() + counters.packets_discarded.get();
    for (std::size_t i = 1; i < kDecodeResults; ++i)
        if (may_be_ip(static_cast<DecodeResult>(i))) ignored.packets += counters.ignored[i].get();
    return ignored;
}

}  // namespace nfstreamd
