// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a configuration although each of its settings is well
// formed, as far as it shows without privilege and without side effect. Used by
// --check-config, by the start and by a reload.
#pragma once
#include <vector>

#include "config/load.hpp"
#include "core/base/log.hpp"

namespace nfstreamd::daemon {

std::vector<config::ConfigError> check_config(const config::Config& config, Logger& logger);

}  // namespace nfstreamd::daemon
