// SPDX-License-Identifier: Apache-2.0
#include "exporters/plugin/plugin_batch.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <variant>

namespace nfstreamd::exporters {
namespace {

static_assert(sizeof(nfstreamd_value) == 24);

std::uint32_t length_of(std::size_t size) {
    return static_cast<std::uint32_t>(std::min<std::size_t>(size, std::numeric_limits<std::uint32_t>::max()));
}

void put(nfstreamd_value& out, std::uint32_t type, std::uint64_t number) {
    out.type = type;
    out.as.u = number;
}

template <std::size_t Size>
void put(nfstreamd_value& out, std::uint32_t type, const std::array<std::uint8_t, Size>& octets, std::size_t length) {
    out.type = type;
    out.length = length_of(length);
    std::copy_n(octets.begin(), length, out.as.octets);
}

// `type` is the field's; a number of any kind fits into its 64 bits. Where the
// field has no type of its own, the value's.
struct Put {
    nfstreamd_value& out;
    std::uint32_t type;

    void operator()(std::monostate) const {}
    void operator()(std::uint64_t value) const { put(out, type_or(NFSTREAMD_UNSIGNED), value); }
    void operator()(std::int64_t value) const {
        put(out, type_or(NFSTREAMD_SIGNED), static_cast<std::uint64_t>(value));
    }
    void operator()(bool value) const { put(out, type_or(NFSTREAMD_BOOLEAN), value ? 1 : 0); }
    void operator()(double value) const {
        out.type = NFSTREAMD_FLOAT;
        out.as.f = value;
    }
    void operator()(std::string_view text) const {
        out.type = NFSTREAMD_TEXT;
        out.length = length_of(text.size());
        out.as.text = text.empty() ? "" : text.data();
    }
    void operator()(const IpAddress& address) const {
        if (address.version != 0) put(out, NFSTREAMD_ADDRESS, address.bytes, address.version == 6 ? 16 : 4);
    }
    void operator()(const MacAddress& address) const { put(out, NFSTREAMD_MAC, address, address.size()); }
    void operator()(std::span<const std::int32_t> list) const {
        out.type = NFSTREAMD_LIST;
        out.length = length_of(list.size());
        out.as.list = list.data();
    }
    void operator()(const Unsigned128&) const {}  // of older generations' columns alone

    std::uint32_t type_or(std::uint32_t of_value) const { return type == NFSTREAMD_ABSENT ? of_value : type; }
};

}  // namespace

std::uint32_t plugin_type_of(const InformationElement& field) noexcept {
    if (is_list(field.type)) return NFSTREAMD_LIST;
    switch (field.type) {
        case IeType::kUnsigned8:
        case IeType::kUnsigned16:
        case IeType::kUnsigned32:
        case IeType::kUnsigned64:
        case IeType::kDateTimeMilliseconds:
            return NFSTREAMD_UNSIGNED;
        case IeType::kSigned32:
        case IeType::kSigned64:
            return NFSTREAMD_SIGNED;
        case IeType::kFloat64:
            return NFSTREAMD_FLOAT;
        case IeType::kBoolean:
            return NFSTREAMD_BOOLEAN;
        case IeType::kMacAddress:
            return NFSTREAMD_MAC;
        case IeType::kIpAddress:
            return NFSTREAMD_ADDRESS;
        case IeType::kOctetArray:  // octets on the wire, a number to everyone else
            return field.value.form == FieldForm::kNumberOf ? NFSTREAMD_UNSIGNED : NFSTREAMD_TEXT;
        case IeType::kString:
            return NFSTREAMD_TEXT;
        default:  // kAny: each value has its own
            return NFSTREAMD_ABSENT;
    }
}

nfstreamd_value plugin_value(const InformationElement& field, const FlowRecord& record) noexcept {
    nfstreamd_value out{};
    std::visit(Put{out, plugin_type_of(field)}, field.value(record));
    assert(out.type == NFSTREAMD_ABSENT || out.type == plugin_type_of(field) || field.type == IeType::kAny);
    return out;
}

PluginBatch::PluginBatch(const RecordBatch& batch, const FieldSelection& fields, std::chrono::milliseconds patience)
    : records_(batch), fields_(fields) {
    outside_ = {.batch = {.size = sizeof(nfstreamd_batch),
                          .patience_ms = static_cast<std::uint32_t>(patience.count()),
                          .records = batch.records.size(),
                          .read = &PluginBatch::read},
                .inside = this};
}

void PluginBatch::read(const nfstreamd_batch* batch, std::size_t record, std::size_t first, std::size_t count,
                       nfstreamd_value* values) {
    const PluginBatch& self = *reinterpret_cast<const Outside*>(batch)->inside;
    const auto& records = self.records_.records;
    const std::size_t fields = first < self.fields_.size() ? self.fields_.size() - first : 0;
    const std::size_t there = record < records.size() ? std::min(count, fields) : 0;
    for (std::size_t i = 0; i < there; ++i) values[i] = plugin_value(*self.fields_[first + i], records[record]);
    for (std::size_t i = there; i < count; ++i) values[i] = {};
}

}  // namespace nfstreamd::exporters
