// SPDX-License-Identifier: Apache-2.0
#include "exporters/encode/csv_encoder.hpp"

#include <cmath>
#include <utility>

#include "exporters/encode/number_text.hpp"

namespace nfstreamd::exporters {
namespace {

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

void append_text_field(std::string& out, std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos)
        out += text;
    else
        append_quoted(out, text);
}

struct AppendField {
    std::string& out;

    void operator()(std::monostate) const {}
    void operator()(std::uint64_t value) const { append_integer(out, value); }
    void operator()(std::int64_t value) const { append_integer(out, value); }
    void operator()(const Unsigned128& value) const { append_integer(out, value); }
    void operator()(double value) const {
        if (std::isfinite(value)) append_float(out, value);
    }
    void operator()(bool value) const { out += value ? "True" : "False"; }
    void operator()(std::string_view value) const { append_text_field(out, value); }
    void operator()(const IpAddress& value) const { append_text(out, value); }
    void operator()(const MacAddress& value) const { append_text(out, value); }
    void operator()(std::span<const std::int32_t> values) const {
        const bool quoted = values.size() > 1;  // then there is a comma inside
        if (quoted) out += '"';
        append_list(out, values);
        if (quoted) out += '"';
    }
};

}  // namespace

CsvEncoder::CsvEncoder(FieldSelection fields, std::unique_ptr<const Anonymizer> anonymizer)
    : fields_(std::move(fields)),
      anonymizer_(std::move(anonymizer)),
      anonymized_(anonymizer_ ? anonymizer_->covered(fields_) : std::vector<bool>(fields_.size())) {}

void CsvEncoder::preamble(std::string& out) const {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (i != 0) out += ',';
        append_text_field(out, fields_[i]->column);
    }
    out += '\n';
}

void CsvEncoder::encode(const FlowRecord& record, std::string& out) const {
    Anonymizer::Buffer pseudonym;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (i != 0) out += ',';
        const FieldValue value = fields_[i]->value(record);
        if (anonymized_[i])
            std::visit(AppendField{out}, anonymizer_->pseudonym(value, pseudonym));
        else
            std::visit(AppendField{out}, value);
    }
    out += '\n';
}

}  // namespace nfstreamd::exporters
