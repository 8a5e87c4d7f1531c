// SPDX-License-Identifier: Apache-2.0
#include "core/packet/duplicate_filter.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/mixing.hpp"
#include "core/packet/decode.hpp"
#include "core/packet/octets.hpp"

namespace nfstreamd {
namespace {

constexpr std::uint8_t kTcp = 6, kUdp = 17;

std::uint64_t word(const std::uint8_t* p, std::size_t octets = 8) noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, p, octets);
    return value;
}

// As its header says, without what the link pads it with; 0: too long for its header.
std::uint32_t datagram_length(const std::uint8_t* ip) noexcept {
    if (ip[0] >> 4 == 4) return be16(ip + 2);
    const std::uint32_t payload = be16(ip + 4);
    return payload == 0 ? 0 : payload + 40;
}

// Where the checksum of TCP or UDP is; 0: there is none right behind the IP header.
std::uint32_t checksum_offset(const std::uint8_t* ip) noexcept {
    const bool is_v4 = ip[0] >> 4 == 4;
    const std::uint32_t header = is_v4 ? (ip[0] & 15u) * 4 : 40;
    if (is_v4 && (be16(ip + 6) & 0x1fff) != 0) return 0;  // a later fragment: payload
    switch (is_v4 ? ip[9] : ip[6]) {
        case kTcp:
            return header + 16;
        case kUdp:
            return header + 6;
        default:
            return 0;
    }
}

}  // namespace

DuplicateFilter::DuplicateFilter(TimestampNs window, std::uint32_t octets, std::array<std::uint64_t, 4> secret)
    : window_(window), octets_(octets), secret_(secret), buckets_(std::make_unique<std::array<Bucket, kBuckets>>()) {
    for (auto& value : secret_) value |= 1;
}

std::uint64_t DuplicateFilter::identify(int link_type, const RawFrame& frame) const noexcept {
    const auto offset = ip_offset(link_type, frame);
    if (!offset) return 0;
    const std::uint8_t* ip = frame.data + *offset;
    const std::uint32_t length = datagram_length(ip), captured = frame.captured_length - *offset;
    const std::uint32_t size = std::min({length == 0 ? captured : length, captured, octets_});
    std::uint64_t identity = multiply_mix(length ^ secret_[0], secret_[3]);
    const auto take = [&](std::uint32_t from, std::uint32_t to) {
        for (; to - from >= 16; from += 16)
            identity = multiply_mix(identity ^ word(ip + from), secret_[1] ^ word(ip + from + 8));
        if (to - from >= 8) {
            identity = multiply_mix(identity ^ word(ip + from), secret_[2]);
            from += 8;
        }
        if (from < to) identity = multiply_mix(identity ^ word(ip + from, to - from), secret_[2] ^ (to - from));
    };
    const std::uint32_t checksum = checksum_offset(ip);
    if (checksum == 0 || checksum + 2 > size) {
        take(0, size);
    } else {
        take(0, checksum);
        take(checksum + 2, size);
    }
    return identity == 0 ? 1 : identity;
}

DuplicateFilter::Bucket& DuplicateFilter::bucket(std::uint64_t identity) const noexcept {
    return (*buckets_)[identity % kBuckets];
}

bool DuplicateFilter::is_near(const Entry& entry, TimestampNs time) const noexcept {
    TimestampNs apart = 0;
    return !__builtin_sub_overflow(time, entry.last, &apart) && apart <= window_ && apart >= -window_;
}

bool DuplicateFilter::admit(std::uint64_t identity, const RawFrame& frame, TimestampNs gone) noexcept {
    Bucket& known = bucket(identity);
    Entry* oldest = known.data();
    for (Entry& entry : known) {
        if (entry.identity == identity && is_near(entry, frame.timestamp)) {
            if (frame.source < entry.source && entry.first > gone) entry.source = frame.source;
            if (frame.source != entry.source) return false;
            entry.first = std::min(entry.first, frame.timestamp);
            entry.last = std::max(entry.last, frame.timestamp);
            return true;
        }
        if (entry.last < oldest->last) oldest = &entry;
    }
    *oldest = {identity, frame.timestamp, frame.timestamp, frame.source};
    return true;
}

bool DuplicateFilter::is_superseded(std::uint64_t identity, const RawFrame& frame) const noexcept {
    const Bucket& known = bucket(identity);
    return std::any_of(known.begin(), known.end(), [&](const Entry& entry) {
        return entry.identity == identity && entry.source < frame.source && is_near(entry, frame.timestamp);
    });
}

}  // namespace nfstreamd
