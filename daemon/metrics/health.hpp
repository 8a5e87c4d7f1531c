// SPDX-License-Identifier: Apache-2.0
// Whether the daemon does what it is there for: something is captured on, all
// that is `required` among it, and no exporter has failed for good. Pure.
#pragma once
#include <string>
#include <vector>

#include "daemon/status.hpp"

namespace nfstreamd::daemon {

struct Health {
    std::vector<std::string> problems;  // none: it does
    std::vector<std::string> degraded;  // what it is to go on without, as configured
    bool ok() const { return problems.empty(); }
};

Health health_of(const DaemonStatus& status, bool stopping);
std::string health_json(const DaemonStatus& status, const Health& health);

}  // namespace nfstreamd::daemon
