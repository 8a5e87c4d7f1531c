// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/message_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "exporters/ipfix/byte_reader.hpp"
#include "exporters/ipfix/json_record.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

constexpr std::uint16_t kVersion = 10, kTemplateSet = 2, kOptionsTemplateSet = 3, kFirstDataSet = 256;

// Bounds for what strangers can make the reader keep.
constexpr std::size_t kMostSessions = 1024;
constexpr std::size_t kMostFields = 500'000;
constexpr std::size_t kMostFieldsInTemplate = 4096;

enum class TemplateOutcome { kLearnt, kWithdrawn, kTruncated, kBadId, kEmptyField, kTooMany };

std::string_view text(TemplateOutcome outcome) {
    switch (outcome) {
        case TemplateOutcome::kTruncated:
            return "a template that ends too early";
        case TemplateOutcome::kBadId:
            return "a template with a reserved id or a wrong scope";
        case TemplateOutcome::kEmptyField:
            return "a template with a field of no length";
        case TemplateOutcome::kTooMany:
            return "more templates than there is room for";
        case TemplateOutcome::kLearnt:
        case TemplateOutcome::kWithdrawn:
            break;
    }
    return "";
}

}  // namespace

struct MessageReader::Session {
    ReadTemplates templates;
    std::uint32_t expected = 0;
    bool sequence_known = false;
    std::uint64_t last_used = 0;

    std::uint32_t records_in_message = 0;
    bool all_counted = true;  // no Set of the message was skipped

    std::size_t forget(std::uint16_t id) {
        const auto found = templates.find(id);
        if (found == templates.end()) return 0;
        const std::size_t fields = found->second.fields.size();
        templates.erase(found);
        return fields;
    }

    std::size_t forget_all(bool options) {
        std::size_t fields = 0;
        std::erase_if(templates, [&](const auto& entry) {
            if (entry.second.is_options != options) return false;
            fields += entry.second.fields.size();
            return true;
        });
        return fields;
    }

    TemplateOutcome learn(ByteReader& set, bool options, bool datagram, std::uint32_t pen, std::size_t& total);
};

struct MessageReader::Stream {
    std::vector<std::uint8_t> rest;  // less than one message
    bool broken = false;
};

// One template record (RFC 7011, 3.4.1 and 3.4.2.2), or a withdrawal (8.1).
TemplateOutcome MessageReader::Session::learn(ByteReader& set, bool options, bool datagram, std::uint32_t pen,
                                              std::size_t& total) {
    const std::uint16_t id = set.u16(), count = set.u16();
    if (set.failed()) return TemplateOutcome::kTruncated;
    if (count == 0) {  // over UDP there is none, so that nobody can take a template away
        if (!datagram) total -= id == (options ? kOptionsTemplateSet : kTemplateSet) ? forget_all(options) : forget(id);
        return TemplateOutcome::kWithdrawn;
    }
    const std::uint16_t scopes = options ? set.u16() : 0;
    if (id < kFirstDataSet || (options && (scopes == 0 || scopes > count))) return TemplateOutcome::kBadId;
    if (count > kMostFieldsInTemplate) return TemplateOutcome::kTooMany;
    std::vector<ReadElement> elements(count);
    bool has_empty = false;
    for (ReadElement& element : elements) {
        element.id = set.u16();
        element.length = set.u16();
        if ((element.id & 0x8000) != 0) {
            element.id &= 0x7fff;
            element.pen = set.u32();
        }
        if (set.failed()) return TemplateOutcome::kTruncated;
        has_empty = has_empty || element.length == 0;
    }
    total -= forget(id);
    if (has_empty) return TemplateOutcome::kEmptyField;
    if (total + count > kMostFields) return TemplateOutcome::kTooMany;
    templates[id] = make_read_template(elements, options, pen);
    total += count;
    return TemplateOutcome::kLearnt;
}

MessageReader::MessageReader(LineSink sink, std::uint32_t private_enterprise_number)
    : sink_(std::move(sink)), private_enterprise_number_(private_enterprise_number) {}
MessageReader::~MessageReader() = default;

void MessageReader::feed_datagram(std::span<const std::uint8_t> datagram, std::string_view source) {
    ByteReader header(datagram);
    const std::uint16_t version = header.u16(), length = header.u16();
    if (header.failed() || version != kVersion)
        malformed(fmt::format("a datagram of version {}", version), source);
    else if (length != datagram.size() || length < 16)
        malformed(fmt::format("a message length of {} in a datagram of {}", length, datagram.size()), source);
    else
        read_message(datagram, source, true);
}

