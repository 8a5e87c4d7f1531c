// SPDX-License-Identifier: Apache-2.0
#include "exporters/options/name_options.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr std::uint16_t kApplicationId = 95, kApplicationName = 96, kApplicationDescription = 94,
                        kApplicationCategory = 372;
constexpr OptionsField kIngressInterface{10, 4};
constexpr std::uint16_t kInterfaceName = 82, kInterfaceDescription = 83;

}  // namespace

OptionsTable application_options(const OptionsProfile& profile, const ApplicationList& applications) {
    const std::uint16_t text = profile.text();
    OptionsTable table{{.name = "applications",
                        .fields = {{kApplicationId, application_id_length(profile.application_id)},
                                   {kApplicationName, text},
                                   {kApplicationDescription, text}},
                        .alone = profile.names_alone},
                       {}};
    if (profile.application_category) table.tmpl.fields.push_back({kApplicationCategory, text});
    for (const ApplicationInfo& one : applications) {
        table.rows.push_back({application_id(one.id, profile.application_id), one.name, one.description});
        if (profile.application_category) table.rows.back().emplace_back(one.category);
    }
    return table;
}

OptionsTable interface_options(const OptionsProfile& profile, std::span<const InterfaceInfo> interfaces) {
    const std::uint16_t text = profile.text();
    OptionsTable table{
        {.name = "interfaces", .fields = {kIngressInterface, {kInterfaceName, text}, {kInterfaceDescription, text}}},
        {}};
    for (const InterfaceInfo& one : interfaces)
        table.rows.push_back({std::uint64_t{one.index}, one.name, one.description});
    return table;
}

}  // namespace nfstreamd::exporters
