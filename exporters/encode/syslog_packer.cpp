// SPDX-License-Identifier: Apache-2.0
#include "exporters/encode/syslog_packer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <iterator>
#include <utility>

#include "core/base/utf8.hpp"
#include "exporters/encode/number_text.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr std::array<std::string_view, 24> kFacilities{"kern",   "user",     "mail",    "daemon", "auth",     "syslog",
                                                       "lpr",    "news",     "uucp",    "cron",   "authpriv", "ftp",
                                                       "ntp",    "security", "console", "clock",  "local0",   "local1",
                                                       "local2", "local3",   "local4",  "local5", "local6",   "local7"};
constexpr std::array<std::string_view, 8> kSeverities{"emerg",   "alert",  "crit", "err",
                                                      "warning", "notice", "info", "debug"};

template <std::size_t N>
std::optional<int> index_of(const std::array<std::string_view, N>& names, std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<int>(found - names.begin());
}

// RFC 5424, 6.3.3: a value is UTF-8, with a backslash before ", \ and ].
void append_value(std::string& out, std::string_view text) {
    std::string valid;
    if (!is_valid_utf8(text)) {
        valid.resize(text.size());
        valid.resize(copy_valid_utf8(text, valid.data()));
        text = valid;
    }
    for (const char c : text) {
        if (c == '"' || c == '\\' || c == ']') out += '\\';
        // a line end inside a message is read as its end by many
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
}

struct AppendParameter {
    std::string& out;

    void operator()(std::monostate) const {}
    void operator()(double value) const {
        if (std::isfinite(value)) append_float(out, value);
    }
    void operator()(bool value) const { out += value ? "true" : "false"; }
    void operator()(std::string_view value) const { append_value(out, value); }
    void operator()(const IpAddress& value) const { append_text(out, value); }
    void operator()(const MacAddress& value) const { append_text(out, value); }
    void operator()(std::span<const std::int32_t> values) const {
        std::string list;
        append_list(list, values);
        append_value(out, list);
    }
    void operator()(const auto& integer) const { append_integer(out, integer); }
};

bool is_absent(const FieldValue& value) {
    const auto* text = std::get_if<std::string_view>(&value);
    const auto* number = std::get_if<double>(&value);
    return std::holds_alternative<std::monostate>(value) || (text && text->empty()) ||
           (number && !std::isfinite(*number));
}

}  // namespace

std::optional<int> syslog_facility(std::string_view name) {
    return index_of(kFacilities, name);
}

std::optional<int> syslog_severity(std::string_view name) {
    return index_of(kSeverities, name);
}

bool is_syslog_name(std::string_view text, std::size_t most) {
    return !text.empty() && text.size() <= most &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

StructuredDataEncoder::StructuredDataEncoder(FieldSelection fields, std::unique_ptr<const Anonymizer> anonymizer,
                                             std::string id)
    : fields_(std::move(fields)),
      anonymizer_(std::move(anonymizer)),
      anonymized_(anonymizer_ ? anonymizer_->covered(fields_) : std::vector<bool>(fields_.size())),
      id_(std::move(id)) {
    for (const InformationElement* field : fields_) {
        std::string name(field->column.substr(0, 32));  // RFC 5424, 6: SD-NAME
        names_.push_back(' ' + name + "=\"");
    }
}

void StructuredDataEncoder::encode(const FlowRecord& record, std::string& out) const {
    Anonymizer::Buffer pseudonym;
    out += '[';
    out += id_;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        FieldValue value = fields_[i]->value(record);
        if (anonymized_[i]) value = anonymizer_->pseudonym(value, pseudonym);
        if (is_absent(value)) continue;
        out += names_[i];
        std::visit(AppendParameter{out}, value);
        out += '"';
    }
    out += "]\n";
}

SyslogPacker::SyslogPacker(const SyslogHeader& header, std::shared_ptr<const Encoder> encoder, bool structured,
                           std::size_t most, Wall wall)
    : encoder_(std::move(encoder)),
      structured_(structured),
      most_(most),
      wall_(std::move(wall)),
      priority_(fmt::format("<{}>1 ", header.facility * 8 + header.severity)),
      names_(fmt::format(" {} {} {} {} ", header.host_name, header.app_name, header.process_id, header.message_id)) {}

// The time of the message is when it was made, in UTC; those of the flow are among its fields.
void SyslogPacker::append_time() {
    const auto now = wall_().time_since_epoch();
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    const auto seconds = static_cast<std::time_t>(microseconds / 1'000'000);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    fmt::format_to(std::back_inserter(text_), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", utc.tm_year + 1900,
                   utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, microseconds % 1'000'000);
}

bool SyslogPacker::add(const FlowRecord& record) {
    text_ = priority_;
    append_time();
    text_ += names_;
    if (!structured_) text_ += "- ";
    encoder_->encode(record, text_);
    text_.pop_back();  // the end of the line
    full_ = text_.size() <= most_;
    return full_;
}

void SyslogPacker::take(PackedMessage& out) {
    out.payload.swap(text_);
    out.records = out.data_records = 1;
    full_ = false;
}

}  // namespace nfstreamd::exporters
