// SPDX-License-Identifier: Apache-2.0
// What --print-config prints, and --explain-reload compares. Pure.
#pragma once
#include <string>
#include <vector>

#include "config/check.hpp"
#include "config/config.hpp"

namespace nfstreamd::config {

// YAML that loads to the same configuration; secrets are masked.
std::string effective_yaml(const Checked& checked);

// The same one by one. Of a capture entry each interface has its own.
std::vector<EffectiveSetting> effective_settings(const Checked& checked);

}  // namespace nfstreamd::config
