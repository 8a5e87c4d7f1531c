// SPDX-License-Identifier: Apache-2.0
// `nfstreamctl collect`: a small collector of IPFIX and NetFlow that prints
// records as JSON lines, or says what another collector would make of them. One
// thread, its own io_context.
#pragma once
#include "daemon/ctl/command_line.hpp"

namespace nfstreamd::ctl {

// Runs until the file ends, or SIGINT or SIGTERM; returns the exit code.
int collect(const CommandLine& line);

}  // namespace nfstreamd::ctl
