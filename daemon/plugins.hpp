// SPDX-License-Identifier: Apache-2.0
// The plugins of a configuration, from their entries to what meters are made
// with. Control thread.
#pragma once
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/load.hpp"
#include "core/base/log.hpp"
#include "core/metering/metering_process.hpp"

namespace nfstreamd::daemon {

// Loads them into metering.extensions, in their order; what cannot be loaded is an error.
void load_plugins(config::Config& config, Logger& logger, std::vector<config::ConfigError>& errors);

// The extensions that are the same as before stay those that run.
void keep_extensions(const config::Config& running, config::Config& wanted);

// For a meter that runs: those that it has not got yet are made.
Result<std::vector<HookLink>> hook_links(const config::Config& running, const config::Config& wanted,
                                         const std::string& meter, Logger& logger);

}  // namespace nfstreamd::daemon
