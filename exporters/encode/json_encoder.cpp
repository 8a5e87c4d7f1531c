// SPDX-License-Identifier: Apache-2.0
#include "exporters/encode/json_encoder.hpp"

#include <cmath>
#include <utility>

#include "core/base/json_text.hpp"
#include "exporters/encode/number_text.hpp"

namespace nfstreamd::exporters {
namespace {

struct AppendValue {
    std::string& out;

    void operator()(std::monostate) const { out += "null"; }
    void operator()(std::uint64_t value) const { append_integer(out, value); }
    void operator()(std::int64_t value) const { append_integer(out, value); }
    void operator()(const Unsigned128& value) const { append_integer(out, value); }
    void operator()(double value) const {
        if (std::isfinite(value))
            append_float(out, value);
        else
            out += "null";  // JSON has no other word for it
    }
    void operator()(bool value) const { out += value ? "true" : "false"; }
    void operator()(std::string_view value) const { append_json_string(out, value); }
    void operator()(const IpAddress& value) const { append_address(value); }
    void operator()(const MacAddress& value) const { append_address(value); }
    void operator()(std::span<const std::int32_t> values) const { append_list(out, values); }

    void append_address(const auto& value) const {
        out += '"';
        append_text(out, value);
        out += '"';
    }
};

}  // namespace

JsonEncoder::JsonEncoder(FieldSelection fields, std::unique_ptr<const Anonymizer> anonymizer)
    : fields_(std::move(fields)),
      anonymizer_(std::move(anonymizer)),
      anonymized_(anonymizer_ ? anonymizer_->covered(fields_) : std::vector<bool>(fields_.size())) {
    for (const InformationElement* field : fields_) {
        std::string key = keys_.empty() ? "{" : ",";
        append_json_string(key, field->column);
        keys_.push_back(key + ':');
    }
}

void JsonEncoder::preamble(std::string&) const {}

void JsonEncoder::encode(const FlowRecord& record, std::string& out) const {
    Anonymizer::Buffer pseudonym;
    if (fields_.empty()) out += '{';
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        out += keys_[i];
        const FieldValue value = fields_[i]->value(record);
        if (anonymized_[i])
            std::visit(AppendValue{out}, anonymizer_->pseudonym(value, pseudonym));
        else
            std::visit(AppendValue{out}, value);
    }
    out += "}\n";
}

}  // namespace nfstreamd::exporters
