// SPDX-License-Identifier: Apache-2.0
// The fields of one template in their order, with what each has on the wire:
// planned once from the field selection. Const after construction.
#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/record/template.hpp"
#include "exporters/options/application_id.hpp"

namespace nfstreamd::exporters::ipfix {

inline constexpr std::uint16_t kVariableLength = 65535;  // RFC 7011, 3.2
inline constexpr std::size_t kMessageHeader = 16, kSetHeader = 4;

// A basicList (RFC 6313, 4.5.1) under an enterprise's element: semantic, element,
// length and number, then the entries.
inline constexpr IeId kBasicList{0, 291};
inline constexpr std::size_t kListHeader = 9;

struct FieldPlan {
    const InformationElement* field;
    IeId ie;               // with the private enterprise number resolved
    std::uint16_t length;  // or kVariableLength
    IeId entry_ie{};       // of a basicList: element and octets of its entries
    std::uint16_t entry_length = 0;

    bool is_list() const noexcept { return entry_length != 0; }
};

// Octets of a field's value, in the shorter form where the table has one (RFC 7011, 6.2).
std::uint16_t wire_length(const InformationElement& field, int ip_version);

bool is_application_id(const FieldPlan& plan) noexcept;

class RecordLayout {
public:
    // Fields that have no element for this IP version are left out, and for a
    // uniflow all of the reverse direction and of both.
    RecordLayout(const FieldSelection& fields, int ip_version, bool biflow, const FieldGroups& groups,
                 std::uint32_t pen);

    explicit RecordLayout(std::vector<FieldPlan> fields) : fields_(std::move(fields)) {}

    // Octets of applicationId in another form than kPanaL7Pen.
    void set_application_id(ApplicationIdForm form);

    std::span<const FieldPlan> fields() const noexcept { return fields_; }
    std::size_t minimum_wire_length() const noexcept;   // of a data record: all strings and lists empty
    std::size_t template_wire_length() const noexcept;  // of its template record

private:
    std::vector<FieldPlan> fields_;
};

// Selected fields that IPFIX does not carry, for either IP version.
struct LeftOut {
    FieldSelection need_number;  // private_enterprise_number
    FieldSelection derived;      // a reader computes them
    FieldSelection no_element;
};
LeftOut left_out(const FieldSelection& fields, const FieldGroups& groups, std::uint32_t pen);

}  // namespace nfstreamd::exporters::ipfix
