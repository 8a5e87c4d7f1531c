// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/ipfix_exporter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "exporters/ipfix/fixbuf_model.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

using namespace std::chrono_literals;

constexpr auto kCallLimit = 4s;            // of one call, by the contract of Exporter
constexpr auto kCloseLimit = 1s;           // of the last try: who stalls has had its time
constexpr auto kRefreshAfterRefusal = 1s;  // a collector that came back soon has the templates

}  // namespace

IpfixExporter::IpfixExporter(const IpfixOptions& options, std::string name, std::unique_ptr<MessageTransport> transport,
                             Logger& logger, IpfixClock clock)
    : name_(std::move(name)),
      transport_(std::move(transport)),
      logger_(logger),
      clock_(std::move(clock)),
      biflow_(options.biflow),
      max_message_(options.max_message),
      send_octets_(options.send_octets),
      template_refresh_(options.template_refresh),
      domain_(options.observation_domain),
      sampling_elements_(options.sampling_elements),
      selectors_(options.selectors),
      data_(options.observation_domain, options.max_message),
      session_(options.observation_domain, options.max_message) {}

Result<std::unique_ptr<IpfixExporter>> IpfixExporter::make(const IpfixOptions& options, std::string name,
                                                           std::unique_ptr<MessageTransport> transport, Logger& logger,
                                                           IpfixClock clock) {
    std::unique_ptr<IpfixExporter> made(
        new IpfixExporter(options, std::move(name), std::move(transport), logger, std::move(clock)));
    if (Status status = made->plan(options); !status) return status.error();
    return made;
}

Status IpfixExporter::plan(const IpfixOptions& options) {
    struct Row {
        TemplateId id;
        int ip_version;
        bool biflow;
    };
    constexpr Row kRows[] = {
        {kBiflowV4, 4, true}, {kBiflowV6, 6, true}, {kUniflowV4, 4, false}, {kUniflowV6, 6, false}};
    for (const Row& row : kRows) {
        if (row.biflow && !biflow_) continue;
        RecordLayout layout(options.fields, row.ip_version, row.biflow, options.groups,
                            options.private_enterprise_number);
        if (layout.fields().empty())
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("fields: none of them is carried by IPFIX for IPv{}", row.ip_version), ""};
        RecordEncoder encoder(layout);
        kinds_.push_back({row.id, std::move(layout), std::move(encoder)});
    }
    return plan_templates();
}

Status IpfixExporter::plan_templates() {
    // Both halves of a flow go into one message, so that it is out or not out.
    record_limit_ = (max_message_ - kMessageHeader - kSetHeader) / (biflow_ ? 1 : 2);
    std::vector<SessionTemplate> templates;
    for (const Kind& kind : kinds_) {
        if (kind.layout.minimum_wire_length() > record_limit_)
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("a record of {} octets or more does not fit a message of {}; send fewer fields "
                                     "or raise mtu",
                                     kind.layout.minimum_wire_length(), max_message_),
                         ""};
        templates.push_back({kind.template_id, &kind.layout});
    }
    auto messages = template_messages(domain_, static_cast<std::uint16_t>(max_message_), templates);
    if (!messages) return messages.error();
    template_messages_ = std::move(messages.value());
    return ok();
}

const IpfixExporter::Kind& IpfixExporter::kind_of(const FlowRecord& record, bool biflow) const {
    // in the order of plan(): biflows first, IPv4 first
    const std::size_t uniflows = kinds_.size() - 2;
    return kinds_[(biflow ? 0 : uniflows) + (record.source_address.version == 6 ? 1 : 0)];
}

Status IpfixExporter::open() {
    deadline_ = std::chrono::steady_clock::now() + kCallLimit;
    open_ = false;
    counters_.up.set(0);
    if (Status status = transport_->open(deadline_); !status) return fail(status.error());
    open_ = true;
    counters_.connects.add();
    counters_.up.set(1);
    sequence_ = 0;
    messages_sent_ = 0;
    data_begun_ = session_begun_ = false;
    session_.clear();
    queue_templates();
    const Status status = send_pending();
    if (!status && status.error().code != ErrorCode::kBusy) return status;
    return ok();
}

