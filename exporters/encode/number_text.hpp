// SPDX-License-Identifier: Apache-2.0
// Numbers and lists as text, appended to a string without allocating. The same
// in CSV and JSON.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "core/record/information_element.hpp"

namespace nfstreamd::exporters {

void append_integer(std::string& out, std::int64_t value);
void append_integer(std::string& out, std::uint64_t value);
void append_integer(std::string& out, const Unsigned128& value);

// The shortest text that reads back as the same number, and as a float: with
// ".0" or an exponent, as Python writes it. The value must be finite.
void append_float(std::string& out, double value);

void append_list(std::string& out, std::span<const std::int32_t> values);  // "[0, 1, -1]"

void append_python_text(std::string& out, const FieldValue& value);  // as str() in Python; nothing for no value

}  // namespace nfstreamd::exporters
