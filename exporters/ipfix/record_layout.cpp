// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/record_layout.hpp"

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
        case IeType::kSigned64:
        case IeType::kFloat64:
        case IeType::kDateTimeMilliseconds:
            return 8;
        case IeType::kMacAddress:
            return 6;
        case IeType::kIpAddress:
            return ip_version == 6 || field.wire_length == 16 ? 16 : 4;
        case IeType::kOctetArray:
            return field.wire_length != 0 ? field.wire_length : kVariableLength;
        case IeType::kString:
        case IeType::kAny:
        case IeType::kSigned8List:
        case IeType::kUnsigned16List:
        case IeType::kGapList:
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

std::uint16_t entry_length(IeType list) {
    if (list == IeType::kSigned8List) return 1;
    if (list == IeType::kSigned32List) return 4;
    return list == IeType::kUnsigned16List ? 2 : 8;
}

}  // namespace

std::uint16_t wire_length(const InformationElement& field, int ip_version) {
    const std::uint16_t length = full_length(field, ip_version);
    return field.wire_length != 0 && field.wire_length < length && is_reducible(field.type) ? field.wire_length
                                                                                            : length;
}

bool is_application_id(const FieldPlan& plan) noexcept {
    constexpr IeId kApplicationId{0, 95};
    return plan.ie == kApplicationId;
}

RecordLayout::RecordLayout(const FieldSelection& fields, int ip_version, bool biflow, const FieldGroups& groups,
                           std::uint32_t pen) {
    for (const InformationElement* field : fields) {
        if (!biflow && (field->side == IeSide::kReverse || field->side == IeSide::kBoth)) continue;
        const IeId ie = ipfix_element(*field, ip_version, groups, pen);
        if (ie.id == 0) continue;
        if (is_list(field->type))
            fields_.push_back({field, kBasicList, kVariableLength, ie, entry_length(field->type)});
        else
            fields_.push_back({field, ie, wire_length(*field, ip_version)});
    }
}

void RecordLayout::set_application_id(ApplicationIdForm form) {
    for (FieldPlan& plan : fields_)
        if (is_application_id(plan)) plan.length = application_id_length(form);
}

std::size_t RecordLayout::minimum_wire_length() const noexcept {
    std::size_t length = 0;
    for (const FieldPlan& plan : fields_) {
        if (plan.is_list()) length += kListHeader;
        length += plan.length == kVariableLength ? 1 : plan.length;
    }
    return length;
}

std::size_t RecordLayout::template_wire_length() const noexcept {
    std::size_t length = 4;
    for (const FieldPlan& plan : fields_) length += plan.ie.pen == 0 ? 4 : 8;
    return length;
}

LeftOut left_out(const FieldSelection& fields, const FieldGroups& groups, std::uint32_t pen) {
    const auto carried = [&groups](const InformationElement& field, std::uint32_t number) {
        return ipfix_element(field, 4, groups, number).id != 0 || ipfix_element(field, 6, groups, number).id != 0;
    };
    LeftOut out;
    for (const InformationElement* field : fields) {
        if (carried(*field, pen)) continue;
        if (carried(*field, kOurPen))
            out.need_number.push_back(field);
        else
            (is_derived(*field) ? out.derived : out.no_element).push_back(field);
    }
    return out;
}

}  // namespace nfstreamd::exporters::ipfix
