// SPDX-License-Identifier: Apache-2.0
// One exported field, described once. IPFIX templates, CSV header, JSON keys,
// --list-fields and FIELDS.md are all computed from this row.
#pragma once
#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/record/field_value.hpp"

namespace nfstreamd {

struct FlowRecord;

enum class IeType : std::uint8_t {  // abstract data types of RFC 7012, section 3.1
    kUnsigned8,
    kUnsigned16,
    kUnsigned32,
    kUnsigned64,
    kSigned32,
    kFloat64,
    kBoolean,
    kMacAddress,
    kIpAddress,
    kDateTimeMilliseconds,
    kString,
    kOctetArray,
    kSigned64,        // this, kAny and kSigned32List: of declared fields alone
    kAny,             // the kind goes by the value; a string in IPFIX
    kSigned8List,     // lists of numbers; in IPFIX a basicList (RFC 6313) of elements of that type
    kUnsigned16List,  //
    kGapList,         // times from one to the next; in IPFIX a basicList of dateTimeMilliseconds
    kSigned32List,
};
constexpr bool is_list(IeType type) {
    return type >= IeType::kSigned8List;
}

enum class IeSemantics : std::uint8_t {  // RFC 7012, section 3.2
    kDefault,
    kQuantity,
    kTotalCounter,
    kDeltaCounter,
    kIdentifier,
    kFlags,
    kList
};

// nfstream's column groups, then ours. The order is the order of columns.
enum class IeGroup : std::uint8_t {
    kCore,           // always
    kTunnel,         // decode_tunnels
    kStatistics,     // statistical_analysis
    kSplt,           // splt_analysis
    kApplication,    // n_dissections
    kSystem,         // system_visibility_mode
    kDetails,        // n_dissections: the same by protocol, as collectors name it; by `fields:` in CSV and JSON
    kMoments,        // statistical_analysis: what IPFIX carries in place of means and deviations; by `fields:`
    kBase,           // what operators ask for beside nfstream's columns; by `fields:` in CSV and JSON
    kEncapsulation,  // decode_tunnels: the tunnel's own addresses and id; by `fields:`
    kL7Details,      // l7_details; by `fields:`
    kTcpQuality,     // tcp_quality; by `fields:`
    kEnrichment,     // enrichment; by `fields:`
    kDeclared,       // at run time, by plugins and models; after the application in the order of columns
};

// Which half of a biflow a field belongs to. Uniflow templates leave kReverse
// and kBoth out; of kBoth IPFIX carries what does not follow from the halves.
enum class IeSide : std::uint8_t { kFlow, kForward, kReverse, kBoth };

struct IeId {
    std::uint32_t pen = 0;  // 0: IANA registry, 29305: reverse (RFC 5103)
    std::uint16_t id = 0;   // 0: has no element, not carried by IPFIX
    friend bool operator==(const IeId&, const IeId&) = default;
};
inline constexpr std::uint32_t kReversePen = 29305;
inline constexpr std::uint32_t kOurPen = 0xFFFFFFFF;  // stands for `private_enterprise_number`

// What a reader finds where its value lies in the record, or its function gives.
enum class FieldForm : std::uint8_t {
    kAny,         // value() alone tells
    kUnsigned8,   // numbers, in the machine's byte order
    kUnsigned16,  //
    kUnsigned32,
    kUnsigned64,
    kFloat64,
    kNanoseconds,  // TimestampNs; the value is in milliseconds
    kIpAddress,
    kMacAddress,
    kText,      // std::string_view
    kNumberOf,  // number()
    kTextOf,    // text()
};

// How the value of a row is read of a record. value() serves everyone; encoders
// that copy go by the form, and must come to the same. Blocks that a record has
// not got read as their defaults.
struct FieldReader {
    using Value = FieldValue (*)(const FlowRecord&);
    using Member = const void* (*)(const FlowRecord&);  // null: in a block that the record has not got
    using Number = std::uint64_t (*)(const FlowRecord&);
    using Text = std::string_view (*)(const FlowRecord&);

    Value value = nullptr;
    FieldForm form = FieldForm::kAny;
    Member member = nullptr;
    Number number = nullptr;
    Text text = nullptr;
    const DeclaredColumn* declared = nullptr;  // null: a row of the table

    constexpr FieldReader() = default;
    constexpr explicit FieldReader(const DeclaredColumn& column) : declared(&column) {}
    template <std::convertible_to<Value> F>
    constexpr FieldReader(F function) : value(function) {}
    constexpr FieldReader(Value any, FieldForm of_member, Member where) : value(any), form(of_member), member(where) {}
    constexpr FieldReader(Value any, Number function) : value(any), form(FieldForm::kNumberOf), number(function) {}
    constexpr FieldReader(Value any, Text function) : value(any), form(FieldForm::kTextOf), text(function) {}

    FieldValue operator()(const FlowRecord& record) const;
};

struct InformationElement {
    std::string_view column;  // CSV header and JSON key: "src2dst_bytes"
    std::string_view name;    // IPFIX name: "octetDeltaCount"; "" when it has no element
    IeId ie;                  // element, or its IPv4 form; of a list that of its entries
    IeId ie_v6;               // IPv6 form where the registry has two
    IeType type;
    // Octets in IPFIX when shorter than the type's own (RFC 7011, 6.2); 0: the type's. 16 for an address that need not
    // be of the flow's IP version: always the IPv6 form.
    std::uint16_t wire_length;
    IeSemantics semantics;
    IeGroup group;
    IeSide side;
    std::string_view units;
    std::string_view description;  // one sentence, goes to the docs as it is
    FieldReader value;
};

FieldValue declared_value(const DeclaredColumn& column, const FlowRecord& record) noexcept;

inline FieldValue FieldReader::operator()(const FlowRecord& record) const {
    if (declared != nullptr) [[unlikely]]
        return declared_value(*declared, record);
    return value(record);
}

std::span<const InformationElement> builtin_elements() noexcept;

}  // namespace nfstreamd