Status IpfixExporter::write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) {
    deadline_ = std::chrono::steady_clock::now() + kCallLimit;
    consumed = from;
    refresh_templates();
    if (!open_ || !session_.empty() || data_is_full())
        if (Status status = send_pending(); !status) return status;
    for (; consumed < batch.records.size(); ++consumed)
        if (Status status = take(batch.records[consumed]); !status) return status;
    return ok();
}

// Error: the record was not taken.
Status IpfixExporter::take(const FlowRecord& record) {
    const bool two_way = record.reverse.packets > 0;
    const Kind& kind = kind_of(record, biflow_ && two_way);
    std::optional<ReversedFlow> back;  // the other half, when each has a record of its own
    if (two_way && !biflow_) back.emplace(record);
    const std::size_t length = measure(kind, record, texts_[0]);
    const std::size_t back_length = back ? measure(kind, back->record, texts_[1]) : 0;
    if (kMessageHeader + kSetHeader + length + back_length > max_message_) {
        counters_.dropped_oversize.add();
        return ok();
    }
    if (!data_.has_room(kind.template_id, length + back_length)) {
        data_.end_message();
        if (data_is_full())
            if (Status status = send_pending(); !status) return status;
    }
    append(kind, record, texts_[0], length);
    if (back) append(kind, back->record, texts_[1], back_length);
    data_.count_record();
    return ok();
}

std::size_t IpfixExporter::measure(const Kind& kind, const FlowRecord& record, RecordTexts& texts) {
    const auto measured = kind.encoder.measure(record, record_limit_, texts);
    if (measured.cut()) note_cut(measured);
    return measured.length;
}

void IpfixExporter::note_cut(const RecordEncoder::Measured& measured) {
    if (measured.strings_cut) counters_.cut_strings.add();
    if (measured.lists_cut) counters_.cut_lists.add();
    RateLimit& limit = measured.lists_cut ? lists_log_ : cut_log_;
    const auto held = limit.admit();
    if (held < 0) return;
    if (measured.lists_cut)
        logger_.warning("lists cut to fit a message: send fewer fields, lower splt_analysis or raise mtu",
                        {{"name", name_}, {"octets", max_message_}, {"suppressed", held}});
    else
        logger_.info("strings cut to fit a message", {{"name", name_}, {"suppressed", held}});
}

void IpfixExporter::append(const Kind& kind, const FlowRecord& record, const RecordTexts& texts, std::size_t length) {
    std::uint8_t* place = data_.add_data_record(kind.template_id, length);
    [[maybe_unused]] const std::uint8_t* end = kind.encoder.write(record, texts, place);
    assert(end == place + length);
}

Status IpfixExporter::pause() {
    deadline_ = std::chrono::steady_clock::now() + kCallLimit;
    return data_.empty() ? ok() : send_pending();
}

Status IpfixExporter::flush() {
    return flush_within(kCallLimit);
}

Status IpfixExporter::flush_within(std::chrono::milliseconds limit) {
    deadline_ = std::chrono::steady_clock::now() + limit;
    if (!open_) return Error{ErrorCode::kUnavailable, description() + " is not open", ""};
    data_.end_message();
    if (Status status = send_pending(); !status) return status;
    const Status status = transport_->check();
    refused(transport_->take_refused());
    return status ? ok() : fail(status.error());
}

// Whatever has not left by now is given up.
void IpfixExporter::close() noexcept {
    if (open_) static_cast<void>(flush_within(kCloseLimit));
    data_.end_message();
    for (const MessageQueue::Message& message : data_.messages()) counters_.dropped_failed.add(message.records);
    data_.clear();
    session_.clear();
    transport_->close();
    open_ = false;
    counters_.up.set(0);
}

void IpfixExporter::queue_templates() {
    for (const auto& message : template_messages_) session_.append(message, 0);
    announce_selectors();
    templates_sent_ = clock_.steady();
    refused_since_templates_ = false;
}

// What is to be told of packet selection.
void IpfixExporter::announce_selectors() {
    if (!selectors_) return;
    selectors_version_ = selectors_->version();
    for (const auto& message : selector_options(selectors_->all(), sampling_elements_, domain_, max_message_))
        session_.append(message.bytes, message.data_records);
}

