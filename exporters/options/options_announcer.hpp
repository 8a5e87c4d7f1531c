// SPDX-License-Identifier: Apache-2.0
// The options of one exporter for its sessions: which are sent when, under ids
// that follow from what their templates say. Belongs to the thread of its exporter.
#pragma once
#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "core/record/process_facts.hpp"
#include "core/selection/selector_list.hpp"
#include "exporters/ipfix/stable_template_ids.hpp"
#include "exporters/options/options_profile.hpp"
#include "exporters/options/options_tables.hpp"
#include "exporters/options/options_template.hpp"
#include "exporters/session/message_format.hpp"

namespace nfstreamd::exporters {

struct AnnouncedOptions {
    OptionsProfile profile;
    std::shared_ptr<const SelectorList> selectors{};  // null: not known
    std::shared_ptr<const ProcessFacts> facts{};      // null: not known
    std::uint32_t exporting_process = 0;
    std::vector<ipfix::EnterpriseElement> elements{};
    std::vector<KeyedTemplate> templates{};  // of data
    std::vector<OptionsTable> more{};        // that never change
};

class OptionsAnnouncer {
public:
    // `ids` has given those of the data templates.
    OptionsAnnouncer(AnnouncedOptions options, ipfix::StableTemplateIds& ids);

    // Another number after each change of what announce() tells.
    std::uint64_t version() const noexcept;

    // In this order in a session; templates that it has already are left out.
    void add_types(MessageQueue& queue, SessionTemplates& known) const;  // before the data templates
    void add_short(MessageQueue& queue, SessionTemplates& known) const;  // behind them
    void repeat_templates(MessageQueue& queue, const SessionTemplates& known) const;
    std::unique_ptr<MessagePages> names(std::size_t max_message) const;  // interfaces, applications; null: none
    void add_statistics(MessageQueue& queue, SessionTemplates& known, const SessionReport& report) const;

private:
    OptionsSources sources() const;
    std::vector<OptionsTable> tables(OptionsKinds kinds, bool periodic, const OptionsSources& sources) const;
    void add(MessageQueue& queue, SessionTemplates& known, const std::vector<OptionsTable>& tables) const;
    OptionsWire wire(std::size_t max_message) const;
    std::uint16_t id_of(const OptionsTemplate& tmpl) const;

    const AnnouncedOptions options_;
    std::vector<std::pair<OptionsTemplate, std::uint16_t>> ids_;
};

}  // namespace nfstreamd::exporters
