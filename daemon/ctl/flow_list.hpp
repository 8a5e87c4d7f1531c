// SPDX-License-Identifier: Apache-2.0
// The answer to `flows` as a table for people. Pure.
#pragma once
#include <string>

#include "core/base/result.hpp"

namespace nfstreamd::ctl {

Result<std::string> flow_list(const std::string& flows_json);

}  // namespace nfstreamd::ctl
