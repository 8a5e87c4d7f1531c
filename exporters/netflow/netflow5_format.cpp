// SPDX-License-Identifier: Apache-2.0
#include "exporters/netflow/netflow5_format.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "exporters/session/big_endian.hpp"

namespace nfstreamd::exporters::netflow {
namespace {

constexpr std::uint16_t kVersion = 5, kAnySet = 1;
constexpr std::size_t kUptimeAt = 4, kSecondsAt = 8, kNanosecondsAt = 12, kSequenceAt = 16, kEngineAt = 20,
                      kSamplingAt = 22;
constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint8_t kIcmp = 1;

// One direction of a flow.
struct Half {
    const IpAddress *source, *destination;
    std::uint16_t source_port, destination_port;
    std::uint32_t input, output;
    const DirectionRecord* counts;

    // Records that its counters take.
    std::uint64_t records() const noexcept {
        return std::max<std::uint64_t>(
            {1, (counts->octets + kMost - 1) / kMost, (counts->packets + kMost - 1) / kMost});
    }
};

std::uint32_t part(std::uint64_t whole, std::uint64_t i, std::uint64_t parts) {
    return static_cast<std::uint32_t>(whole / parts + (i < whole % parts ? 1 : 0));
}

std::uint16_t interface_index(std::uint32_t index) {
    return index > std::numeric_limits<std::uint16_t>::max() ? 0 : static_cast<std::uint16_t>(index);
}

std::uint16_t as_number(std::uint32_t asn) {  // RFC 6793: what stands for those of more than 16 bits
    constexpr std::uint16_t kAsTrans = 23456;
    return asn > std::numeric_limits<std::uint16_t>::max() ? kAsTrans : static_cast<std::uint16_t>(asn);
}

std::int64_t milliseconds(TimestampNs time) {
    return static_cast<std::int64_t>(time) / 1'000'000;
}

void write(const FlowRecord& record, const Half& half, std::uint64_t i, std::uint64_t parts, std::int64_t base_ms,
           std::uint8_t* out) {
    const DirectionRecord& counts = *half.counts;
    std::memset(out, 0, Netflow5Format::kRecord);
    std::memcpy(out, half.source->bytes.data(), 4);
    std::memcpy(out + 4, half.destination->bytes.data(), 4);
    store_big_endian(interface_index(half.input), out + 12);
    store_big_endian(interface_index(half.output), out + 14);
    store_big_endian(part(counts.packets, i, parts), out + 16);
    store_big_endian(part(counts.octets, i, parts), out + 20);
    store_big_endian(Uptime::since(base_ms, milliseconds(counts.first)), out + 24);
    store_big_endian(Uptime::since(base_ms, milliseconds(counts.last)), out + 28);
    store_big_endian(half.source_port, out + 32);
    const auto type_and_code = static_cast<std::uint16_t>(counts.icmp_type << 8 | counts.icmp_code);
    store_big_endian(record.protocol == kIcmp ? type_and_code : half.destination_port, out + 34);
    out[37] = counts.tcp_flags;
    out[38] = record.protocol;
    out[39] = counts.tos;
    if (record.enrichment == nullptr) return;
    const bool back = half.counts == &record.reverse;
    const EnrichmentRecord& known = *record.enrichment;
    store_big_endian(as_number((back ? known.destination : known.source).asn), out + 40);
    store_big_endian(as_number((back ? known.source : known.destination).asn), out + 42);
}

}  // namespace

Netflow5Format::Netflow5Format(const Netflow5Options& options)
    : uptime_(options.start_ms),
      max_message_(kHeader + kRecord * std::min(kMostRecords, (options.max_message - kHeader) / kRecord)) {
    framing_.header_length = kHeader;
    framing_.counts_records = true;
    framing_.has_sets = false;
    store_big_endian(kVersion, framing_.header.data());
    framing_.header[kEngineAt] = options.engine_type;
    framing_.header[kEngineAt + 1] = options.engine_id;
    store_big_endian(options.sampling, framing_.header.data() + kSamplingAt);
}

MessageFormat::Added Netflow5Format::add(const FlowRecord& record, MessageQueue& queue) {
    if (record.source_address.version != 4) return Added::kUnsupported;
    if (queue.max_message() < kHeader + kRecord) return Added::kTooLong;
    const Half halves[] = {
        {&record.source_address, &record.destination_address, record.source_port, record.destination_port,
         record.ingress_interface, record.egress_interface, &record.forward},
        {&record.destination_address, &record.source_address, record.destination_port, record.source_port,
         record.egress_interface, record.ingress_interface, &record.reverse}};
    const std::uint64_t forward = halves[0].records();
    const std::uint64_t all = forward + (record.reverse.packets > 0 ? halves[1].records() : 0);
    const std::uint64_t capacity = (queue.max_message() - kHeader) / kRecord;
    if (all <= capacity && !queue.has_room(kAnySet, all * kRecord)) return Added::kNoRoom;

    const std::int64_t start = milliseconds(record.first()), end = milliseconds(record.last());
    MessageCounts& message = queue.under_way();
    if (message.data_records == 0)
        message.base_ms = uptime_.base_for(start);
    else if (!Uptime::holds(message, start, end))
        return Added::kNoRoom;

    if (progress_.id != record.id || progress_.last != record.last()) progress_ = {record.id, 0, record.last()};
    for (std::uint64_t& i = progress_.done; i < all; ++i) {
        if (!queue.has_room(kAnySet, kRecord)) {
            message.latest_ms = std::max(message.latest_ms, end);  // its rest comes in the next
            return Added::kNoRoom;
        }
        const bool back = i >= forward;
        const Half& half = halves[back ? 1 : 0];
        write(record, half, back ? i - forward : i, half.records(), message.base_ms,
              queue.add_data_record(kAnySet, kRecord));
    }
    progress_ = {};
    return Added::kTaken;
}

void Netflow5Format::stamp(std::span<std::uint8_t> message, const MessageCounts& counts,
                           std::chrono::system_clock::time_point now, std::uint32_t sequence) const noexcept {
    const std::int64_t time = Uptime::header_ms(counts, now);
    store_big_endian(Uptime::since(counts.base_ms, time), message.data() + kUptimeAt);
    store_big_endian(static_cast<std::uint32_t>(time / 1000), message.data() + kSecondsAt);
    store_big_endian(static_cast<std::uint32_t>(time % 1000 * 1'000'000), message.data() + kNanosecondsAt);
    store_big_endian(sequence, message.data() + kSequenceAt);
}

}  // namespace nfstreamd::exporters::netflow
