// SPDX-License-Identifier: Apache-2.0
// The status document of nfstreamd as a table for people. Pure.
#pragma once
#include <string>

#include "core/base/result.hpp"

namespace nfstreamd::ctl {

Result<std::string> status_table(const std::string& status_json);

}  // namespace nfstreamd::ctl
