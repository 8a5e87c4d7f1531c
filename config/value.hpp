// SPDX-License-Identifier: Apache-2.0
// One value of a setting: from the operator's text to a checked SettingValue
// and back. Pure; any thread.
#pragma once
#include <string>

#include "config/node.hpp"
#include "config/settings.hpp"
#include "core/base/result.hpp"

namespace nfstreamd::config {

// The error names what is accepted, and has no place.
Result<SettingValue> parse_value(const SettingSpec& spec, const Node& node);

// The value as YAML that parse_value() reads back; secrets as they are.
std::string print_value(const SettingSpec& spec, const SettingValue& value);

// "must be an integer from 0 to 255", for messages and the reference.
std::string requirement(const SettingSpec& spec);

// What parse_value() takes for a number with a unit, as an ECMA-262 expression,
// bounds aside; for kInteger, kNumber, kDuration and kSize.
std::string text_pattern(SettingType type);

// A YAML scalar that is read back as this string, in quotes where it needs them.
std::string print_string(const std::string& text);

}  // namespace nfstreamd::config
