// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/ipfix_exporter.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nfstreamd::exporters::ipfix {
namespace {

using namespace std::chrono_literals;

constexpr auto kCallLimit = 4s;            // of one call, by the contract of Exporter
constexpr auto kCloseLimit = 1s;           // of the last try: who stalls has had its time
constexpr auto kRefreshAfterRefusal = 1s;  // a collector that came back soon has the templates

void put_u32(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i)
        bytes[at + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

}  // namespace

IpfixExporter::IpfixExporter(const IpfixOptions& options, std::string name, std::unique_ptr<MessageTransport> transport,
                             Logger& logger, IpfixClock clock)
    : name_(std::move(name)),
      transport_(std::move(transport)),
      logger_(logger),
      clock_(std::move(clock)),
      biflow_(options.biflow),
      max_message_(options.max_message),
      template_refresh_(options.template_refresh),
      domain_(options.observation_domain),
      sampling_elements_(options.sampling_elements),
      selectors_(options.selectors) {}

Result<std::unique_ptr<IpfixExporter>> IpfixExporter::make(const IpfixOptions& options, std::string name,
                                                           std::unique_ptr<MessageTransport> transport, Logger& logger,
                                                           IpfixClock clock) {
    std::unique_ptr<IpfixExporter> made(
        new IpfixExporter(options, std::move(name), std::move(transport), logger, std::move(clock)));
    if (Status status = made->plan(options); !status) return status.error();
    return made;
}

Status IpfixExporter::plan(const IpfixOptions& options) {
    struct Kind {
        TemplateId id;
        int ip_version;
        bool biflow;
    };
    constexpr Kind kKinds[] = {
        {kBiflowV4, 4, true}, {kBiflowV6, 6, true}, {kUniflowV4, 4, false}, {kUniflowV6, 6, false}};
    for (const Kind& kind : kKinds) {
        if (kind.biflow && !biflow_) continue;
        layouts_.emplace_back(options.fields, kind.ip_version, kind.biflow, options.groups,
                              options.private_enterprise_number);
        template_ids_.push_back(kind.id);
        if (layouts_.back().fields().empty())
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("fields: none of them is carried by IPFIX for IPv{}", kind.ip_version), ""};
    }
    // Both halves of a flow go into one message, so that it is out or not out.
    record_limit_ = (max_message_ - kMessageHeader - kSetHeader) / (biflow_ ? 1 : 2);
    std::vector<SessionTemplate> templates;
    for (std::size_t i = 0; i < layouts_.size(); ++i) {
        if (layouts_[i].minimum_wire_length() > record_limit_)
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("a record of {} octets or more does not fit a message of {}; send fewer fields "
                                     "or raise mtu",
                                     layouts_[i].minimum_wire_length(), max_message_),
                         ""};
        templates.push_back({template_ids_[i], &layouts_[i]});
    }
    auto session = FixbufSession::make(options.observation_domain, static_cast<std::uint16_t>(max_message_), templates);
    if (!session) return session.error();
    session_ = std::move(session.value());
    return ok();
}

std::size_t IpfixExporter::layout_of(const FlowRecord& record, bool biflow) const {
    const bool v6 = record.source_address.version == 6;
    const std::uint16_t id = biflow ? (v6 ? kBiflowV6 : kBiflowV4) : (v6 ? kUniflowV6 : kUniflowV4);
    return static_cast<std::size_t>(std::find(template_ids_.begin(), template_ids_.end(), id) - template_ids_.begin());
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
    last_sent_records_ = 0;
    for (Message& message : pending_) message.stamped = false;
    std::erase_if(pending_, [](const Message& message) { return message.of_session; });
    queue_templates();
    const Status status = send_pending();
    if (!status && status.error().code != ErrorCode::kBusy) return status;
    return ok();
}

Status IpfixExporter::write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) {
    deadline_ = std::chrono::steady_clock::now() + kCallLimit;
    for (consumed = from; consumed < batch.records.size(); ++consumed) {
        if (Status status = send_pending(); !status) return status;
        if (Status status = take(batch.records[consumed]); !status) return status;
    }
    return ok();
}

// Error: the record was not taken.
Status IpfixExporter::take(const FlowRecord& record) {
    const bool two_way = record.reverse.packets > 0;
    Part parts[2];
    std::size_t count = 0;
    parts[count++] = fill(record, biflow_ && two_way, packed_[0]);
    if (!biflow_ && two_way) parts[count++] = fill(ReversedFlow(record).record, false, packed_[1]);
    std::size_t needed = parts[0].wire_length + (count == 2 ? parts[1].wire_length : 0);
    if (kMessageHeader + kSetHeader + needed > max_message_) {
        counters_.dropped_oversize.add();
        return ok();
    }
    if (layout_in_set_ != parts[0].layout) needed += kSetHeader;
    if (length_ + needed > max_message_) {
        end_message();
        if (Status status = send_pending(); !status) return status;
    }
    return append({parts, count});
}

IpfixExporter::Part IpfixExporter::fill(const FlowRecord& record, bool biflow, std::vector<std::uint8_t>& packed) {
    const std::size_t index = layout_of(record, biflow);
    packed.resize(layouts_[index].record_size());
    const auto filled = layouts_[index].fill(record, packed.data(), record_limit_);
    if (filled.cut)
        if (const auto held = cut_log_.admit(); held >= 0)
            logger_.info("strings cut to fit a message", {{"name", name_}, {"suppressed", held}});
    return {index, filled.wire_length};
}

