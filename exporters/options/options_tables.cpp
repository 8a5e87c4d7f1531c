// SPDX-License-Identifier: Apache-2.0
#include "exporters/options/options_tables.hpp"

#include <iterator>
#include <utility>

#include "exporters/options/name_options.hpp"
#include "exporters/options/sampling_options.hpp"

namespace nfstreamd::exporters {
namespace {

std::vector<OptionsTable> one(OptionsTable table) {
    std::vector<OptionsTable> tables;
    tables.push_back(std::move(table));
    return tables;
}

std::vector<OptionsTable> tables_of(OptionsKind kind, const OptionsProfile& profile, const OptionsSources& sources) {
    const ProcessFacts nothing;
    const ProcessFacts& facts = sources.facts != nullptr ? *sources.facts : nothing;
    switch (kind) {
        case OptionsKind::kTypes:
            return one(type_options(profile, sources.elements));
        case OptionsKind::kFlowKeys:
            return one(flow_key_options(profile, sources.templates));
        case OptionsKind::kSystem:
            return one(system_options(profile, facts.started_ms()));
        case OptionsKind::kSampling:
            return sampling_options(profile, sources.selectors).tables();
        case OptionsKind::kMetering:
            return one(metering_options(profile, sources.exporting));
        case OptionsKind::kReliability:
            return one(reliability_options(profile, facts.metering()));
        case OptionsKind::kExporting:
            return one(exporting_options(profile, sources.exporting));
        case OptionsKind::kInterfaces:
            return one(interface_options(profile, facts.interfaces()));
        case OptionsKind::kApplications:
            return one(application_options(profile, *facts.applications()));
    }
    return {};
}

std::vector<OptionsKind> kinds_of(const OptionsProfile& profile) {
    std::vector<OptionsKind> kinds;
    for (std::size_t i = 0; i < kOptionsKinds; ++i)
        if (const auto kind = static_cast<OptionsKind>(i); profile.kinds.has(kind)) kinds.push_back(kind);
    return kinds;
}

void add_filled(std::vector<OptionsTable>& to, std::vector<OptionsTable> tables) {
    for (OptionsTable& table : tables)
        if (!table.rows.empty()) to.push_back(std::move(table));
}

}  // namespace

std::vector<OptionsTemplate> options_templates(const OptionsProfile& profile) {
    std::vector<OptionsTemplate> templates;
    for (const OptionsKind kind : kinds_of(profile)) {
        if (kind == OptionsKind::kTypes && profile.protocol == OptionsProtocol::kNetflow9) continue;
        for (OptionsTable& table : tables_of(kind, profile, {})) templates.push_back(std::move(table.tmpl));
    }
    return templates;
}

std::vector<OptionsTable> options_tables(const OptionsProfile& profile, bool periodic, const OptionsSources& sources) {
    std::vector<OptionsTable> tables;
    for (const OptionsKind kind : kinds_of(profile))
        if (kind != OptionsKind::kTypes && is_periodic(kind) == periodic)
            add_filled(tables, tables_of(kind, profile, sources));
    return tables;
}

std::vector<OptionsTable> type_tables(const OptionsProfile& profile, const OptionsSources& sources) {
    std::vector<OptionsTable> tables;
    if (profile.kinds.has(OptionsKind::kTypes)) add_filled(tables, tables_of(OptionsKind::kTypes, profile, sources));
    return tables;
}

}  // namespace nfstreamd::exporters
