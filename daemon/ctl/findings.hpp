// SPDX-License-Identifier: Apache-2.0
// What is wrong, and the fix: `doctor` as a function of what was gathered. Pure.
#pragma once
#include <string>
#include <vector>

#include "daemon/ctl/host_facts.hpp"

namespace nfstreamd::ctl {

enum class Severity { kError, kWarning, kNote };  // is lost or does not work; is or may become wrong; to know

struct Finding {
    Severity severity = Severity::kWarning;
    std::string check;  // "offloads": the same for the same kind of trouble
    std::string where, what, fix;
};

// The gravest first.
std::vector<Finding> examine(const HostFacts& facts);

std::string findings_text(const std::vector<Finding>& findings, const HostFacts& facts);
std::string findings_json(const std::vector<Finding>& findings, const HostFacts& facts);

}  // namespace nfstreamd::ctl
