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
#include "core/plugin/plugin_options.hpp"

namespace nfstreamd::daemon {

// Of texts "FIELD=PEN/NUMBER"; what is none is an error.
std::vector<ConfiguredElement> configured_elements(const std::vector<std::string>& texts, const std::string& where,
                                                   const std::string& key, std::vector<config::ConfigError>& errors);

// Loads them into metering.extensions, in their order; what cannot be loaded is an error.
void load_plugins(config::Config& config, Logger& logger, std::vector<config::ConfigError>& errors);

// Those that are the same as before stay those that run.
void keep_plugins(const config::Config& running, config::Config& wanted);

// For a meter that runs, of plugins and models: those that it has not got yet are made.
Result<std::vector<HookLink>> hook_links(const config::Config& running, const config::Config& wanted,
                                         const std::string& meter, Logger& logger);

}  // namespace nfstreamd::daemon
