// SPDX-License-Identifier: Apache-2.0
#include "exporters/options/element_options.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/record/template.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr OptionsField kTemplateId{145, 2}, kFlowKeyIndicator{173, 8};
constexpr OptionsField kEnterpriseNumber{346, 4}, kElementId{303, 2}, kElementDataType{339, 1},
    kElementSemantics{344, 1}, kElementUnits{345, 2}, kElementRangeBegin{342, 8}, kElementRangeEnd{343, 8};
constexpr std::uint16_t kElementName = 341, kElementDescription = 340;
constexpr std::size_t kMostKeys = 64;  // bits of the indicator

// RFC 5610, 3.1: the numbers of abstract data types. Those of list have none of
// their own where we send octets.
std::uint64_t data_type(IeType type) {
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

std::uint64_t semantics(IeSemantics semantics) {  // RFC 5610, 3.6
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

std::uint64_t units(std::string_view units) {  // RFC 5610, 3.7; 0: none, or one that it has no number for
    constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
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

std::uint64_t flow_key_indicator(std::span<const InformationElement* const> fields) noexcept {
    std::uint64_t indicator = 0;
    for (std::size_t i = 0; i < std::min(fields.size(), kMostKeys); ++i)
        if (is_flow_key(*fields[i])) indicator |= std::uint64_t{1} << i;
    return indicator;
}

OptionsTable flow_key_options(const OptionsProfile&, std::span<const KeyedTemplate> templates) {
    OptionsTable table{
        {.name = "flow_keys", .fields = {kTemplateId, kFlowKeyIndicator}, .netflow_scope = NetflowScope::kTemplate},
        {}};
    for (const KeyedTemplate& one : templates)
        table.rows.push_back({std::uint64_t{one.id}, flow_key_indicator(one.fields)});
    return table;
}

OptionsTable type_options(const OptionsProfile& profile, std::span<const ElementInUse> elements) {
    const std::uint16_t text = profile.text();
    OptionsTable table{{.name = "types",
                        .fields = {kEnterpriseNumber,
                                   kElementId,
                                   kElementDataType,
                                   kElementSemantics,
                                   kElementUnits,
                                   kElementRangeBegin,
                                   kElementRangeEnd,
                                   {kElementName, text},
                                   {kElementDescription, text}},
                        .scopes = 2},
                       {}};
    if (profile.protocol == OptionsProtocol::kNetflow9) return table;
    std::set<std::pair<std::uint32_t, std::uint16_t>> told;
    for (const ElementInUse& element : elements) {
        const InformationElement& field = *element.field;
        if (!is_of_an_enterprise(element.ie) || !told.emplace(element.ie.pen, element.ie.id).second) continue;
        constexpr std::uint64_t kNoRange = 0;  // both ends: none but that of the type
        table.rows.push_back({std::uint64_t{element.ie.pen}, std::uint64_t{element.ie.id}, data_type(field.type),
                              semantics(field.semantics), units(field.units), kNoRange, kNoRange,
                              std::string(field.name), std::string(field.description)});
    }
    return table;
}

}  // namespace nfstreamd::exporters
