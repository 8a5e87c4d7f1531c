// SPDX-License-Identifier: Apache-2.0
// Tells which packets of several interfaces are copies of one packet, by their
// octets from the outermost IP header on: what the link layer adds, as a VLAN
// tag, does not count, and neither does the TCP or UDP checksum, which offloads
// leave to a later stage. Of the copies, that of the interface with the lowest
// number is the one to be metered. Fixed size; one metering thread.
#pragma once
#include <array>
#include <cstdint>
#include <memory>

#include "core/packet/frame.hpp"

namespace nfstreamd {

class DuplicateFilter {
public:
    // Copies are at most `window` apart. `octets` of an IP packet are looked at,
    // so many as every interface captures.
    DuplicateFilter(TimestampNs window, std::uint32_t octets, std::array<std::uint64_t, 4> secret);

    // What copies of a packet have in common; 0: it is not IP and has no copies.
    std::uint64_t identify(int link_type, const RawFrame& frame) const noexcept;

    // A frame has come that frames up to `gone` do not wait for any more. False:
    // it is a copy and may be dropped at once.
    bool admit(std::uint64_t identity, const RawFrame& frame, TimestampNs gone) noexcept;

    // Whether meanwhile a copy has come of an interface that goes before.
    bool is_superseded(std::uint64_t identity, const RawFrame& frame) const noexcept;

    TimestampNs window() const noexcept { return window_; }

private:
    static constexpr std::size_t kWays = 4, kBuckets = 1u << 14;
    struct Entry {
        std::uint64_t identity = 0;
        TimestampNs first = 0, last = 0;  // of an interface that sends the same packet again and again
        std::uint8_t source = 0;          // whose packets are metered
    };
    using Bucket = std::array<Entry, kWays>;

    bool is_near(const Entry& entry, TimestampNs time) const noexcept;
    Bucket& bucket(std::uint64_t identity) const noexcept;

    TimestampNs window_;
    std::uint32_t octets_;
    std::array<std::uint64_t, 4> secret_;
    std::unique_ptr<std::array<Bucket, kBuckets>> buckets_;
};

}  // namespace nfstreamd
