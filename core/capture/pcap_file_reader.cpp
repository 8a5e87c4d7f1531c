// SPDX-License-Identifier: Apache-2.0
#include "core/capture/pcap_file_reader.hpp"

#include <algorithm>
#include <cstring>

#include "core/capture/timestamp.hpp"

namespace nfstreamd {

namespace {

constexpr std::size_t kRecordHeaderSize = 16;

template <bool swapped>
std::uint32_t load(const std::uint8_t* octets) noexcept {
    std::uint32_t value;
    std::memcpy(&value, octets, sizeof value);
    return swapped ? __builtin_bswap32(value) : value;
}

// As libpcap 1.10 does: signed as stored, but unsigned when it has to swap. The
// fraction may exceed a second; nothing is normalised.
template <bool swapped>
std::int64_t load_time(const std::uint8_t* octets) noexcept {
    const std::uint32_t value = load<swapped>(octets);
    return swapped ? std::int64_t{value} : std::int64_t{static_cast<std::int32_t>(value)};
}

}  // namespace

template <bool swapped>
std::size_t PcapFileReader::parse(std::span<RawFrame> frames) noexcept {
    const auto octets = stream_.unread();
    const std::uint8_t* cursor = octets.data();
    const std::uint8_t* const end = cursor + octets.size();
    const std::int64_t scale = format_.nanoseconds ? 1 : 1000;
    std::size_t count = 0;
    while (count < frames.size() && static_cast<std::size_t>(end - cursor) >= kRecordHeaderSize) {
        const std::uint32_t stored = load<swapped>(cursor + 8);
        if (stored > kLargestRecord) {
            bad_length_ = stored;
            break;
        }
        if (static_cast<std::size_t>(end - cursor) < kRecordHeaderSize + stored) break;
        __builtin_prefetch(cursor + 64);  // the headers go on there; decoding comes a vector later
        const std::int64_t seconds = load_time<swapped>(cursor);
        const std::int64_t fraction = load_time<swapped>(cursor + 4);
        frames[count++] = {to_timestamp(seconds, fraction * scale), cursor + kRecordHeaderSize,
                           std::min(stored, format_.snapshot_length), load<swapped>(cursor + 12)};
        cursor += kRecordHeaderSize + stored;
    }
    stream_.consume(static_cast<std::size_t>(cursor - octets.data()));
    return count;
}

FileReader::Outcome PcapFileReader::read(std::span<RawFrame> frames, WakeEvent& wake, std::chrono::milliseconds wait) {
    for (bool filled = false;; filled = true) {
        const std::size_t count = format_.swapped ? parse<true>(frames) : parse<false>(frames);
        if (count != 0) return {ReadState::kFrames, count};
        if (bad_length_ != 0) {
            return fail(ReadState::kDamaged, "invalid packet capture length " + std::to_string(bad_length_));
        }
        if (filled && !stream_.is_regular()) return {ReadState::kWaiting};  // a slow pipe: only part of a record
        switch (stream_.fill(wake, wait)) {
            case InputStream::Fill::kMore:
                break;
            case InputStream::Fill::kWaiting:
                return {ReadState::kWaiting};
            case InputStream::Fill::kError:
                return fail(ReadState::kDamaged, stream_.error_text());
            case InputStream::Fill::kEnd:
                if (stream_.unread().empty()) return {ReadState::kEnd};
                return fail(ReadState::kTruncated,
                            "only " + std::to_string(stream_.unread().size()) + " octets of the record are there");
        }
    }
}

FileReader::Outcome PcapFileReader::fail(ReadState state, std::string reason) {
    problem_ = {stream_.position(), std::move(reason)};
    return {state};
}

}  // namespace nfstreamd