bool MessageReader::feed_stream(std::span<const std::uint8_t> bytes, std::string_view source) {
    auto found = streams_.find(source);
    if (found == streams_.end()) found = streams_.emplace(source, std::make_unique<Stream>()).first;
    Stream& stream = *found->second;
    if (stream.broken) return false;
    stream.rest.insert(stream.rest.end(), bytes.begin(), bytes.end());
    std::size_t done = 0;
    while (stream.rest.size() - done >= 4) {
        const auto here = std::span(stream.rest).subspan(done);
        ByteReader header(here);
        const std::uint16_t version = header.u16(), length = header.u16();
        if (version != kVersion || length < 16) {
            malformed(fmt::format("version {} and length {} where a message should begin", version, length), source);
            stream.broken = true;
            stream.rest = {};
            return false;
        }
        if (here.size() < length) break;
        read_message(here.first(length), source, false);
        done += length;
    }
    stream.rest.erase(stream.rest.begin(), stream.rest.begin() + static_cast<std::ptrdiff_t>(done));
    return true;
}

void MessageReader::end_stream(std::string_view source) {
    if (const auto found = streams_.find(source); found != streams_.end()) {
        if (!found->second->rest.empty()) malformed("the stream ends inside a message", source);
        streams_.erase(found);
    }
    const std::string prefix = std::string(source) + '\n';
    std::erase_if(sessions_, [&](const auto& entry) {
        if (!entry.first.starts_with(prefix)) return false;
        for (const auto& [id, tmpl] : entry.second->templates) fields_ -= tmpl.fields.size();
        return true;
    });
}

// The session not used for longest leaves when there are too many.
MessageReader::Session& MessageReader::session_of(std::string_view source, std::uint32_t domain) {
    const std::string key = fmt::format("{}\n{}", source, domain);
    auto found = sessions_.find(key);
    if (found == sessions_.end()) {
        if (sessions_.size() >= kMostSessions) {
            const auto oldest = std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
                return a.second->last_used < b.second->last_used;
            });
            for (const auto& [id, tmpl] : oldest->second->templates) fields_ -= tmpl.fields.size();
            sessions_.erase(oldest);
        }
        found = sessions_.emplace(key, std::make_unique<Session>()).first;
    }
    found->second->last_used = ++age_;
    return *found->second;
}

void MessageReader::read_message(std::span<const std::uint8_t> message, std::string_view source, bool datagram) {
    ++counters_.messages;
    counters_.octets += message.size();
    ByteReader header(message);
    header.take(8);  // version, length, export time
    const std::uint32_t sequence = header.u32(), domain = header.u32();
    Session& session = session_of(source, domain);
    check_sequence(session, sequence);
    session.records_in_message = 0;
    session.all_counted = true;
    read_sets(session, message.subspan(16), source, datagram);
    session.expected = sequence + session.records_in_message;
    session.sequence_known = session.all_counted;
}

void MessageReader::check_sequence(Session& session, std::uint32_t sequence) {
    if (!session.sequence_known || session.expected == sequence) return;
    ++counters_.sequence_gaps;
    const std::uint32_t missing = sequence - session.expected;
    if (missing < 0x80000000U) counters_.lost_records += missing;  // else an old or a repeated message
}

void MessageReader::read_sets(Session& session, std::span<const std::uint8_t> sets, std::string_view source,
                              bool datagram) {
    ByteReader rest(sets);
    while (rest.remaining() > 0) {
        const std::uint16_t id = rest.u16(), length = rest.u16();
        const auto body = rest.take(length < 4 ? SIZE_MAX : length - 4u);
        if (rest.failed()) {
            session.all_counted = false;
            return malformed("a Set that passes the end of its message", source);
        }
        if (id == kTemplateSet || id == kOptionsTemplateSet) {
            ByteReader set(body);
            while (set.remaining() >= 4) {
                const auto outcome =
                    session.learn(set, id == kOptionsTemplateSet, datagram, private_enterprise_number_, fields_);
                if (outcome == TemplateOutcome::kLearnt) {
                    ++counters_.templates;
                } else if (outcome != TemplateOutcome::kWithdrawn) {
                    malformed(text(outcome), source);
                    if (outcome != TemplateOutcome::kEmptyField) break;
                }
            }
        } else if (id >= kFirstDataSet) {
            if (!read_data(session, id, body)) malformed("a data record that passes the end of its Set", source);
        } else {
            malformed(fmt::format("a Set with the reserved id {}", id), source);
        }
    }
}

// What remains at the end and is shorter than any record is padding.
bool MessageReader::read_data(Session& session, std::uint16_t id, std::span<const std::uint8_t> set) {
    const auto found = session.templates.find(id);
    if (found == session.templates.end()) {
        ++counters_.sets_without_template;
        session.all_counted = false;
        return true;
    }
    const ReadTemplate& tmpl = found->second;
    ByteReader bytes(set);
    while (bytes.remaining() >= tmpl.minimum_length) {
        line_.clear();
        if (!append_json_record(line_, bytes, tmpl, session.templates)) {
            session.all_counted = false;
            return false;
        }
        ++session.records_in_message;
        ++counters_.records;
        if (tmpl.is_options) ++counters_.options_records;
        sink_(line_);
    }
    return true;
}

void MessageReader::malformed(std::string_view what, std::string_view source) {
    ++counters_.malformed;
    counters_.last_malformed = source.empty() ? std::string(what) : fmt::format("{}: {}", source, what);
}

}  // namespace nfstreamd::exporters::ipfix
