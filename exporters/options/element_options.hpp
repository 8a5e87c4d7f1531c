// SPDX-License-Identifier: Apache-2.0
// What a collector should know of our templates: which of their fields are flow
// keys (RFC 7011, 4.4), and what the elements of enterprises are (RFC 5610). Pure.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/record/information_element.hpp"
#include "exporters/ipfix/enterprise_elements.hpp"
#include "exporters/options/options_profile.hpp"
#include "exporters/options/options_template.hpp"

namespace nfstreamd::exporters {

// One data template; its fields in their order on the wire.
struct KeyedTemplate {
    std::uint16_t id = 0;
    std::vector<const InformationElement*> fields;
};
// Bit n-1 is set when the n-th field is a flow key (IE 173), of the first 64.
std::uint64_t flow_key_indicator(std::span<const InformationElement* const> fields) noexcept;

OptionsTable flow_key_options(const OptionsProfile& profile, std::span<const KeyedTemplate> templates);

// None in NetFlow v9, which has no such elements.
OptionsTable type_options(const OptionsProfile& profile, std::span<const ipfix::EnterpriseElement> elements);

}  // namespace nfstreamd::exporters
