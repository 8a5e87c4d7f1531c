// SPDX-License-Identifier: Apache-2.0
#include "exporters/options/element_options.hpp"

#include <algorithm>
#include <string>

#include "core/record/template.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr OptionsField kTemplateId{145, 2}, kFlowKeyIndicator{173, 8};
constexpr OptionsField kEnterpriseNumber{346, 4}, kElementId{303, 2}, kElementDataType{339, 1},
    kElementSemantics{344, 1}, kElementUnits{345, 2}, kElementRangeBegin{342, 8}, kElementRangeEnd{343, 8};
constexpr std::uint16_t kElementName = 341, kElementDescription = 340;
constexpr std::size_t kMostKeys = 64;  // bits of the indicator

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

OptionsTable type_options(const OptionsProfile& profile, std::span<const ipfix::EnterpriseElement> elements) {
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
    for (const ipfix::EnterpriseElement& element : elements)
        table.rows.push_back({std::uint64_t{element.pen}, std::uint64_t{element.id}, std::uint64_t{element.data_type},
                              std::uint64_t{element.semantics}, std::uint64_t{element.units}, element.range_begin,
                              element.range_end, std::string(element.name), std::string(element.description)});
    return table;
}

}  // namespace nfstreamd::exporters
