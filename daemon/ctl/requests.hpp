// SPDX-License-Identifier: Apache-2.0
// The commands that are one question to a running nfstreamd and its answer.
#pragma once
#include "daemon/ctl/command_line.hpp"

namespace nfstreamd::ctl {

// Each returns the exit code.
int status(const CommandLine& line);
int interfaces(const CommandLine& line);
int exporters(const CommandLine& line);
int flows(const CommandLine& line);
int audit(const CommandLine& line);  // says whether all balances, too
int expire(const CommandLine& line);
int reload(const CommandLine& line);
int resend_templates(const CommandLine& line);

// Says on standard error what went wrong, for a terminal; the exit code.
int fail(const Error& error);
int print(const std::string& text);  // to standard output

}  // namespace nfstreamd::ctl