void IpfixExporter::refresh_templates() {
    if (!open_) return;
    if (selectors_ && selectors_->version() != selectors_version_) announce_selectors();
    if (!transport_->is_datagram()) return;
    const auto age = clock_.steady() - templates_sent_;
    if (age >= template_refresh_ || (refused_since_templates_ && age >= kRefreshAfterRefusal)) queue_templates();
}

// Templates and options go before all data, but not into the middle of a message
// of which a part is out.
Status IpfixExporter::send_pending() {
    if (!open_) return Error{ErrorCode::kUnavailable, description() + " is not open", ""};
    refresh_templates();
    if (data_begun_)
        if (Status status = send_from(data_, data_begun_, 1); !status) return status;
    if (Status status = send_from(session_, session_begun_, SIZE_MAX); !status) return status;
    return send_from(data_, data_begun_, SIZE_MAX);
}

// At most so many messages. `begun`: a part of the first one may be out.
Status IpfixExporter::send_from(MessageQueue& queue, bool& begun, std::size_t most) {
    while (!queue.empty() && most > 0) {
        stamp(queue, begun);
        const auto ends = queue.ends().first(std::min(most, queue.ends().size()));
        std::size_t out = 0;
        const Status status = transport_->send(queue.bytes().first(ends.back()), ends, out, deadline_);
        begun = begun && out == 0;
        sent(queue, out);
        refused(transport_->take_refused());
        queue.remove_first(out);
        most -= out;
        if (status) continue;
        if (status.error().code == ErrorCode::kInvalidArgument) {
            give_up(queue, status.error());
            --most;
        } else if (status.error().code == ErrorCode::kBusy) {
            begun = !transport_->is_datagram();  // of a datagram nothing is out
            return status;
        } else {
            return fail(status.error());
        }
    }
    return ok();
}

// Export time and sequence number belong to the moment and the session in which
// a message leaves (RFC 7011, 3.1).
void IpfixExporter::stamp(MessageQueue& queue, bool begun) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
    queue.stamp(begun ? 1 : 0, static_cast<std::uint32_t>(seconds), sequence_);
}

void IpfixExporter::sent(const MessageQueue& queue, std::size_t count) {
    std::size_t octets = 0;
    for (const MessageQueue::Message& message : queue.messages().first(count)) {
        sequence_ += message.data_records;
        records_sent_[messages_sent_++ % records_sent_.size()] = message.records;
        counters_.records.add(message.records);
        counters_.data_records.add(message.data_records);
        if (message.data_records == 0) counters_.templates.add();
    }
    if (count > 0) octets = queue.ends()[count - 1];
    counters_.messages.add(count);
    counters_.octets.add(octets);
}

// Those messages reached the collector's host, or one before it, and nobody there.
void IpfixExporter::refused(const std::vector<std::uint64_t>& numbers) {
    if (numbers.empty()) return;
    refused_since_templates_ = true;
    counters_.failures.add();
    for (const std::uint64_t number : numbers) {
        const std::uint64_t records = std::exchange(records_sent_[number % records_sent_.size()], 0);
        counters_.records.set(counters_.records.get() - records);
        counters_.dropped_unreachable.add(records);
    }
    if (const auto held = drop_log_.admit(); held >= 0)
        logger_.warning("collector refuses datagrams",
                        {{"name", name_}, {"destination", description()}, {"suppressed", held}});
}

// Its records leave a gap in the sequence numbers, so that the collector knows.
void IpfixExporter::give_up(MessageQueue& queue, const Error& error) {
    counters_.failures.add();
    counters_.dropped_oversize.add(queue.messages().front().records);
    sequence_ += queue.messages().front().data_records;
    queue.remove_first(1);
    if (const auto held = drop_log_.admit(); held >= 0)
        logger_.warning("message dropped", {{"name", name_}, {"error", error.text()}, {"suppressed", held}});
}

Status IpfixExporter::fail(Error error) {
    counters_.failures.add();
    counters_.up.set(0);
    open_ = false;
    transport_->close();
    return error;
}

}  // namespace nfstreamd::exporters::ipfix
