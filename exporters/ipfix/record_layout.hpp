// SPDX-License-Identifier: Apache-2.0
// The fields of one template in their order, with what each has on the wire:
// planned once from the field selection. Const after construction.
#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/record/template.hpp"

namespace nfstreamd::exporters::ipfix {

inline constexpr std::uint16_t kVariableLength = 65535;  // RFC 7011, 3.2
inline constexpr std::size_t kMessageHeader = 16, kSetHeader = 4;

struct FieldPlan {
    const InformationElement* field;
    IeId ie;               // with the private enterprise number resolved
    std::uint16_t length;  // or kVariableLength
};

// Octets of a field's value, in the shorter form where the table has one (RFC 7011, 6.2).
std::uint16_t wire_length(const InformationElement& field, int ip_version);

class RecordLayout {
public:
    // Fields that have no element for this IP version are left out, and for a
    // uniflow all of the reverse direction.
    RecordLayout(const FieldSelection& fields, int ip_version, bool biflow, const FieldGroups& groups,
                 std::uint32_t pen);

    explicit RecordLayout(std::vector<FieldPlan> fields) : fields_(std::move(fields)) {}

    std::span<const FieldPlan> fields() const noexcept { return fields_; }
    std::size_t minimum_wire_length() const noexcept;   // of a data record: all strings empty
    std::size_t template_wire_length() const noexcept;  // of its template record

private:
    std::vector<FieldPlan> fields_;
};

}  // namespace nfstreamd::exporters::ipfix
