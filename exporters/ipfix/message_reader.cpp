// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/message_reader.hpp"

#include <fmt/format.h>

#include <utility>

#include "exporters/ipfix/byte_reader.hpp"
#include "exporters/netflow/netflow5_reader.hpp"
#include "exporters/netflow/netflow9_reader.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

constexpr std::uint16_t kVersion = 10, kNetflow9 = 9, kNetflow5 = 5;
constexpr std::uint16_t kTemplateSet = 2, kOptionsTemplateSet = 3, kFirstDataSet = 256;
constexpr std::size_t kHeader = 16;

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

// RFC 7011, 8.1. Over UDP the RFC has no withdrawals (8.4); collectors obey them all the same, and what follows is lost
// there, so that it is shown as lost here.
void withdraw(ReaderContext& context, const MessageHeader& header, ReaderSession& session, std::uint16_t set_id,
              std::uint16_t id) {
    if (header.is_datagram) ++context.counters.udp_withdrawals;
    if (id == set_id)
        context.sessions.forget_all(session, set_id == kOptionsTemplateSet);
    else
        context.sessions.forget(session, id);
    if (context.observer != nullptr) context.observer->on_withdrawal(header, id);
}

// One template record (RFC 7011, 3.4.1 and 3.4.2.2), or a withdrawal.
TemplateOutcome read_template(ReaderContext& context, const MessageHeader& header, ReaderSession& session,
                              ByteReader& set, std::uint16_t set_id) {
    const bool options = set_id == kOptionsTemplateSet;
    const std::uint16_t id = set.u16(), count = set.u16();
    if (set.failed()) return TemplateOutcome::kTruncated;
    if (count == 0) {
        if (id != 0) withdraw(context, header, session, set_id, id);  // else padding
        return TemplateOutcome::kWithdrawn;
    }
    const std::uint16_t scopes = options ? set.u16() : 0;
    if (id < kFirstDataSet || (options && (scopes == 0 || scopes > count))) return TemplateOutcome::kBadId;
    if (count > ReaderContext::kMostFieldsInTemplate) return TemplateOutcome::kTooMany;
    std::vector<ReadElement> elements(count);
    bool has_empty = false;
    for (std::uint16_t i = 0; i < count; ++i) {
        ReadElement& element = elements[i];
        element.is_scope = i < scopes;
        element.id = set.u16();
        element.length = set.u16();
        if ((element.id & 0x8000) != 0) {
            element.id &= 0x7fff;
            element.pen = set.u32();
        }
        if (set.failed()) return TemplateOutcome::kTruncated;
        has_empty = has_empty || element.length == 0;
    }
    if (has_empty) {
        context.sessions.forget(session, id);
        return TemplateOutcome::kEmptyField;
    }
    return context.learn(header, session, id, elements, options) ? TemplateOutcome::kLearnt : TemplateOutcome::kTooMany;
}

void read_template_set(ReaderContext& context, const MessageHeader& header, ReaderSession& session,
                       std::span<const std::uint8_t> body, std::uint16_t set_id) {
    ByteReader set(body);
    while (set.remaining() >= 4) {
        const auto outcome = read_template(context, header, session, set, set_id);
        if (outcome == TemplateOutcome::kLearnt || outcome == TemplateOutcome::kWithdrawn) continue;
        context.malformed(text(outcome), header.source);
        if (outcome != TemplateOutcome::kEmptyField) break;
    }
}

// Records of all Sets; the sequence number of the next message is known when none was skipped.
ReaderContext::SetOutcome read_sets(ReaderContext& context, const MessageHeader& header, ReaderSession& session,
                                    std::span<const std::uint8_t> sets) {
    ReaderContext::SetOutcome all;
    ByteReader rest(sets);
    while (rest.remaining() > 0) {
        const std::uint16_t id = rest.u16(), length = rest.u16();
        const auto body = rest.take(length < 4 ? SIZE_MAX : length - 4u);
        if (rest.failed()) {
            context.malformed("a Set that passes the end of its message", header.source);
            all.all_counted = false;
            return all;
        }
        if (id == kTemplateSet || id == kOptionsTemplateSet) {
            read_template_set(context, header, session, body, id);
        } else if (id >= kFirstDataSet) {
            const auto outcome = context.read_data_set(header, session, id, body);
            all.records += outcome.records;
            all.all_counted = all.all_counted && outcome.all_counted;
        } else {
            context.malformed(fmt::format("a Set with the reserved id {}", id), header.source);
        }
    }
    return all;
}

}  // namespace

struct MessageReader::Stream {
    std::vector<std::uint8_t> rest;  // less than one message
    bool broken = false;
};

MessageReader::MessageReader(LineSink sink, std::uint32_t private_enterprise_number, ReaderObserver* observer) {
    context_.sink = std::move(sink);
    context_.private_enterprise_number = private_enterprise_number;
    context_.observer = observer;
}
MessageReader::~MessageReader() = default;

void MessageReader::feed_datagram(std::span<const std::uint8_t> datagram, std::string_view source) {
    ByteReader header(datagram);
    const std::uint16_t version = header.u16(), length = header.u16();
    if (!header.failed() && version == kNetflow9) return netflow::read_netflow9(context_, datagram, source);
    if (!header.failed() && version == kNetflow5) return netflow::read_netflow5(context_, datagram, source);
    if (header.failed() || version != kVersion)
        context_.malformed(fmt::format("a datagram of version {}", version), source);
    else if (length != datagram.size() || length < kHeader)
        context_.malformed(fmt::format("a message length of {} in a datagram of {}", length, datagram.size()), source);
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
        if (version != kVersion || length < kHeader) {
            const bool netflow = done == 0 && (version == kNetflow9 || version == kNetflow5);
            context_.malformed(
                netflow ? fmt::format("NetFlow v{} says nothing of where a packet ends: it is read from UDP "
                                      "(--listen udp://...), not from a stream or a file",
                                      version)
                        : fmt::format("version {} and length {} where a message should begin", version, length),
                source);
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
        if (!found->second->rest.empty()) context_.malformed("the stream ends inside a message", source);
        streams_.erase(found);
    }
    context_.sessions.end(source);
}

void MessageReader::read_message(std::span<const std::uint8_t> message, std::string_view source, bool datagram) {
    ++context_.counters.messages;
    context_.counters.octets += message.size();
    ByteReader bytes(message);
    bytes.take(4);  // version, length
    MessageHeader header{kVersion, datagram, source, 0, 0, 0};
    header.export_time = bytes.u32();
    header.sequence = bytes.u32();
    header.domain = bytes.u32();
    ReaderSession& session = context_.sessions.of(source, kVersion, header.domain);
    context_.counters.lost_records += context_.missing_before(session, header.sequence);
    if (context_.observer != nullptr) context_.observer->on_message(header);
    const auto outcome = read_sets(context_, header, session, message.subspan(kHeader));
    session.expected = header.sequence + outcome.records;
    session.sequence_known = outcome.all_counted;
}

}  // namespace nfstreamd::exporters::ipfix
