// SPDX-License-Identifier: Apache-2.0
#include "exporters/netflow/netflow9_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "exporters/ipfix/byte_reader.hpp"

namespace nfstreamd::exporters::netflow {
namespace {

using namespace ipfix;

constexpr std::uint16_t kTemplateSet = 0, kOptionsTemplateSet = 1, kFirstDataSet = 256;
constexpr std::uint16_t kLastSwitched = 21, kFirstSwitched = 22, kOutBytes = 23, kOutPackets = 24, kLastScope = 5;
constexpr std::uint32_t kNtopPen = 35632;
constexpr std::uint16_t kNtopBase = 57472;  // v9 type = this + the id under ntop's number in IPFIX
constexpr std::size_t kHeader = 20;

// Field types mean what IANA's elements of that number do (RFC 7012, section 2), but for
// what a biflow's way back has, and what vendors put where IPFIX has its enterprise bit.
ReadElement element_of(std::uint16_t type, std::uint16_t length) {
    ReadElement element{0, type, length};
    if (type == kOutBytes || type == kOutPackets) {
        element = {kReversePen, static_cast<std::uint16_t>(type - kOutBytes + 1), length, false, type};
    } else if (type > kNtopBase) {
        element = {kNtopPen, static_cast<std::uint16_t>(type - kNtopBase), length, false, type};
    } else if (type == kFirstSwitched || type == kLastSwitched) {
        element.v9_type = type;
    }
    return element;
}

// A template (5.2) or an options template (6.1), whose lengths are in octets.
bool read_template(ReaderContext& context, const MessageHeader& header, ReaderSession& session, ByteReader& set,
                   bool options) {
    const std::uint16_t id = set.u16();
    const std::uint16_t scope_octets = options ? set.u16() : 0;
    const std::uint16_t rest = set.u16();
    const std::size_t scopes = scope_octets / 4, count = options ? scopes + rest / 4 : rest;
    if (set.failed() || id < kFirstDataSet || count == 0 || count > ReaderContext::kMostFieldsInTemplate) return false;
    if (options && (scope_octets % 4 != 0 || rest % 4 != 0)) return false;
    std::vector<ReadElement> elements;
    elements.reserve(count);
    bool sound = true;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint16_t type = set.u16(), length = set.u16();
        if (set.failed()) return false;
        sound = sound && length != 0 && (i >= scopes || (type >= 1 && type <= kLastScope));
        elements.push_back(i < scopes ? ReadElement{0, type, length, true, type} : element_of(type, length));
    }
    if (!sound) context.sessions.forget(session, id);
    return sound && context.learn(header, session, id, elements, options);
}

void read_templates(ReaderContext& context, const MessageHeader& header, ReaderSession& session,
                    std::span<const std::uint8_t> body, bool options) {
    ByteReader set(body);
    const std::size_t shortest = options ? 6 : 4;
    while (set.remaining() >= shortest) {
        const auto rest = body.last(set.remaining());
        if (std::all_of(rest.begin(), rest.end(), [](std::uint8_t octet) { return octet == 0; })) return;  // padding
        if (read_template(context, header, session, set, options)) continue;
        return context.malformed("a NetFlow v9 template that ends too early, or with a wrong id, scope or length",
                                 header.source);
    }
}

void read_flow_sets(ReaderContext& context, const MessageHeader& header, ReaderSession& session, ByteReader& packet,
                    const UptimeClock& clock) {
    while (packet.remaining() > 0) {
        const std::uint16_t id = packet.u16(), length = packet.u16();
        const auto body = packet.take(length < 4 ? SIZE_MAX : length - 4u);
        if (packet.failed()) return context.malformed("a FlowSet that passes the end of its packet", header.source);
        if (id == kTemplateSet || id == kOptionsTemplateSet)
            read_templates(context, header, session, body, id == kOptionsTemplateSet);
        else if (id >= kFirstDataSet)
            context.read_data_set(header, session, id, body, &clock);
        else
            context.malformed(fmt::format("a FlowSet with the reserved id {}", id), header.source);
    }
}

}  // namespace

void read_netflow9(ReaderContext& context, std::span<const std::uint8_t> packet, std::string_view source) {
    if (packet.size() < kHeader)
        return context.malformed(fmt::format("a NetFlow v9 packet of {} octets", packet.size()), source);
    ++context.counters.messages;
    context.counters.octets += packet.size();
    ByteReader bytes(packet);
    bytes.take(4);  // version; count of records, which the FlowSets tell better
    UptimeClock clock;
    clock.uptime_ms = bytes.u32();
    MessageHeader header{9, true, source, 0, 0, 0};
    header.export_time = bytes.u32();
    header.sequence = bytes.u32();
    header.domain = bytes.u32();
    clock.now_ms = std::uint64_t{header.export_time} * 1000;
    ReaderSession& session = context.sessions.of(source, header.version, header.domain);
    context.counters.lost_messages += context.missing_before(session, header.sequence);
    session.expected = header.sequence + 1;  // packets, not records (5.1)
    session.sequence_known = true;
    if (context.observer != nullptr) context.observer->on_message(header);
    read_flow_sets(context, header, session, bytes, clock);
}

}  // namespace nfstreamd::exporters::netflow
