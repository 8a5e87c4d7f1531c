// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/ipfix_packer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "exporters/session/big_endian.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

constexpr std::uint16_t kTemplateSet = 2;
constexpr std::size_t kTemplateHeader = 4, kSpecifier = 4, kEnterpriseNumber = 4;
constexpr std::uint8_t kEnterpriseBit = 0x80;
constexpr std::size_t kLengthAt = 2;     // RFC 7011, 3.1
constexpr std::size_t kOptionsPart = 4;  // options fill a fourth of a message at most

std::uint16_t number_at(std::span<const std::uint8_t> octets, std::size_t at) {
    return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

// Of a message of ours: each Set, its header included.
template <class Use>
void for_each_set(std::span<const std::uint8_t> message, Use use) {
    for (std::size_t at = kMessageHeader; at + kSetHeader <= message.size();) {
        const std::size_t length = number_at(message, at + 2);
        if (length < kSetHeader || length > message.size() - at) return;
        use(message.subspan(at, length));
        at += length;
    }
}

// Of the template record that stands first (RFC 7011, 3.4.1).
std::size_t template_length(std::span<const std::uint8_t> record) {
    std::size_t length = kTemplateHeader;
    for (std::size_t fields = number_at(record, 2); fields > 0 && length + kSpecifier <= record.size(); --fields)
        length += (record[length] & kEnterpriseBit) != 0 ? kSpecifier + kEnterpriseNumber : kSpecifier;
    return length;
}

void append(std::string& out, std::span<const std::uint8_t> octets) {
    out.append(reinterpret_cast<const char*>(octets.data()), octets.size());
}

}  // namespace

PackedFormat::PackedFormat(std::unique_ptr<IpfixFormat> format, std::size_t max_message, Wall wall)
    : format_(std::move(format)), max_message_(max_message), wall_(std::move(wall)) {}

// The format is made once for what it announces, and then for the records that
// find room beside that.
Result<std::shared_ptr<PackedFormat>> PackedFormat::make(IpfixOptions options, const std::string& name, Logger& logger,
                                                         Wall wall) {
    auto whole = IpfixFormat::make(options, name, logger);
    if (!whole) return whole.error();
    std::shared_ptr<PackedFormat> made(
        new PackedFormat(std::move(whole.value()), options.max_message, std::move(wall)));
    if (Status status = made->read_announcement(); !status) return status.error();
    std::size_t before = options.max_message / kOptionsPart;
    for (const auto& [id, set] : made->templates_) before += set.size();
    options.max_message =
        static_cast<std::uint16_t>(options.max_message - std::min<std::size_t>(before, options.max_message));
    auto rest = IpfixFormat::make(options, name, logger);
    if (!rest)
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("a message of {} octets has no room for a record and its template; send fewer fields or "
                        "raise max_message_size",
                        made->max_message_),
            ""};
    made->format_ = std::move(rest.value());
    return made;
}

// What a session would begin with, by Sets.
Status PackedFormat::read_announcement() {
    MessageQueue queue(format_->framing(), max_message_);
    SessionTemplates known;
    version_ = format_->announced_version();
    if (Status status = format_->announce(queue, known); !status) return status;
    templates_.clear();
    options_.clear();
    options_records_ = 0;
    for (std::size_t i = 0; i < queue.messages().size(); ++i) {
        for_each_set(queue.message(i), [this](std::span<const std::uint8_t> set) { keep_set(set); });
        options_records_ += queue.messages()[i].data_records;
    }
    if (options_.size() <= max_message_ / kOptionsPart) return ok();
    options_.clear();
    options_records_ = 0;
    return ok();
}

// A Template Set may have several templates; here each gets a Set of its own.
void PackedFormat::keep_set(std::span<const std::uint8_t> set) {
    if (number_at(set, 0) != kTemplateSet) {
        options_.insert(options_.end(), set.begin(), set.end());
        return;
    }
    for (auto rest = set.subspan(kSetHeader); rest.size() >= kTemplateHeader;) {
        const std::size_t length = std::min(template_length(rest), rest.size());
        std::vector<std::uint8_t>& own = templates_[number_at(rest, 0)];
        own.assign(kSetHeader, 0);
        store_big_endian(kTemplateSet, own.data());
        store_big_endian(static_cast<std::uint16_t>(kSetHeader + length), own.data() + 2);
        own.insert(own.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(length));
        rest = rest.subspan(length);
    }
}

void PackedFormat::finish(std::span<const std::uint8_t> message, const MessageCounts& counts, PackedMessage& out) {
    if (format_->announced_version() != version_) static_cast<void>(read_announcement());  // it has fitted before
    std::string& text = out.payload;
    text.clear();
    append(text, message.first(kMessageHeader));
    append(text, options_);
    for (const auto& [id, set] : templates_) {
        bool needed = false;
        for_each_set(message, [&, id = id](std::span<const std::uint8_t> data) { needed |= number_at(data, 0) == id; });
        if (needed) append(text, set);
    }
    append(text, message.subspan(kMessageHeader));
    MessageCounts all = counts;
    all.data_records += options_records_;
    const std::span<std::uint8_t> octets(reinterpret_cast<std::uint8_t*>(text.data()), text.size());
    store_big_endian(static_cast<std::uint16_t>(text.size()), octets.data() + kLengthAt);
    format_->stamp(octets, all, wall_(), sequence_);
    sequence_ += format_->sequence_step(all);
    out.records = counts.records;
    out.data_records = all.data_records;
}

IpfixPacker::IpfixPacker(std::shared_ptr<PackedFormat> format, std::size_t records)
    : format_(std::move(format)), most_records_(records), queue_(format_->format().framing(), format_->room()) {}

bool IpfixPacker::add(const FlowRecord& record) {
    auto added = format_->format().add(record, queue_);
    if (added == MessageFormat::Added::kNoRoom && records_ > 0) {
        queue_.end_message();
        records_ = 0;
        added = format_->format().add(record, queue_);
    }
    if (added != MessageFormat::Added::kTaken) return false;
    queue_.under_way().records = ++records_;
    return true;
}

void IpfixPacker::take(PackedMessage& out) {
    if (queue_.empty()) {
        queue_.end_message();
        records_ = 0;
    }
    format_->finish(queue_.message(0), queue_.messages()[0], out);
    queue_.remove_first(1);
}

void IpfixPacker::clear() noexcept {
    queue_.drop_message();
    queue_.clear();
    records_ = 0;
}

}  // namespace nfstreamd::exporters::ipfix
