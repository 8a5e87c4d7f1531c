// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/reader_context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace nfstreamd::exporters::ipfix {
namespace {

// Elements of RFC 5610's type records.
constexpr std::uint16_t kInformationElementId = 303, kDataType = 339, kName = 341, kPrivateEnterpriseNumber = 346;

std::optional<std::uint64_t> number(std::span<const std::uint8_t> octets) {
    if (octets.empty() || octets.size() > 8) return std::nullopt;
    return ByteReader(octets).number(octets.size());
}

}  // namespace

bool ReaderContext::read_record(const MessageHeader& header, ReaderSession& session, std::uint16_t id,
                                const ReadTemplate& tmpl, ByteReader& bytes, const UptimeClock* clock) {
    ByteReader again = bytes;
    line_.clear();
    if (!append_json_record(line_, bytes, tmpl, session.templates, clock)) return false;
    ++counters.records;
    if (tmpl.is_options) ++counters.options_records;
    sink(line_);
    if (observer == nullptr && !tmpl.is_options) return true;
    values_.clear();
    for (const ReadField& field : tmpl.fields) values_.push_back(again.field(field.element.length));
    if (observer != nullptr) observer->on_record(header, id, tmpl, values_);
    if (tmpl.is_options) learn_elements(session, tmpl);
    return true;
}

// What remains at the end and is shorter than any record is padding.
ReaderContext::SetOutcome ReaderContext::read_data_set(const MessageHeader& header, ReaderSession& session,
                                                       std::uint16_t id, std::span<const std::uint8_t> set,
                                                       const UptimeClock* clock) {
    SetOutcome outcome;
    const auto found = session.templates.by_id.find(id);
    if (found == session.templates.by_id.end()) {
        ++counters.sets_without_template;
        if (observer != nullptr) observer->on_unknown_set(header, id);
        outcome.all_counted = false;
        return outcome;
    }
    if (found->second.is_stale) make_again(session, found->second);
    ByteReader bytes(set);
    while (bytes.remaining() >= found->second.minimum_length) {
        if (!read_record(header, session, id, found->second, bytes, clock)) {
            malformed("a data record that passes the end of its Set", header.source);
            outcome.all_counted = false;
            return outcome;
        }
        ++outcome.records;
    }
    if (observer != nullptr && bytes.remaining() > 0) observer->on_padding(header, id, bytes.remaining());
    return outcome;
}

bool ReaderContext::learn(const MessageHeader& header, ReaderSession& session, std::uint16_t id,
                          std::span<const ReadElement> elements, bool options) {
    ReadTemplate made = make_read_template(elements, options, private_enterprise_number, session.templates.learnt);
    if (!sessions.learn(session, id, std::move(made))) return false;
    ++counters.templates;
    if (observer != nullptr) observer->on_template(header, id, session.templates.by_id.at(id));
    return true;
}

// A name for elements that had none holds for templates that came before it, too.
void ReaderContext::learn_elements(ReaderSession& session, const ReadTemplate& tmpl) {
    std::optional<std::uint64_t> pen, id, type;
    std::string_view name;
    for (std::size_t i = 0; i < tmpl.fields.size(); ++i) {
        const ReadElement& element = tmpl.fields[i].element;
        if (element.pen != 0 || element.v9_type != 0) continue;
        if (element.id == kPrivateEnterpriseNumber) pen = number(values_[i]);
        if (element.id == kInformationElementId) id = number(values_[i]);
        if (element.id == kDataType) type = number(values_[i]);
        if (element.id == kName) name = {reinterpret_cast<const char*>(values_[i].data()), values_[i].size()};
    }
    if (!pen || !id || !type || *pen > UINT32_MAX || *id > UINT16_MAX) return;
    if (!session.templates.learnt.learn(static_cast<std::uint32_t>(*pen), static_cast<std::uint16_t>(*id), *type, name))
        return;
    for (auto& [known_id, known] : session.templates.by_id) known.is_stale = known.is_stale || known.has_unknown;
}

// Not when it is learnt: thousands of names may come before the next record of any template.
void ReaderContext::make_again(const ReaderSession& session, ReadTemplate& tmpl) const {
    std::vector<ReadElement> elements;
    for (const ReadField& field : tmpl.fields) elements.push_back(field.element);
    tmpl = make_read_template(elements, tmpl.is_options, private_enterprise_number, session.templates.learnt);
}

std::uint32_t ReaderContext::missing_before(ReaderSession& session, std::uint32_t sequence) {
    if (!session.sequence_known || session.expected == sequence) return 0;
    ++counters.sequence_gaps;
    const std::uint32_t missing = sequence - session.expected;
    return missing < 0x80000000U ? missing : 0;  // else an old or a repeated message
}

void ReaderContext::malformed(std::string_view what, std::string_view source) {
    ++counters.malformed;
    counters.last_malformed = source.empty() ? std::string(what) : fmt::format("{}: {}", source, what);
}

}  // namespace nfstreamd::exporters::ipfix
