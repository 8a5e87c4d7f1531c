// SPDX-License-Identifier: Apache-2.0
// What a bug report needs, as one text: versions, findings, the configuration
// with its secrets masked, counters, the host, the last lines of the log.
#pragma once
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "daemon/ctl/findings.hpp"

namespace nfstreamd::ctl {

// Asks the daemon, the system and its journal once more.
std::string bug_report(const HostFacts& facts, const std::vector<Finding>& findings);

// Without what the configuration calls a secret, nor user and password of a URL. Pure.
std::string without_secrets(std::string text, const std::vector<std::string>& secrets);
std::vector<std::string> secrets_of(const config::Config& config);

// For its owner alone; a file that is there is not touched.
Status write_new_file(const std::string& path, const std::string& text);

}  // namespace nfstreamd::ctl
