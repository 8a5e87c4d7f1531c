// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/record_layout.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/base/utf8.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

std::uint16_t full_length(const InformationElement& field, int ip_version) {
    switch (field.type) {
        case IeType::kUnsigned8:
        case IeType::kBoolean:
            return 1;
        case IeType::kUnsigned16:
            return 2;
        case IeType::kUnsigned32:
        case IeType::kSigned32:
            return 4;
        case IeType::kUnsigned64:
        case IeType::kFloat64:
        case IeType::kDateTimeMilliseconds:
            return 8;
        case IeType::kMacAddress:
            return 6;
        case IeType::kIpAddress:
            return ip_version == 6 || field.wire_length == 16 ? 16 : 4;
        case IeType::kString:
        case IeType::kOctetArray:
        case IeType::kSigned32List:
            return kVariableLength;
    }
    return kVariableLength;
}

// Only integers may be shortened (RFC 7011, 6.2).
bool is_reducible(IeType type) {
    return type == IeType::kUnsigned16 || type == IeType::kUnsigned32 || type == IeType::kUnsigned64 ||
           type == IeType::kSigned32;
}

bool is_list(IeType type) {  // would need a basicList with an element of its own
    return type == IeType::kSigned32List;
}

std::size_t alignment(std::uint16_t length) {
    if (length == kVariableLength) return 8;
    return length == 8 || length == 4 || length == 2 ? length : 1;
}

std::size_t prefix_length(std::size_t length) {  // RFC 7011, section 7
    return length < 255 ? 1 : 3;
}

void put_integer(std::uint64_t value, std::uint16_t length, std::uint8_t* out) {  // in the machine's byte order
    static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big);
    const std::size_t skip = std::endian::native == std::endian::little ? 0 : sizeof value - length;
    std::memcpy(out, reinterpret_cast<const std::uint8_t*>(&value) + skip, length);
}

std::uint64_t saturated(std::uint64_t value, std::uint16_t length) {
    if (length >= 8) return value;
    return std::min(value, (std::uint64_t{1} << (8 * length)) - 1);
}

std::uint64_t saturated(std::int64_t value, std::uint16_t length) {
    if (length < 8) {
        const std::int64_t most = (std::int64_t{1} << (8 * length - 1)) - 1;
        value = std::clamp(value, -most - 1, most);
    }
    return static_cast<std::uint64_t>(value);
}

void put_number(const FieldValue& value, const FieldPlan& plan, std::uint8_t* out) {
    if (plan.field->type == IeType::kFloat64) {
        double number = 0;
        if (const auto* d = std::get_if<double>(&value)) number = *d;
        if (const auto* u = std::get_if<std::uint64_t>(&value)) number = static_cast<double>(*u);
        std::memcpy(out, &number, sizeof number);
    } else if (plan.field->type == IeType::kBoolean) {
        const auto* b = std::get_if<bool>(&value);
        *out = b != nullptr && *b ? 1 : 2;  // RFC 7011, 6.1.5
    } else if (const auto* u = std::get_if<std::uint64_t>(&value)) {
        put_integer(saturated(*u, plan.length), plan.length, out);
    } else if (const auto* i = std::get_if<std::int64_t>(&value)) {
        put_integer(saturated(*i, plan.length), plan.length, out);
    } else if (const auto* b = std::get_if<bool>(&value)) {
        put_integer(*b ? 1 : 0, plan.length, out);
    }
}

// libfixbuf holds an IPv4 address as a number, anything longer as octets.
void put_address(const IpAddress& address, const FieldPlan& plan, std::uint8_t* out) {
    if (plan.length != 4 && address.version == 4) {  // RFC 4291, 2.5.5.2
        out[10] = out[11] = 0xff;
        std::memcpy(out + 12, address.bytes.data(), 4);
        return;
    }
    if (plan.length != 4) {
        std::memcpy(out, address.bytes.data(), std::min<std::size_t>(plan.length, address.bytes.size()));
        return;
    }
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 4; ++i) number = number << 8 | address.bytes[i];
    put_integer(number, 4, out);
}

void put_fixed(const FieldValue& value, const FieldPlan& plan, std::uint8_t* out) {
    std::memset(out, 0, plan.length);
    if (const auto* address = std::get_if<IpAddress>(&value))
        put_address(*address, plan, out);
    else if (const auto* mac = std::get_if<MacAddress>(&value))
        std::memcpy(out, mac->data(), std::min<std::size_t>(plan.length, mac->size()));
    else
        put_number(value, plan, out);
}