Status IpfixExporter::append(std::span<const Part> parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (Status status = session_->append(parts[i].layout, packed_[i].data(), packed_[i].size()); !status) {
            counters_.failures.add();
            counters_.dropped_failed.add();
            if (const auto held = drop_log_.admit(); held >= 0)
                logger_.warning("record not encoded",
                                {{"name", name_}, {"error", status.error().text()}, {"suppressed", held}});
            end_message();
            return ok();
        }
        if (layout_in_set_ != parts[i].layout) length_ += kSetHeader;
        layout_in_set_ = parts[i].layout;
        length_ += parts[i].wire_length;
        ++data_records_in_message_;
    }
    ++records_in_message_;
    return ok();
}

void IpfixExporter::end_message() {
    const auto bytes = session_->emit();
    if (!bytes.empty())
        pending_.push_back({{bytes.begin(), bytes.end()}, records_in_message_, data_records_in_message_, false, false});
    else
        counters_.dropped_failed.add(records_in_message_);
    length_ = kMessageHeader;
    layout_in_set_ = SIZE_MAX;
    records_in_message_ = data_records_in_message_ = 0;
}

Status IpfixExporter::flush() {
    return flush_within(kCallLimit);
}

Status IpfixExporter::flush_within(std::chrono::milliseconds limit) {
    deadline_ = std::chrono::steady_clock::now() + limit;
    if (!open_) return Error{ErrorCode::kUnavailable, description() + " is not open", ""};
    if (data_records_in_message_ > 0) end_message();
    if (Status status = send_pending(); !status) return status;
    const Status status = transport_->check();
    if (transport_->take_refused()) refused();
    return status ? ok() : fail(status.error());
}

// Whatever has not left by now is given up.
void IpfixExporter::close() noexcept {
    if (open_) static_cast<void>(flush_within(kCloseLimit));
    if (data_records_in_message_ > 0) end_message();
    for (const Message& message : pending_) counters_.dropped_failed.add(message.records);
    pending_.clear();
    transport_->close();
    open_ = false;
    counters_.up.set(0);
}

void IpfixExporter::queue_templates() {
    const auto& templates = session_->template_messages();
    for (std::size_t i = templates.size(); i > 0; --i) pending_.push_front({templates[i - 1], 0, 0, false, true});
    announce_selectors(templates.size());
    templates_sent_ = clock_.steady();
    refused_since_templates_ = false;
}

// Puts what is to be told of packet selection before the pending message `at`.
void IpfixExporter::announce_selectors(std::size_t at) {
    if (!selectors_) return;
    selectors_version_ = selectors_->version();
    auto place = pending_.begin() + static_cast<std::ptrdiff_t>(at);
    for (auto& message : selector_options(selectors_->all(), sampling_elements_, domain_, max_message_))
        place =
            std::next(pending_.insert(place, Message{std::move(message.bytes), 0, message.data_records, false, true}));
}

void IpfixExporter::refresh_templates() {
    // not into the middle of a message of which a part is out
    if (selectors_ && selectors_->version() != selectors_version_)
        announce_selectors(!pending_.empty() && pending_.front().stamped ? 1 : 0);
    if (!transport_->is_datagram()) return;
    const auto age = clock_.steady() - templates_sent_;
    if (age >= template_refresh_ || (refused_since_templates_ && age >= kRefreshAfterRefusal)) queue_templates();
}

Status IpfixExporter::send_pending() {
    if (!open_) return Error{ErrorCode::kUnavailable, description() + " is not open", ""};
    refresh_templates();
    while (!pending_.empty()) {
        Message& message = pending_.front();
        stamp(message);
        const Status status = transport_->send(message.bytes, deadline_);
        if (transport_->take_refused()) refused();
        if (status) {
            sent(message);
        } else if (status.error().code == ErrorCode::kInvalidArgument) {
            give_up(message, status.error());
        } else if (status.error().code == ErrorCode::kBusy) {
            message.stamped = !transport_->is_datagram();  // of a datagram nothing is out
            return status;
        } else {
            return fail(status.error());
        }
        pending_.pop_front();
    }
    return ok();
}

// Export time and sequence number belong to the moment and the session in which
// a message leaves (RFC 7011, 3.1).
void IpfixExporter::stamp(Message& message) {
    if (message.stamped) return;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
    put_u32(message.bytes, 4, static_cast<std::uint32_t>(seconds));
    put_u32(message.bytes, 8, sequence_);
    message.stamped = true;
}

void IpfixExporter::sent(const Message& message) {
    sequence_ += message.data_records;
    last_sent_records_ = message.records;
    counters_.messages.add();
    counters_.octets.add(message.bytes.size());
    counters_.records.add(message.records);
    counters_.data_records.add(message.data_records);
    if (message.data_records == 0) counters_.templates.add();
}

// The message before reached the collector's host and nobody there.
void IpfixExporter::refused() {
    refused_since_templates_ = true;
    counters_.failures.add();
    counters_.records.set(counters_.records.get() - last_sent_records_);
    counters_.dropped_unreachable.add(last_sent_records_);
    if (const auto held = drop_log_.admit(); held >= 0)
        logger_.warning("collector refuses datagrams",
                        {{"name", name_}, {"destination", description()}, {"suppressed", held}});
    last_sent_records_ = 0;
}

// Its records leave a gap in the sequence numbers, so that the collector knows.
void IpfixExporter::give_up(Message& message, const Error& error) {
    counters_.failures.add();
    counters_.dropped_oversize.add(message.records);
    sequence_ += message.data_records;
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
