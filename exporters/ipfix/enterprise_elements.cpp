// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/enterprise_elements.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "exporters/ipfix/record_layout.hpp"

namespace nfstreamd::exporters::ipfix {
namespace {

// RFC 5610, 3.1: the numbers of abstract data types. Those of list have none of
// their own where we send octets.
std::uint8_t data_type(IeType type) {
    switch (type) {
        case IeType::kUnsigned8:
            return 1;
        case IeType::kUnsigned16:
            return 2;
        case IeType::kUnsigned32:
            return 3;
        case IeType::kUnsigned64:
            return 4;
        case IeType::kSigned32:
            return 7;
        case IeType::kFloat64:
            return 10;
        case IeType::kBoolean:
            return 11;
        case IeType::kMacAddress:
            return 12;
        case IeType::kString:
            return 13;
        case IeType::kDateTimeMilliseconds:
            return 15;
        case IeType::kSigned32List:
            return 20;
        case IeType::kIpAddress:  // of either version
        case IeType::kOctetArray:
            break;
    }
    return 0;
}

std::uint8_t semantics(IeSemantics semantics) {  // RFC 5610, 3.6
    switch (semantics) {
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
            return 6;
        case IeSemantics::kDefault:
            break;
    }
    return 0;
}

std::uint16_t units(std::string_view units) {  // RFC 5610, 3.7; 0: none, or one that it has no number for
    constexpr std::pair<std::string_view, std::uint16_t> kUnits[] = {
        {"bits", 1},         {"octets", 2},      {"packets", 3},   {"flows", 4}, {"seconds", 5},  {"milliseconds", 6},
        {"microseconds", 7}, {"nanoseconds", 8}, {"messages", 10}, {"hops", 11}, {"entries", 12}, {"frames", 13}};
    const auto found =
        std::find_if(std::begin(kUnits), std::end(kUnits), [&](const auto& u) { return u.first == units; });
    return found == std::end(kUnits) ? 0 : found->second;
}

bool is_of_an_enterprise(const IeId& ie) {
    return ie.pen != 0 && ie.pen != kReversePen && ie.pen != kOurPen && ie.id != 0;
}

}  // namespace

std::vector<EnterpriseElement> enterprise_elements(const FieldSelection& fields, const FieldGroups& groups,
                                                   std::uint32_t pen, bool biflow) {
    std::vector<EnterpriseElement> out;
    for (const int ip_version : {4, 6}) {
        const RecordLayout layout(fields, ip_version, biflow, groups, pen);
        for (const FieldPlan& plan : layout.fields()) {
            const InformationElement& field = *plan.field;
            const auto is_this = [&](const EnterpriseElement& e) { return e.pen == plan.ie.pen && e.id == plan.ie.id; };
            if (!is_of_an_enterprise(plan.ie) || std::any_of(out.begin(), out.end(), is_this)) continue;
            out.push_back({.pen = plan.ie.pen,
                           .id = plan.ie.id,
                           .data_type = data_type(field.type),
                           .semantics = semantics(field.semantics),
                           .units = units(field.units),
                           .name = field.name,
                           .description = field.description});
        }
    }
    return out;
}

}  // namespace nfstreamd::exporters::ipfix
