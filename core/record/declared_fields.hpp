// SPDX-License-Identifier: Apache-2.0
// Fields that are declared at run time, beside the table's: by plugins and
// models. A declared field is a row like the others (CSV, JSON, IPFIX, filters
// know no difference); its values are in FlowRecord::declared. Which of them are
// in use says FieldGroups::declared.
//
// Rows and columns stay until the process ends, as records, spools and exporters
// point to them; what is declared again is the row that there is. Any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/record/flow_record.hpp"
#include "core/record/information_element.hpp"

namespace nfstreamd {

// What a value belongs to: one for each name and type.
struct DeclaredColumn {
    std::string name;
    IeType type = IeType::kAny;
};

struct FieldDeclaration {
    std::string column{};  // "udps.packet_40_count"
    IeType type = IeType::kAny;
    std::string description{};
    std::string units{};
    std::string element{};  // IPFIX name; "": made of the column
    IeId ie{};              // {0, 0}: one of ours, by the column's name
};

// Our elements with these numbers are for declared fields: the number follows from
// the column's name (the next that is free, when two names meet).
inline constexpr std::uint16_t kFirstDeclaredElement = 8192, kLastDeclaredElement = 16383;

// Errors say what is wrong with the name, the type or the element.
Result<const InformationElement*> declare_field(const FieldDeclaration& declaration);

// The same field under another name, as nfstream 3 has `NAME` for `udps.NAME`.
const InformationElement* renamed_field(const InformationElement& field, std::string_view column);

// Null: no such column has been declared in this process.
const DeclaredColumn* find_declared_column(std::string_view name, IeType type);

// Whether a value of that kind may be given to a column of that type.
bool suits(IeType type, const FieldValue& value) noexcept;

// What the record has for the column; nothing when it has none.
FieldValue declared_value(const DeclaredColumn& column, const FlowRecord& record) noexcept;

}  // namespace nfstreamd
