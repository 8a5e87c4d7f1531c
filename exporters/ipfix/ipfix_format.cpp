// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/ipfix_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "exporters/ipfix/anonymization_options.hpp"
#include "exporters/ipfix/enterprise_elements.hpp"
#include "exporters/ipfix/stable_template_ids.hpp"
#include "exporters/session/big_endian.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

constexpr std::uint16_t kVersion = 10;
constexpr std::size_t kExportTimeAt = 4, kSequenceAt = 8, kDomainAt = 12;  // RFC 7011, 3.1

MessageFraming framing_of(std::uint32_t domain) {
    MessageFraming framing;
    framing.header_length = kMessageHeader;
    store_big_endian(kVersion, framing.header.data());
    store_big_endian(domain, framing.header.data() + kDomainAt);
    return framing;
}

}  // namespace

IpfixFormat::IpfixFormat(const IpfixOptions& options, std::string name, Logger& logger)
    : name_(std::move(name)),
      logger_(logger),
      framing_(framing_of(options.observation_domain)),
      biflow_(options.biflow),
      max_message_(options.max_message),
      domain_(options.observation_domain) {}

Result<std::unique_ptr<IpfixFormat>> IpfixFormat::make(const IpfixOptions& options, std::string name, Logger& logger) {
    std::unique_ptr<IpfixFormat> made(new IpfixFormat(options, std::move(name), logger));
    if (Status status = made->plan(options); !status) return status.error();
    MessageQueue trial(made->framing_, made->max_message_);
    SessionTemplates known;
    if (Status status = made->announce(trial, known); !status) return status.error();
    return made;
}

Status IpfixFormat::plan(const IpfixOptions& options) {
    struct Row {
        int ip_version;
        bool biflow;
    };
    constexpr Row kRows[] = {{4, true}, {6, true}, {4, false}, {6, false}};
    StableTemplateIds ids(domain_);
    for (const Row& row : kRows) {
        if (row.biflow && !biflow_) continue;
        RecordLayout layout(options.fields, row.ip_version, row.biflow, options.groups,
                            options.private_enterprise_number);
        if (layout.fields().empty())
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("fields: none of them is carried by IPFIX for IPv{}", row.ip_version), ""};
        if (layout.minimum_wire_length() > record_limit(max_message_))
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("a record of {} octets or more does not fit a message of {}; send fewer fields "
                                     "or raise mtu",
                                     layout.minimum_wire_length(), max_message_),
                         ""};
        layout.set_application_id(options.options.application_id);
        RecordEncoder encoder(layout);
        kinds_.push_back({ids.of(layout), std::move(layout), std::move(encoder)});
    }
    announcer_ = std::make_unique<OptionsAnnouncer>(announced(options), ids);
    return ok();
}

std::vector<SessionTemplate> IpfixFormat::templates() const {
    std::vector<SessionTemplate> templates;
    for (const Kind& kind : kinds_) templates.push_back({kind.template_id, &kind.layout});
    return templates;
}

AnnouncedOptions IpfixFormat::announced(const IpfixOptions& options) const {
    AnnouncedOptions announced{.profile = options.options,
                               .selectors = options.selectors,
                               .facts = options.facts,
                               .exporting_process = options.exporting_process};
    announced.profile.protocol = OptionsProtocol::kIpfix;
    announced.profile.domain = domain_;
    announced.elements =
        enterprise_elements(options.fields, options.groups, options.private_enterprise_number, options.biflow);
    for (const Kind& kind : kinds_) {
        KeyedTemplate& keyed = announced.templates.emplace_back();
        keyed.id = kind.template_id;
        for (const FieldPlan& plan : kind.layout.fields()) keyed.fields.push_back(plan.field);
    }
    if (options.anonymization) {
        OptionsTable table = anonymization_table(anonymized_elements(templates(), *options.anonymization));
        if (!table.rows.empty()) announced.more.push_back(std::move(table));
    }
    return announced;
}

// Both halves of a flow go into one message, so that it is out or not out.
std::size_t IpfixFormat::record_limit(std::size_t max_message) const noexcept {
    return (max_message - kMessageHeader - kSetHeader) / (biflow_ ? 1 : 2);
}

const IpfixFormat::Kind& IpfixFormat::kind_of(const FlowRecord& record, bool biflow) const {
    const std::size_t uniflows = kinds_.size() - 2;
    return kinds_[(biflow ? 0 : uniflows) + (record.source_address.version == 6 ? 1 : 0)];
}

MessageFormat::Added IpfixFormat::add(const FlowRecord& record, MessageQueue& queue) {
    const bool two_way = record.reverse.packets > 0;
    const Kind& kind = kind_of(record, biflow_ && two_way);
    std::optional<ReversedFlow> back;  // the other half, when each has a record of its own
    if (two_way && !biflow_) back.emplace(record);
    const std::size_t limit = record_limit(queue.max_message());
    const auto there = kind.encoder.measure(record, limit, texts_[0]);
    const auto other = back ? kind.encoder.measure(back->record, limit, texts_[1]) : RecordEncoder::Measured{};
    const std::size_t length = there.length + other.length;
    if (kMessageHeader + kSetHeader + length > queue.max_message()) return Added::kTooLong;
    if (!queue.has_room(kind.template_id, length)) return Added::kNoRoom;
    append(kind, record, texts_[0], there.length, queue);
    if (back) append(kind, back->record, texts_[1], other.length, queue);
    if (there.cut() || other.cut())
        note_cut(there.strings_cut || other.strings_cut, there.lists_cut || other.lists_cut);
    return Added::kTaken;
}

void IpfixFormat::note_cut(bool strings, bool lists) {
    if (strings) ++shortened_.strings;
    if (lists) ++shortened_.lists;
    const auto held = (lists ? lists_log_ : strings_log_).admit();
    if (held < 0) return;
    if (lists)
        logger_.warning("lists cut to fit a message: send fewer fields, lower splt_analysis or raise mtu",
                        {{"name", name_}, {"suppressed", held}});
    else
        logger_.info("strings cut to fit a message", {{"name", name_}, {"suppressed", held}});
}

void IpfixFormat::append(const Kind& kind, const FlowRecord& record, const RecordTexts& texts, std::size_t length,
                         MessageQueue& queue) {
    std::uint8_t* place = queue.add_data_record(kind.template_id, length);
    [[maybe_unused]] const std::uint8_t* end = kind.encoder.write(record, texts, place);
    assert(end == place + length);
}

Status IpfixFormat::append_templates(MessageQueue& queue) const {
    const auto messages = template_messages(domain_, static_cast<std::uint16_t>(queue.max_message()), templates());
    if (!messages) return messages.error();
    for (const auto& message : messages.value()) queue.append(message, {});
    return ok();
}

Status IpfixFormat::announce(MessageQueue& queue, SessionTemplates& known) {
    announcer_->add_types(queue, known);  // RFC 5610: before what uses them
    if (Status status = append_templates(queue); !status) return status;
    announcer_->add_short(queue, known);
    return ok();
}

void IpfixFormat::repeat_templates(MessageQueue& queue, const SessionTemplates& known) {
    static_cast<void>(append_templates(queue));  // they fitted a moment ago
    announcer_->repeat_templates(queue, known);
}

void IpfixFormat::stamp(std::span<std::uint8_t> message, const MessageCounts&,
                        std::chrono::system_clock::time_point now, std::uint32_t sequence) const noexcept {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    store_big_endian(static_cast<std::uint32_t>(seconds), message.data() + kExportTimeAt);
    store_big_endian(sequence, message.data() + kSequenceAt);
}

}  // namespace nfstreamd::exporters::ipfix
