// SPDX-License-Identifier: Apache-2.0
// nfstreamd: signals first, as threads inherit them, then the command line.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "daemon/commands.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/signals.hpp"
#include "daemon/systemd_notify.hpp"

int main(int argc, char** argv) try {
    using namespace nfstreamd::daemon;
    block_signals();
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const auto line = parse_command_line(arguments);
    if (!line) {
        std::fprintf(stderr, "%snfstreamd: %s (try --help)\n", priority_prefix(nfstreamd::LogLevel::kError),
                     line.error().message.c_str());
        return kExitUsage;
    }
    return run_command(line.value());
} catch (const std::exception& error) {
    std::fprintf(stderr, "%snfstreamd: %s\n", nfstreamd::daemon::priority_prefix(nfstreamd::LogLevel::kError),
                 error.what());
    return nfstreamd::daemon::kExitFailure;
}
