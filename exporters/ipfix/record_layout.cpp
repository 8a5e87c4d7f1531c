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

}  // namespace

std::uint16_t wire_length(const InformationElement& field, int ip_version) {
    const std::uint16_t length = full_length(field, ip_version);
    return field.wire_length != 0 && field.wire_length < length && is_reducible(field.type) ? field.wire_length
                                                                                            : length;
}

RecordLayout::RecordLayout(const FieldSelection& fields, int ip_version, bool biflow, const FieldGroups& groups,
                           std::uint32_t pen) {
    for (const InformationElement* field : fields) {
        if (field->side == IeSide::kBoth || (!biflow && field->side == IeSide::kReverse)) continue;
        const IeId ie = ipfix_element(*field, ip_version, groups, pen);
        if (ie.id == 0 || is_list(field->type)) continue;
        fields_.push_back({field, ie, wire_length(*field, ip_version)});
    }
}

std::size_t RecordLayout::minimum_wire_length() const noexcept {
    std::size_t length = 0;
    for (const FieldPlan& plan : fields_) length += plan.length == kVariableLength ? 1 : plan.length;
    return length;
}

std::size_t RecordLayout::template_wire_length() const noexcept {
    std::size_t length = 4;
    for (const FieldPlan& plan : fields_) length += plan.ie.pen == 0 ? 4 : 8;
    return length;
}

}  // namespace nfstreamd::exporters::ipfix
