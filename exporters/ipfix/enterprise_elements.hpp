// SPDX-License-Identifier: Apache-2.0
// What a collector has to be told of the elements that are not IANA's: their type
// information as RFC 5610 gives it. Pure; any thread.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/record/template.hpp"

namespace nfstreamd::exporters::ipfix {

// Numbers are those of IANA's registries of IPFIX data types, semantics and units.
struct EnterpriseElement {
    std::uint32_t pen;                             // privateEnterpriseNumber (346)
    std::uint16_t id;                              // informationElementId (303), without the enterprise bit
    std::uint8_t data_type;                        // informationElementDataType (339)
    std::uint8_t semantics;                        // informationElementSemantics (344)
    std::uint16_t units;                           // informationElementUnits (345), 0: none
    std::uint64_t range_begin = 0, range_end = 0;  // 342, 343; both 0: all that the type holds
    std::string_view name, description;            // 341, 340; of the field table, good for ever
};

// Those that records of the selection have, entries of lists included, each once;
// the reverse elements of RFC 5103 follow from IANA's and are not among them.
// `biflow` false: records of one direction alone are sent.
std::vector<EnterpriseElement> enterprise_elements(const FieldSelection& fields, const FieldGroups& groups,
                                                   std::uint32_t pen, bool biflow = true);

}  // namespace nfstreamd::exporters::ipfix
