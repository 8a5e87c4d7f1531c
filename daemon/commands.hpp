// SPDX-License-Identifier: Apache-2.0
// From a command line to what it asks for. Main thread.
#pragma once
#include "daemon/command_line.hpp"

namespace nfstreamd::daemon {

// Does it and returns the exit code.
int run_command(const CommandLine& line);

}  // namespace nfstreamd::daemon
