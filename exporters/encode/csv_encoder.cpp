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

// Programs that open the file as a sheet look at the first character, some of them behind white space.
bool is_formula(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return false;
    for (const std::string_view sign : {"=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"})
        if (text.substr(first).starts_with(sign)) return true;
    return text.front() == '\t' || text.front() == '\r';
}

void append_escaped(std::string& out, std::string_view text) {
    std::string escaped = "'";
    escaped += text;
    append_quoted(out, escaped);
}

void append_text_field(std::string& out, std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos)
        out += text;
    else
        append_quoted(out, text);
}

struct AppendField {
    std::string& out;
    CsvEncoder::Formulas formulas;

    void operator()(std::monostate) const {}
    void operator()(std::uint64_t value) const { append_integer(out, value); }
    void operator()(std::int64_t value) const { append_integer(out, value); }
    void operator()(const Unsigned128& value) const { append_integer(out, value); }
    void operator()(double value) const {
        if (std::isfinite(value)) append_float(out, value);
    }
    void operator()(bool value) const { out += value ? "True" : "False"; }
    void operator()(std::string_view value) const {
        if (formulas == CsvEncoder::Formulas::kEscape && is_formula(value)) [[unlikely]]
            append_escaped(out, value);
        else
            append_text_field(out, value);
    }
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

CsvEncoder::CsvEncoder(FieldSelection fields, std::unique_ptr<const Anonymizer> anonymizer, Formulas formulas)
    : fields_(std::move(fields)),
      anonymizer_(std::move(anonymizer)),
      anonymized_(anonymizer_ ? anonymizer_->covered(fields_) : std::vector<bool>(fields_.size())),
      formulas_(formulas) {}

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
            std::visit(AppendField{out, formulas_}, anonymizer_->pseudonym(value, pseudonym));
        else
            std::visit(AppendField{out, formulas_}, value);
    }
    out += '\n';
}

}  // namespace nfstreamd::exporters
