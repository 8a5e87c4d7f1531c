// SPDX-License-Identifier: Apache-2.0
// How the fields of our templates were anonymised, as IPFIX messages: an options
// template and one data record for each field that is (RFC 6235, section 6). Export
// time and sequence number are the caller's. Pure.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "exporters/anonymize/anonymization_plan.hpp"
#include "exporters/ipfix/fixbuf_model.hpp"
#include "exporters/ipfix/selector_options.hpp"

namespace nfstreamd::exporters::ipfix {

// templateId, informationElementId, privateEnterpriseNumber | anonymizationFlags, anonymizationTechnique
inline constexpr std::uint16_t kAnonymizationOptions = 280;

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

// The template first, then all records; empty when no field is anonymised.
// `max_message` has room for a record.
std::vector<OptionsMessage> anonymization_options(std::span<const SessionTemplate> templates,
                                                  const AnonymizationPlan& plan, std::uint32_t domain,
                                                  std::size_t max_message);

}  // namespace nfstreamd::exporters::ipfix
