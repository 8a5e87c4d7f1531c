// SPDX-License-Identifier: Apache-2.0
// `nfstreamctl doctor`: what is wrong with this host, the configuration or the
// running daemon, and the fix.
#pragma once
#include "daemon/ctl/command_line.hpp"

namespace nfstreamd::ctl {

// The exit code: 1 when something was found.
int doctor(const CommandLine& line);

}  // namespace nfstreamd::ctl
