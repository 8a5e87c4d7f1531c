// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/ipfix_packer.hpp"

#include <fmt/format.h>

#include <cassert>
#include <optional>
#include <utility>

#include "exporters/ipfix/big_endian.hpp"
#include "exporters/ipfix/fixbuf_model.hpp"
#include "exporters/ipfix/selector_options.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

constexpr std::uint16_t kVersion = 10;
constexpr std::size_t kLengthAt = 2, kExportTimeAt = 4, kSequenceAt = 8, kDomainAt = 12;  // RFC 7011, 3.1
constexpr std::size_t kOptionsRoom = 4;  // a part of the message that options may fill at most

// The one place that knows: the same ids as in the sessions of type ipfix.
std::uint16_t template_id_of(const RecordLayout&, int ip_version, bool biflow) {
    if (biflow) return ip_version == 4 ? kBiflowV4 : kBiflowV6;
    return ip_version == 4 ? kUniflowV4 : kUniflowV6;
}

std::uint8_t* octets_at(std::string& text, std::size_t at) {
    return reinterpret_cast<std::uint8_t*>(text.data() + at);
}

void append_octets(std::string& out, std::span<const std::uint8_t> octets) {
    out.append(reinterpret_cast<const char*>(octets.data()), octets.size());
}

}  // namespace

PackedFormat::PackedFormat(const IpfixOptions& options, IpfixClock clock)
    : clock_(std::move(clock)),
      biflow_(options.biflow),
      domain_(options.observation_domain),
      max_message_(options.max_message),
      sampling_elements_(options.sampling_elements),
      selectors_(options.selectors) {}

Result<std::shared_ptr<PackedFormat>> PackedFormat::make(const IpfixOptions& options, IpfixClock clock) {
    std::shared_ptr<PackedFormat> made(new PackedFormat(options, std::move(clock)));
    if (Status status = made->plan(options); !status) return status.error();
    made->renew_options();
    return made;
}

Status PackedFormat::plan(const IpfixOptions& options) {
    std::size_t longest_template = 0;
    for (const bool biflow : {true, false}) {
        if (biflow && !biflow_) continue;
        for (const int ip_version : {4, 6}) {
            RecordLayout layout(options.fields, ip_version, biflow, options.groups, options.private_enterprise_number);
            if (layout.fields().empty())
                return Error{ErrorCode::kInvalidArgument,
                             fmt::format("fields: none of them is carried by IPFIX for IPv{}", ip_version), ""};
            const std::uint16_t id = template_id_of(layout, ip_version, biflow);
            const SessionTemplate one{id, &layout};
            const auto messages = template_messages(domain_, kFileMessage, {&one, 1});
            if (!messages) return messages.error();
            assert(messages.value().size() == 1);
            const auto& message = messages.value().front();
            std::vector<std::uint8_t> set(message.begin() + kMessageHeader, message.end());
            longest_template = std::max(longest_template, set.size());
            RecordEncoder encoder(layout);
            kinds_.push_back({id, std::move(layout), std::move(encoder), std::move(set)});
        }
    }
    const std::size_t framing = kMessageHeader + max_message_ / kOptionsRoom + longest_template + kSetHeader;
    // Both halves of a flow go into one message, so that it is out or not out.
    record_limit_ = framing < max_message_ ? (max_message_ - framing) / (biflow_ ? 1 : 2) : 0;
    for (const Kind& kind : kinds_)
        if (kind.layout.minimum_wire_length() > record_limit_)
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("a record of {} octets or more and its template of {} do not fit a message of {}; "
                                     "send fewer fields or raise max_message_size",
                                     kind.layout.minimum_wire_length(), kind.template_set.size(), max_message_),
                         ""};
    return ok();
}

const PackedFormat::Kind& PackedFormat::kind_of(const FlowRecord& record, bool biflow) const {
    // in the order of plan(): biflows first, IPv4 first
    const std::size_t uniflows = kinds_.size() - 2;
    return kinds_[(biflow ? 0 : uniflows) + (record.source_address.version == 6 ? 1 : 0)];
}

