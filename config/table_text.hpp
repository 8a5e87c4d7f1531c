// SPDX-License-Identifier: Apache-2.0
// Words for what the tables of settings say, for all that is printed from them:
// REFERENCE.md, the JSON Schema, the manual. Pure.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"

namespace nfstreamd::config {

std::string_view type_text(SettingType type);  // "duration"
std::string_view reload_text(Reload reload);   // "live"
std::vector<std::string_view> choices_of(const SettingSpec& spec);
std::string bounds_text(const SettingSpec& spec);  // "0s to 3600s"; "" without bounds

// The table of a block of the top level; none for exporters, where each type has one.
std::span<const SettingSpec> settings_of_block(std::string_view block);

}  // namespace nfstreamd::config
