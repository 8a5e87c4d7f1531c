// SPDX-License-Identifier: Apache-2.0
// A value in a filter expression, typed by the field it is compared with, and
// the comparison. Pure; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/result.hpp"
#include "core/record/information_element.hpp"

namespace nfstreamd {

// What a field can be compared with.
enum class FilterKind { kNumber, kTime, kBoolean, kText, kAddress, kMac, kAny, kNothing };
FilterKind filter_kind(const InformationElement& field) noexcept;

struct FilterNumber {  // exact when integral
    std::uint64_t magnitude = 0;
    double real = 0;
    bool negative = false, integral = true;
};
struct AddressBlock {
    IpAddress address;  // bits behind the prefix are zero
    unsigned prefix = 0;
};
using FilterValue = std::variant<FilterNumber, std::string, AddressBlock, MacAddress>;

enum class FilterOperator { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kContains };

// An operator that the field cannot take is an error that names those it can.
Status check_filter_operator(const InformationElement& field, FilterOperator op);
Result<FilterValue> parse_filter_value(const InformationElement& field, std::string_view text);

// False for a value that the record does not have, but for kNotEqual.
bool filter_matches(const FieldValue& value, FilterOperator op, const FilterValue& wanted) noexcept;

}  // namespace nfstreamd