// The messages that a session would send; their Sets go into each of ours. More
// than fit are left out.
void PackedFormat::renew_options() {
    begin_.assign(kMessageHeader, '\0');
    store_big_endian(kVersion, octets_at(begin_, 0));
    store_big_endian(domain_, octets_at(begin_, kDomainAt));
    options_records_ = 0;
    if (!selectors_) return;
    selectors_version_ = selectors_->version();
    for (const auto& message : selector_options(selectors_->all(), sampling_elements_, domain_, max_message_)) {
        if (begin_.size() + message.bytes.size() > max_message_ / kOptionsRoom) break;
        append_octets(begin_, std::span(message.bytes).subspan(kMessageHeader));
        options_records_ += message.data_records;
    }
}

std::uint32_t PackedFormat::begin(std::string& out) {
    if (selectors_ && selectors_->version() != selectors_version_) renew_options();
    out = begin_;
    return options_records_;
}

void PackedFormat::finish(std::string& message, std::uint32_t data_records) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
    store_big_endian(static_cast<std::uint16_t>(message.size()), octets_at(message, kLengthAt));
    store_big_endian(static_cast<std::uint32_t>(seconds), octets_at(message, kExportTimeAt));
    store_big_endian(sequence_, octets_at(message, kSequenceAt));
    sequence_ += data_records;
}

IpfixPacker::IpfixPacker(std::shared_ptr<PackedFormat> format, std::size_t records)
    : format_(std::move(format)), most_records_(records) {}

bool IpfixPacker::add(const FlowRecord& record) {
    const bool two_way = record.reverse.packets > 0;
    const PackedFormat::Kind& kind = format_->kind_of(record, format_->biflow() && two_way);
    std::optional<ReversedFlow> back;  // the other half, when each has a record of its own
    if (two_way && !format_->biflow()) back.emplace(record);
    const std::size_t length = kind.encoder.measure(record, format_->record_limit(), texts_[0]).length;
    const std::size_t back_length =
        back ? kind.encoder.measure(back->record, format_->record_limit(), texts_[1]).length : 0;
    if (length > format_->record_limit() || back_length > format_->record_limit()) return false;
    if (records_ > 0 && text_.size() + overhead(kind) + length + back_length > format_->max_message())
        finish(complete_);
    if (records_ == 0) begin_message();
    append(kind, record, texts_[0], length);
    if (back) append(kind, back->record, texts_[1], back_length);
    ++records_;
    return true;
}

std::size_t IpfixPacker::overhead(const PackedFormat::Kind& kind) const {
    const bool has = has_template_[format_->index_of(kind)];
    return (has ? 0 : kind.template_set.size()) + (kind.template_id == set_id_ ? 0 : kSetHeader);
}

void IpfixPacker::begin_message() {
    data_records_ = format_->begin(text_);
    has_template_ = {};
    set_id_ = 0;
}

void IpfixPacker::append(const PackedFormat::Kind& kind, const FlowRecord& record, const RecordTexts& texts,
                         std::size_t length) {
    bool& has = has_template_[format_->index_of(kind)];
    if (!std::exchange(has, true)) {
        end_set();
        append_octets(text_, kind.template_set);
    }
    if (set_id_ != kind.template_id) {
        end_set();
        set_ = text_.size();
        set_id_ = kind.template_id;
        text_.append(kSetHeader, '\0');
        store_big_endian(set_id_, octets_at(text_, set_));
    }
    const std::size_t at = text_.size();
    text_.resize(at + length);
    [[maybe_unused]] const std::uint8_t* end = kind.encoder.write(record, texts, octets_at(text_, at));
    assert(end == octets_at(text_, at) + length);
    ++data_records_;
}

void IpfixPacker::end_set() {
    if (set_id_ == 0) return;
    store_big_endian(static_cast<std::uint16_t>(text_.size() - set_), octets_at(text_, set_ + 2));
    set_id_ = 0;
}

void IpfixPacker::finish(PackedMessage& out) {
    end_set();
    format_->finish(text_, data_records_);
    out.payload.swap(text_);
    out.records = std::exchange(records_, 0);
    out.data_records = data_records_;
    text_.clear();
}

void IpfixPacker::take(PackedMessage& out) {
    if (complete_.records == 0) return finish(out);
    std::swap(out, complete_);
    complete_.records = 0;
}

void IpfixPacker::clear() noexcept {
    complete_.records = records_ = 0;
    text_.clear();
}

}  // namespace nfstreamd::exporters::ipfix
