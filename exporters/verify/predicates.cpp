// SPDX-License-Identifier: Apache-2.0
#include "exporters/verify/predicates.hpp"

#include <algorithm>

namespace nfstreamd::exporters::verify {
namespace {

using ipfix::ReadElement;
using ipfix::ReadField;

constexpr std::uint16_t kOctets = 1, kPackets = 2, kOutBytes = 23, kOutPackets = 24;

bool is_plain(const ReadElement& element) {  // of IANA's registry, no scope of NetFlow v9
    return element.pen == 0 && !(element.is_scope && element.v9_type != 0);
}

}  // namespace

bool is_iana(const FieldView& field, std::initializer_list<std::uint16_t> ids) {
    return is_plain(field.element()) && std::find(ids.begin(), ids.end(), field.element().id) != ids.end();
}

bool is_reverse(const FieldView& field) {
    return field.element().pen == kReversePen && field.version == 10;
}

bool is_reverse_counter(const FieldView& field) {
    return is_reverse(field) && (field.element().id == kOctets || field.element().id == kPackets);
}

bool is_out_counter(const FieldView& field) {
    const auto type = field.element().v9_type;
    return type == kOutBytes || type == kOutPackets || is_iana(field, {kOutBytes, kOutPackets});
}

bool is_enterprise(const FieldView& field) {
    return field.element().pen != 0 && field.element().pen != kReversePen;
}

bool is_list(const FieldView& field) {
    constexpr std::uint16_t kFirst = 291, kLast = 293;
    return field.element().pen == 0 && field.element().id >= kFirst && field.element().id <= kLast;
}

bool is_options_field(const FieldView& field) {
    return field.of.is_options;
}

bool comes_after_forward(const FieldView& field) {
    const auto is_forward = [&](const ReadField& other) {
        return other.element.pen == 0 && other.element.id == field.element().id;
    };
    const auto& fields = field.of.fields;
    const auto forward = std::find_if(fields.begin(), fields.end(), is_forward);
    return forward == fields.end() || forward - fields.begin() < static_cast<std::ptrdiff_t>(field.index);
}

bool has_iana(const ipfix::ReadTemplate& of, std::initializer_list<std::uint16_t> ids) {
    return std::any_of(of.fields.begin(), of.fields.end(), [&](const ReadField& field) {
        return is_plain(field.element) && std::find(ids.begin(), ids.end(), field.element.id) != ids.end();
    });
}

bool has_duplicate(const ipfix::ReadTemplate& of) {
    for (auto field = of.fields.begin(); field != of.fields.end(); ++field)
        if (std::any_of(of.fields.begin(), field, [&](const ReadField& other) {
                return other.element.pen == field->element.pen && other.element.id == field->element.id;
            }))
            return true;
    return false;
}

std::optional<std::uint64_t> value_of(const RecordView& record, std::uint16_t id) {
    for (std::size_t i = 0; i < record.of.fields.size(); ++i) {
        const ReadElement& element = record.of.fields[i].element;
        const auto octets = record.values[i];
        if (is_plain(element) && element.id == id && !octets.empty() && octets.size() <= 8)
            return ipfix::ByteReader(octets).number(octets.size());
    }
    return std::nullopt;
}

}  // namespace nfstreamd::exporters::verify
