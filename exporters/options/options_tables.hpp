// SPDX-License-Identifier: Apache-2.0
// All kinds of options together: what an exporter asks for when it sends its
// templates, and later on. Pure.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/record/process_facts.hpp"
#include "core/selection/packet_selector.hpp"
#include "exporters/options/element_options.hpp"
#include "exporters/options/options_profile.hpp"
#include "exporters/options/options_template.hpp"
#include "exporters/options/process_options.hpp"

namespace nfstreamd::exporters {

// What the rows are made of. Borrowed for the call.
struct OptionsSources {
    std::span<const ipfix::EnterpriseElement> elements{};
    std::span<const KeyedTemplate> templates{};
    std::span<const PacketSelector> selectors{};
    const ProcessFacts* facts = nullptr;  // null: nothing is known of the process
    ExportingStatistics exporting{};
};

// Every options template that the exporter may ever use, for ids that last.
std::vector<OptionsTemplate> options_templates(const OptionsProfile& profile);

// The kinds that are on, those that are sent with the templates (`periodic` false)
// or every options_interval, in the order in which they are sent. Tables without
// rows are left out.
std::vector<OptionsTable> options_tables(const OptionsProfile& profile, bool periodic, const OptionsSources& sources);

// RFC 5610: those go before the templates that use the elements, all others after the templates.
std::vector<OptionsTable> type_tables(const OptionsProfile& profile, const OptionsSources& sources);

}  // namespace nfstreamd::exporters
