// SPDX-License-Identifier: Apache-2.0
// The status document of nfstreamd as a table for people. Pure.
#pragma once
#include <string>

#include "core/base/result.hpp"

namespace nfstreamd::ctl {

Result<std::string> status_table(const std::string& status_json);
// Of documents that have one of its lists alone.
Result<std::string> interfaces_table(const std::string& interfaces_json);
Result<std::string> exporters_table(const std::string& exporters_json);

}  // namespace nfstreamd::ctl
