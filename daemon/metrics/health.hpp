// SPDX-License-Identifier: Apache-2.0
// Whether the daemon does what it is there for: every interface is captured on,
// and no exporter has failed for good. Pure.
#pragma once
#include <string>
#include <vector>

#include "daemon/status.hpp"

namespace nfstreamd::daemon {

struct Health {
    std::vector<std::string> problems;  // none: all is well
    bool ok() const { return problems.empty(); }
};

Health health_of(const DaemonStatus& status, bool stopping);
std::string health_json(const DaemonStatus& status, const Health& health);

}  // namespace nfstreamd::daemon
