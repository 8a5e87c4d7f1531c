// SPDX-License-Identifier: Apache-2.0
// `nfstreamctl top`: looks at a running nfstreamd now and then and shows what
// goes on; a picture on a terminal, else text.
#pragma once
#include "daemon/ctl/command_line.hpp"

namespace nfstreamd::ctl {

// Until `q` or a signal; returns the exit code.
int top(const CommandLine& line);

}  // namespace nfstreamd::ctl
