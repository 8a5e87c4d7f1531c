// SPDX-License-Identifier: Apache-2.0
// nfstreamd: signals first, as threads inherit them, then the command line.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "daemon/commands.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/signals.hpp"
#include "daemon/systemd_notify.hpp"

// There is nothing to hand out records with: whoever started it starts it again.
void end_without_memory() {
    using namespace nfstreamd::daemon;
    std::fprintf(
        stderr,
        "%snfstreamd: out of memory, flows and records that are held are lost (lower max_flows or queue_records, "
        "or allow more memory)\n",
        priority_prefix(nfstreamd::LogLevel::kError));
    ::_exit(kExitFailure);
}

int main(int argc, char** argv) try {
    using namespace nfstreamd::daemon;
    block_signals();
    std::set_new_handler(&end_without_memory);
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
