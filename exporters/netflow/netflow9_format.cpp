// SPDX-License-Identifier: Apache-2.0
#include "exporters/netflow/netflow9_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "exporters/ipfix/stable_template_ids.hpp"
#include "exporters/session/big_endian.hpp"

namespace nfstreamd::exporters::netflow {
namespace {

using ipfix::FieldPlan;

constexpr std::uint16_t kVersion = 9, kTemplateSet = 0;
constexpr std::size_t kCountAt = 2, kUptimeAt = 4, kSecondsAt = 8, kSequenceAt = 12, kSourceIdAt = 16;
constexpr std::uint16_t kFirstSwitched = 22, kLastSwitched = 21, kOutOctets = 23, kOutPackets = 24;
constexpr std::size_t kMostPadding = 3;  // octets behind the records of a Set
constexpr std::size_t kTimes = 8;        // octets of both at the beginning of a record
constexpr std::uint32_t kNtopPen = 35632;
constexpr std::uint16_t kNtopBase = 57472;  // ntop's element N is field 57472 + N of version 9

// Strings have a fixed length in version 9: enough for most of what is seen.
struct TextLength {
    std::string_view column;
    std::uint16_t octets;
};
constexpr TextLength kTextLengths[] = {
    {"application_name", 32}, {"application_category_name", 24},
    {"interface_name", 16},   {"http_method", 8},
    {"user_agent", 64},       {"http_url", 64},
    {"http_host", 48},        {"dns_query", 48},
    {"tls_server_name", 48},  {"risk_names", 64},
    {"dns_answer", 40},       {"ja3_client", 32},
    {"ja3_server", 32},       {"hassh_client", 32},
    {"hassh_server", 32},     {"content_type", 32},
};
constexpr std::uint16_t kOtherTexts = 32;

std::uint16_t text_length(std::string_view column) {
    const auto* found = std::find_if(std::begin(kTextLengths), std::end(kTextLengths),
                                     [&](const TextLength& row) { return row.column == column; });
    return found == std::end(kTextLengths) ? kOtherTexts : found->octets;
}

// 0: version 9 has no field for it.
std::uint16_t field_type(const InformationElement& field, int ip_version, const FieldGroups& groups) {
    const IeId ie = ipfix_element(field, ip_version, groups, 0);
    if (ie.pen == 0) return ie.id;
    return ie.pen == kNtopPen && ie.id <= 65535 - kNtopBase ? static_cast<std::uint16_t>(kNtopBase + ie.id) : 0;
}

// The other direction's counters have fields of their own, nothing else of it has.
std::uint16_t reverse_type(const InformationElement& field) {
    if (field.ie == IeId{kReversePen, 1}) return kOutOctets;
    return field.ie == IeId{kReversePen, 2} ? kOutPackets : 0;
}

bool has_fixed_length(const InformationElement& field) {
    if (field.type == IeType::kOctetArray) return field.wire_length != 0;
    return !is_list(field.type) && field.type != IeType::kFloat64 && field.type != IeType::kAny;
}

std::int64_t milliseconds(TimestampNs time) {
    return static_cast<std::int64_t>(time) / 1'000'000;
}

std::uint8_t* put16(std::uint16_t value, std::uint8_t* out) {
    store_big_endian(value, out);
    return out + 2;
}

}  // namespace

std::vector<FieldPlan> netflow9_plan(const FieldSelection& fields, int ip_version, bool biflow,
                                     const FieldGroups& groups) {
    std::vector<FieldPlan> plans;
    for (const InformationElement* field : fields) {
        if (field->side == IeSide::kBoth || !has_fixed_length(*field)) continue;
        const bool reverse = field->side == IeSide::kReverse;
        const std::uint16_t type =
            reverse ? (biflow ? reverse_type(*field) : std::uint16_t{0}) : field_type(*field, ip_version, groups);
        if (type == 0) continue;
        const std::uint16_t length =
            field->type == IeType::kString ? text_length(field->column) : ipfix::wire_length(*field, ip_version);
        plans.push_back({field, {0, type}, length});
    }
    return plans;
}

Netflow9Format::Netflow9Format(const Netflow9Options& options)
    : uptime_(options.start_ms), biflow_(options.biflow), max_message_(options.max_message) {
    framing_.header_length = kHeader;
    framing_.counts_records = true;
    framing_.set_alignment = 4;
    store_big_endian(kVersion, framing_.header.data());
    store_big_endian(options.source_id, framing_.header.data() + kSourceIdAt);
}

Result<std::unique_ptr<Netflow9Format>> Netflow9Format::make(const Netflow9Options& options) {
    std::unique_ptr<Netflow9Format> made(new Netflow9Format(options));
    if (Status status = made->plan(options); !status) return status.error();
    return made;
}

Status Netflow9Format::plan(const Netflow9Options& options) {
    ipfix::StableTemplateIds ids(options.source_id);
    for (const int ip_version : {4, 6}) {
        ipfix::RecordLayout layout(netflow9_plan(options.fields, ip_version, biflow_, options.groups));
        layout.set_application_id(options.options.application_id);
        if (layout.fields().empty())
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("fields: none of them is carried by NetFlow 9 for IPv{}", ip_version), ""};
        const std::size_t length = kTimes + layout.minimum_wire_length();
        const std::size_t room =
            (max_message_ - kHeader - MessageFraming::kSetHeader - kMostPadding) / (biflow_ ? 1 : 2);
        if (length > room || layout.template_wire_length() + 8 > room)
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("a record of {} octets does not fit a message of {}; send fewer fields or raise "
                                     "mtu",
                                     length, max_message_),
                         ""};
        ipfix::RecordEncoder encoder(layout);
        kinds_.push_back({ids.of(layout), std::move(layout), std::move(encoder), length});
    }
    AnnouncedOptions announced{.profile = options.options,
                               .selectors = options.selectors,
                               .facts = options.facts,
                               .exporting_process = options.exporting_process};
    announced.profile.protocol = OptionsProtocol::kNetflow9;
    announced.profile.domain = options.source_id;
    announcer_ = std::make_unique<OptionsAnnouncer>(std::move(announced), ids);
    return ok();
}

