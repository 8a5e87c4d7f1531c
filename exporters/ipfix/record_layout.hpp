// SPDX-License-Identifier: Apache-2.0
// Where each field of a flow record goes: in the template, and in the packed
// record that the encoder reads. Planned once per template from the field
// selection. fill() uses scratch memory: one thread.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/record/template.hpp"

namespace nfstreamd::exporters::ipfix {

inline constexpr std::uint16_t kVariableLength = 65535;  // RFC 7011, 3.2
inline constexpr std::size_t kMessageHeader = 16, kSetHeader = 4;

// A string in the packed record; the encoder's own type has the same shape.
struct VariableField {
    std::size_t length;
    const std::uint8_t* bytes;
};

struct FieldPlan {
    const InformationElement* field;
    IeId ie;               // with the private enterprise number resolved
    std::uint16_t length;  // on the wire and in the record, or kVariableLength
    std::uint32_t offset;  // in the packed record
};

class RecordLayout {
public:
    // Fields that have no element for this IP version are left out, and for a
    // uniflow all of the reverse direction.
    RecordLayout(const FieldSelection& fields, int ip_version, bool biflow, const FieldGroups& groups,
                 std::uint32_t pen);

    std::span<const FieldPlan> fields() const noexcept { return fields_; }  // in template order
    std::vector<const FieldPlan*> by_offset() const;                        // in packed order
    std::size_t record_size() const noexcept { return record_size_; }
    std::size_t minimum_wire_length() const noexcept { return fixed_length_ + strings_.size(); }
    std::size_t template_wire_length() const noexcept;  // of its template record

    struct Filled {
        std::size_t wire_length;
        bool cut;  // a string was shortened to meet the limit
    };
    // Writes the packed record; `limit` is at least minimum_wire_length(). The
    // record's strings must live until the packed record was encoded.
    Filled fill(const FlowRecord& record, std::uint8_t* packed, std::size_t limit);

private:
    bool cut_strings(std::size_t& wire_length, std::size_t limit);

    std::vector<FieldPlan> fields_;
    std::size_t record_size_ = 0, fixed_length_ = 0;
    std::vector<VariableField> strings_;  // of the record at hand
    std::vector<std::string> cleaned_;    // for strings that are not valid UTF-8
};

}  // namespace nfstreamd::exporters::ipfix
