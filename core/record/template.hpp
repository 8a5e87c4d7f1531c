// SPDX-License-Identifier: Apache-2.0
// The fields one exporter sends, in order. Built once per configuration from
// the field table; every encoder walks it. Const after construction.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/record/information_element.hpp"

namespace nfstreamd {

using FieldSelection = std::vector<const InformationElement*>;

// Which column groups the meters fill in this run.
struct FieldGroups {
    bool tunnel = true, statistics = false, splt = false, application = true;
    bool system = false, l7_details = false, tcp_quality = false, enrichment = false;
    int accounting_mode = 0;    // decides which element carries src2dst_bytes
    bool nfstream3 = false;     // what the schema nfstream3 alone needs
    FieldSelection declared{};  // fields of plugins and models, in the order of columns
    bool has(IeGroup group) const;
    friend bool operator==(const FieldGroups&, const FieldGroups&) = default;
};

const InformationElement* find_field(std::string_view column_or_element_name);  // of the table
const InformationElement* find_field(std::string_view column_or_element_name, const FieldGroups& groups);

// nfstream's columns of the groups that are on, in nfstream's order.
FieldSelection nfstream_fields(const FieldGroups& groups);

// Everything that IPFIX can carry of the groups that are on, the encapsulation's aside: flow keys first,
// then reverse elements before forward ones (collectors that ignore the PEN
// keep the forward value), then strings. `pen` 0 leaves our own elements out.
FieldSelection ipfix_fields(const FieldGroups& groups, std::uint32_t pen);

// The element that carries a field in IPFIX, with kOurPen resolved: {0, 0} when
// it has none in this run.
IeId ipfix_element(const InformationElement& field, int ip_version, const FieldGroups& groups, std::uint32_t pen);

// Whether the value tells flows apart (RFC 7011, 2), so that it is the same in all
// packets of a flow.
bool is_flow_key(const InformationElement& field);
// The name of an element that ipfix_element() gave for the field, in its IPv4 form.
std::string_view ipfix_name(const InformationElement& field, const IeId& element);

// Columns of nfstream without an element that a reader computes of others.
bool is_derived(const InformationElement& field);

// An operator's `fields:` list on top of a default: column or element names,
// group names (core tunnel statistics splt application base plugins), "default", and
// "-name" to leave one out; a name that the default has means its column. Empty:
// the default. A field of a group that is off is an error that says which
// setting turns it on.
Result<FieldSelection> select_fields(const std::vector<std::string>& selection, const FieldSelection& defaults,
                                     const FieldGroups& groups);

std::string fields_text(const FieldSelection& declared = {});  // --list-fields
std::string fields_markdown();                                 // FIELDS.md

}  // namespace nfstreamd
