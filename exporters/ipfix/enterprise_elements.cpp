// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/enterprise_elements.hpp"

#include <algorithm>
#include <iterator>

#include "exporters/ipfix/record_layout.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

// IANA, "IPFIX Information Element Data Types". Outer addresses are of either
// version and travel as IPv6's.
std::uint8_t data_type(IeType type, std::uint16_t length) {
    switch (type) {
        case IeType::kUnsigned8:
            return 1;
        case IeType::kUnsigned16:
        case IeType::kUnsigned16List:
            return 2;
        case IeType::kUnsigned32:
            return 3;
        case IeType::kUnsigned64:
            return 4;
        case IeType::kSigned8List:
            return 5;
        case IeType::kSigned32:
        case IeType::kSigned32List:
            return 7;
        case IeType::kSigned64:
            return 8;
        case IeType::kFloat64:
            return 10;
        case IeType::kBoolean:
            return 11;
        case IeType::kMacAddress:
            return 12;
        case IeType::kString:
        case IeType::kAny:
            return 13;
        case IeType::kDateTimeMilliseconds:
        case IeType::kGapList:
            return 15;
        case IeType::kIpAddress:
            return length == 4 ? 18 : 19;
        case IeType::kOctetArray:
            return 0;
    }
    return 0;
}

// IANA, "IPFIX Information Element Semantics". Entries of a list are no lists.
std::uint8_t semantics(const InformationElement& field) {
    switch (field.semantics) {
        case IeSemantics::kQuantity:
            return 1;
        case IeSemantics::kTotalCounter:
            return 2;
        case IeSemantics::kDeltaCounter:
            return 3;
        case IeSemantics::kIdentifier:
            return 4;
        case IeSemantics::kFlags:
            return 5;
        case IeSemantics::kList:
            return field.type == IeType::kUnsigned16List ? 1 : 0;
        case IeSemantics::kDefault:
            break;
    }
    return 0;
}

// IANA, "IPFIX Information Element Units".
std::uint16_t units(std::string_view name) {
    static constexpr std::string_view kNames[] = {
        "",         "bits",         "octets",       "packets",     "flows",
        "seconds",  "milliseconds", "microseconds", "nanoseconds", "4-octet words",
        "messages", "hops",         "entries",      "frames",      "ports"};
    const auto* found = std::find(std::begin(kNames), std::end(kNames), name);
    return found == std::end(kNames) ? 0 : static_cast<std::uint16_t>(found - std::begin(kNames));
}

}  // namespace

std::vector<EnterpriseElement> enterprise_elements(const FieldSelection& fields, const FieldGroups& groups,
                                                   std::uint32_t pen, bool biflow) {
    std::vector<EnterpriseElement> out;
    for (const int ip_version : {4, 6}) {
        const RecordLayout layout(fields, ip_version, biflow, groups, pen);
        for (const FieldPlan& plan : layout.fields()) {
            const IeId ie = plan.is_list() ? plan.entry_ie : plan.ie;
            if (ie.pen == 0 || ie.pen == kReversePen) continue;
            if (std::any_of(out.begin(), out.end(), [&](const auto& e) { return e.pen == ie.pen && e.id == ie.id; }))
                continue;
            const InformationElement& field = *plan.field;
            out.push_back({.pen = ie.pen,
                           .id = ie.id,
                           .data_type = data_type(field.type, plan.length),
                           .semantics = semantics(field),
                           .units = units(field.units),
                           .name = ipfix_name(field, ie),
                           .description = field.description});
        }
    }
    return out;
}

}  // namespace nfstreamd::exporters::ipfix
