// SPDX-License-Identifier: Apache-2.0
// What --print-config prints. Pure.
#pragma once
#include <string>

#include "config/check.hpp"

namespace nfstreamd::config {

// YAML that loads to the same configuration; secrets are masked.
std::string effective_yaml(const Checked& checked);

}  // namespace nfstreamd::config
