// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/anonymization_options.hpp"

#include <algorithm>

namespace nfstreamd::exporters::ipfix {

std::vector<AnonymizedElement> anonymized_elements(std::span<const SessionTemplate> templates,
                                                   const AnonymizationPlan& plan) {
    std::vector<AnonymizedElement> elements;
    for (const SessionTemplate& tmpl : templates)
        for (const FieldPlan& field : tmpl.layout->fields()) {
            const FieldAnonymization how = plan.of(*field.field);
            if (how.technique == AnonymizationTechnique::kNone) continue;
            const AnonymizedElement element{tmpl.id, field.ie, static_cast<std::uint16_t>(how.stability),
                                            static_cast<std::uint16_t>(how.technique)};
            if (std::find(elements.begin(), elements.end(), element) == elements.end()) elements.push_back(element);
        }
    return elements;
}

// An element that a template has twice is treated alike in both places, so that
// there is no informationElementIndex.
OptionsTable anonymization_table(std::span<const AnonymizedElement> elements) {
    OptionsTable table{
        {.name = "anonymization", .fields = {{145, 2}, {303, 2}, {346, 4}, {285, 2}, {286, 2}}, .scopes = 3}, {}};
    for (const AnonymizedElement& element : elements)
        table.rows.push_back({std::uint64_t{element.template_id}, std::uint64_t{element.ie.id},
                              std::uint64_t{element.ie.pen}, std::uint64_t{element.flags},
                              std::uint64_t{element.technique}});
    return table;
}

}  // namespace nfstreamd::exporters::ipfix
