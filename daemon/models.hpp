// SPDX-License-Identifier: Apache-2.0
// The models of a configuration, from their entries to what meters are made
// with; they come behind the plugins in metering.extensions. Control thread.
#pragma once
#include <vector>

#include "config/config.hpp"
#include "config/load.hpp"
#include "core/base/result.hpp"

namespace nfstreamd::daemon {

// Reads them into metering.extensions, behind those of the plugins; what cannot be used is an error.
void load_models(config::Config& config, std::vector<config::ConfigError>& errors);

// Whether other models score, in another order, or by other files.
bool models_differ(const config::Config& running, const config::Config& wanted);

// Those that are the same as before stay those that run.
void keep_models(const config::Config& running, config::Config& wanted);

// Whether meters that run fill what they take: a setting may have to wait for a restart.
Status check_models(const config::Config& config);

}  // namespace nfstreamd::daemon