bool is_valid_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t n = utf8_sequence_length(text);
        if (n == 0) return false;
        text.remove_prefix(n);
    }
    return true;
}

}  // namespace

RecordLayout::RecordLayout(const FieldSelection& fields, int ip_version, bool biflow, const FieldGroups& groups,
                           std::uint32_t pen) {
    for (const InformationElement* field : fields) {
        if (field->side == IeSide::kBoth || (!biflow && field->side == IeSide::kReverse)) continue;
        const IeId ie = ipfix_element(*field, ip_version, groups, pen);
        if (ie.id == 0 || is_list(field->type)) continue;
        std::uint16_t length = full_length(*field, ip_version);
        if (field->wire_length != 0 && field->wire_length < length && is_reducible(field->type))
            length = field->wire_length;
        fields_.push_back({field, ie, length, 0});
    }
    // Widest first: every field is aligned and nothing lies between them.
    std::vector<FieldPlan*> order;
    for (FieldPlan& plan : fields_) order.push_back(&plan);
    std::stable_sort(order.begin(), order.end(), [](const FieldPlan* a, const FieldPlan* b) {
        return alignment(a->length) > alignment(b->length);
    });
    for (FieldPlan* plan : order) {
        plan->offset = static_cast<std::uint32_t>(record_size_);
        record_size_ += plan->length == kVariableLength ? sizeof(VariableField) : plan->length;
        if (plan->length == kVariableLength)
            strings_.push_back({0, nullptr});
        else
            fixed_length_ += plan->length;
    }
    cleaned_.resize(strings_.size());
}

std::vector<const FieldPlan*> RecordLayout::by_offset() const {
    std::vector<const FieldPlan*> order;
    for (const FieldPlan& plan : fields_) order.push_back(&plan);
    std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->offset < b->offset; });
    return order;
}

std::size_t RecordLayout::template_wire_length() const noexcept {
    std::size_t length = 4;
    for (const FieldPlan& plan : fields_) length += plan.ie.pen == 0 ? 4 : 8;
    return length;
}

RecordLayout::Filled RecordLayout::fill(const FlowRecord& record, std::uint8_t* packed, std::size_t limit) {
    std::size_t wire_length = fixed_length_, index = 0;
    for (const FieldPlan& plan : fields_) {
        const FieldValue value = plan.field->value(record);
        if (plan.length != kVariableLength) {
            put_fixed(value, plan, packed + plan.offset);
            continue;
        }
        std::string_view text;
        if (const auto* view = std::get_if<std::string_view>(&value)) text = *view;
        if (plan.field->type == IeType::kString && !is_valid_utf8(text)) {
            std::string& clean = cleaned_[index];
            clean.resize(text.size());
            clean.resize(copy_valid_utf8(text, clean.data()));
            text = clean;
        }
        strings_[index] = {text.size(), reinterpret_cast<const std::uint8_t*>(text.data())};
        wire_length += text.size() + prefix_length(text.size());
        ++index;
    }
    const bool cut = wire_length > limit && cut_strings(wire_length, limit);
    index = 0;
    for (const FieldPlan& plan : fields_)
        if (plan.length == kVariableLength)
            std::memcpy(packed + plan.offset, &strings_[index++], sizeof(VariableField));
    return {wire_length, cut};
}

// All strings are cut to one length, the greatest at which the record fits, so
// that one long string cannot displace the others.
bool RecordLayout::cut_strings(std::size_t& wire_length, std::size_t limit) {
    const auto text_of = [](const VariableField& s) {
        return std::string_view(reinterpret_cast<const char*>(s.bytes), s.length);
    };
    const auto length_at = [&](std::size_t most) {
        std::size_t length = fixed_length_;
        for (const VariableField& s : strings_) {
            const std::size_t kept = std::min(s.length, most);
            length += kept + prefix_length(kept);
        }
        return length;
    };
    std::size_t low = 0, high = limit;
    while (low < high) {
        const std::size_t middle = (low + high + 1) / 2;
        if (length_at(middle) <= limit)
            low = middle;
        else
            high = middle - 1;
    }
    wire_length = fixed_length_;
    for (VariableField& s : strings_) {
        s.length = utf8_prefix(text_of(s), low).size();
        wire_length += s.length + prefix_length(s.length);
    }
    return true;
}

}  // namespace nfstreamd::exporters::ipfix
