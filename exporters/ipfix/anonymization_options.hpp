// SPDX-License-Identifier: Apache-2.0
// How the fields of our templates were anonymised, as a table of options: a row
// for each field that is (RFC 6235, section 6). Pure.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "exporters/anonymize/anonymization_plan.hpp"
#include "exporters/ipfix/fixbuf_model.hpp"
#include "exporters/options/options_template.hpp"

namespace nfstreamd::exporters::ipfix {

struct AnonymizedElement {
    std::uint16_t template_id;
    IeId ie;              // with the private enterprise number resolved; 29305 of reverse elements
    std::uint16_t flags;  // IE 285: the stability class, no more
    std::uint16_t technique;
    friend bool operator==(const AnonymizedElement&, const AnonymizedElement&) = default;
};

// In the order of the templates and their fields, each element of a template once.
std::vector<AnonymizedElement> anonymized_elements(std::span<const SessionTemplate> templates,
                                                   const AnonymizationPlan& plan);

// templateId, informationElementId, privateEnterpriseNumber | anonymizationFlags, anonymizationTechnique
OptionsTable anonymization_table(std::span<const AnonymizedElement> elements);

}  // namespace nfstreamd::exporters::ipfix
