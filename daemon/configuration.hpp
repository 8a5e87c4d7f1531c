// SPDX-License-Identifier: Apache-2.0
// The configuration that a command line asks for: its file or none, its
// overrides, the exporter that -w stands for; loaded and checked. Used at the
// start and again by each reload. No side effect.
#pragma once
#include "config/load.hpp"
#include "core/base/log.hpp"
#include "daemon/command_line.hpp"

namespace nfstreamd::daemon {

config::Loaded load_configuration(const CommandLine& line);

// How to log in this run: what is configured, but the journal's form when that
// is where standard error goes, and no news of a file run's life cycle.
config::LogConfig log_config(const config::Config& config);

}  // namespace nfstreamd::daemon
