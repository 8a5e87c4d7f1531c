// SPDX-License-Identifier: Apache-2.0
// What the generations of nfstream call a setting, and its default there. The
// tables have the keys of all; this cuts them to those of one. Pure.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "core/record/generation.hpp"

namespace nfstreamd::config {

// The settings of a table that this generation has, with its defaults.
std::vector<SettingSpec> settings_of(std::span<const SettingSpec> table, Generation generation);

// What a key is called in the generations that do not have it; "" for a key that all have.
std::string_view name_elsewhere(std::string_view key);

std::string generations_markdown();  // part of REFERENCE.md

}  // namespace nfstreamd::config
