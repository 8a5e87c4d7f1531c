// SPDX-License-Identifier: Apache-2.0
#include "exporters/netflow/netflow5_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "exporters/ipfix/byte_reader.hpp"

namespace nfstreamd::exporters::netflow {
namespace {

using namespace ipfix;

constexpr std::size_t kHeader = 24, kRecord = 48, kMostRecords = 30;
constexpr std::uint16_t kTemplateId = 5;

// The record as IANA's elements, then what its header says of all: engine type
// and id, and when there is sampling its algorithm and interval.
constexpr ReadElement kElements[] = {
    {0, 8, 4},
    {0, 12, 4},
    {0, 15, 4},  // addresses, next hop
    {0, 10, 2},
    {0, 14, 2},  // interfaces
    {0, 2, 4},
    {0, 1, 4},  // packets, octets
    {0, 22, 4, false, 22},
    {0, 21, 4, false, 21},  // first and last, in uptime
    {0, 7, 2},
    {0, 11, 2},
    {0, 210, 1},  // ports, padding
    {0, 6, 1},
    {0, 4, 1},
    {0, 5, 1},  // TCP flags, protocol, type of service
    {0, 16, 2},
    {0, 17, 2},
    {0, 9, 1},
    {0, 13, 1},
    {0, 210, 2},  // AS numbers, masks, padding
    {0, 38, 1},
    {0, 39, 1},
    {0, 35, 1},
    {0, 34, 2},
};
constexpr std::size_t kSamplingElements = 2, kAppended = 5;

ReadTemplate make_template(bool sampled, std::uint32_t private_enterprise_number) {
    const auto elements = std::span(kElements).first(std::size(kElements) - (sampled ? 0 : kSamplingElements));
    return make_read_template(elements, false, private_enterprise_number);
}

}  // namespace

void read_netflow5(ReaderContext& context, std::span<const std::uint8_t> packet, std::string_view source) {
    static const ReadTemplate plain = make_template(false, 0), sampled = make_template(true, 0);
    ByteReader bytes(packet);
    bytes.take(2);  // version
    const std::size_t count = bytes.u16();
    UptimeClock clock;
    clock.uptime_ms = bytes.u32();
    MessageHeader header{5, true, source, 0, 0, 0};
    header.export_time = bytes.u32();
    clock.now_ms = std::uint64_t{header.export_time} * 1000 + bytes.u32() / 1'000'000;
    header.sequence = bytes.u32();
    header.domain = bytes.u16();  // engine type and id
    const std::uint16_t sampling = bytes.u16();
    if (bytes.failed() || count == 0 || count > kMostRecords || packet.size() != kHeader + count * kRecord)
        return context.malformed(fmt::format("a NetFlow v5 packet of {} octets for {} records", packet.size(), count),
                                 source);
    ++context.counters.messages;
    context.counters.octets += packet.size();
    ReaderSession& session = context.sessions.of(source, header.version, header.domain);
    context.counters.lost_records += context.missing_before(session, header.sequence);
    session.expected = header.sequence + static_cast<std::uint32_t>(count);  // flows
    session.sequence_known = true;
    if (context.observer != nullptr) context.observer->on_message(header);

    std::array<std::uint8_t, kRecord + kAppended> record{};
    record[kRecord] = static_cast<std::uint8_t>(header.domain >> 8);
    record[kRecord + 1] = static_cast<std::uint8_t>(header.domain);
    record[kRecord + 2] = static_cast<std::uint8_t>(sampling >> 14);
    record[kRecord + 3] = static_cast<std::uint8_t>(sampling >> 8 & 0x3f);
    record[kRecord + 4] = static_cast<std::uint8_t>(sampling);
    for (std::size_t i = 0; i < count; ++i) {
        const auto octets = bytes.take(kRecord);
        std::copy(octets.begin(), octets.end(), record.begin());
        ByteReader fields(record);
        context.read_record(header, session, kTemplateId, sampling == 0 ? plain : sampled, fields, &clock);
    }
}

}  // namespace nfstreamd::exporters::netflow