MessageFormat::Added Netflow9Format::add(const FlowRecord& record, MessageQueue& queue) {
    const Kind& kind = kinds_[record.source_address.version == 6 ? 1 : 0];
    const bool two = record.reverse.packets > 0 && !biflow_;
    const std::size_t length = kind.length * (two ? 2 : 1);
    if (kHeader + MessageFraming::kSetHeader + length + kMostPadding > queue.max_message()) return Added::kTooLong;
    if (!queue.has_room(kind.template_id, length)) return Added::kNoRoom;
    const std::int64_t start = milliseconds(record.first()), end = milliseconds(record.last());
    MessageCounts& message = queue.under_way();
    if (message.data_records == 0)
        message.base_ms = uptime_.base_for(start);
    else if (!Uptime::holds(message, start, end))
        return Added::kNoRoom;
    append(kind, record, message.base_ms, queue);
    if (two) append(kind, ReversedFlow(record).record, message.base_ms, queue);
    return Added::kTaken;
}

void Netflow9Format::append(const Kind& kind, const FlowRecord& record, std::int64_t base_ms, MessageQueue& queue) {
    std::uint8_t* out = queue.add_data_record(kind.template_id, kind.length);
    [[maybe_unused]] const std::uint8_t* end = out + kind.length;
    store_big_endian(Uptime::since(base_ms, milliseconds(record.forward.first)), out);
    // one record for both directions ends with the later one
    const TimestampNs last = biflow_ ? record.last() : record.forward.last;
    store_big_endian(Uptime::since(base_ms, milliseconds(last)), out + 4);
    kind.encoder.measure(record, kind.length, texts_);
    out = kind.encoder.write(record, texts_, out + kTimes);
    assert(out == end);
}

Status Netflow9Format::announce(MessageQueue& queue, SessionTemplates& known) {
    if (Status status = append_templates(queue); !status) return status;
    announcer_->add_short(queue, known);
    return ok();
}

void Netflow9Format::repeat_templates(MessageQueue& queue, const SessionTemplates& known) {
    static_cast<void>(append_templates(queue));  // they fitted a moment ago
    announcer_->repeat_templates(queue, known);
}

Status Netflow9Format::append_templates(MessageQueue& queue) const {
    for (const Kind& kind : kinds_) {
        const auto fields = kind.layout.fields();
        const std::size_t set = MessageFraming::kSetHeader + 4 + 4 * (fields.size() + 2);
        if (kHeader + set > queue.max_message())
            return Error{ErrorCode::kUnavailable,
                         fmt::format("the path carries {} octets, too few for a template of {}", queue.max_message(),
                                     kHeader + set),
                         ""};
        std::vector<std::uint8_t> message(kHeader + set);
        std::copy_n(framing_.header.begin(), kHeader, message.begin());
        put16(1, message.data() + kCountAt);
        std::uint8_t* out = message.data() + kHeader;
        out = put16(kTemplateSet, out);
        out = put16(static_cast<std::uint16_t>(set), out);
        out = put16(kind.template_id, out);
        out = put16(static_cast<std::uint16_t>(fields.size() + 2), out);
        out = put16(4, put16(kFirstSwitched, out));
        out = put16(4, put16(kLastSwitched, out));
        for (const FieldPlan& field : fields) out = put16(field.length, put16(field.ie.id, out));
        queue.append(message, {});
    }
    return ok();
}

void Netflow9Format::stamp(std::span<std::uint8_t> message, const MessageCounts& counts,
                           std::chrono::system_clock::time_point now, std::uint32_t sequence) const noexcept {
    const std::int64_t time = Uptime::next_second(Uptime::header_ms(counts, now));
    const std::int64_t base = counts.records > 0 ? counts.base_ms : uptime_.base_for(time);
    store_big_endian(Uptime::since(base, time), message.data() + kUptimeAt);
    store_big_endian(static_cast<std::uint32_t>(time / 1000), message.data() + kSecondsAt);
    store_big_endian(sequence, message.data() + kSequenceAt);
}

}  // namespace nfstreamd::exporters::netflow
