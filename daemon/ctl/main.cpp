// SPDX-License-Identifier: Apache-2.0
// nfstreamctl: what people ask of a running nfstreamd, and a small collector.
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "daemon/ctl/audit_table.hpp"
#include "daemon/ctl/collect.hpp"
#include "daemon/ctl/command_line.hpp"
#include "daemon/ctl/control_client.hpp"
#include "daemon/ctl/status_table.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/version.hpp"

namespace {

using namespace nfstreamd;
using ctl::Action;

int fail(const Error& error) {
    std::fprintf(stderr, "nfstreamctl: %s\n", error.text().c_str());
    return daemon::exit_code(error.code);
}

int print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return std::fflush(stdout) == 0 ? daemon::kExitOk : daemon::kExitFailure;
}

int show_status(const ctl::CommandLine& line) {
    auto answer = ctl::ask(line.socket, "status");
    if (!answer) return fail(answer.error());
    if (line.json) return print(answer.value());
    auto table = ctl::status_table(answer.value());
    return table ? print(table.value()) : fail(table.error());
}

// The exit status says whether it balances.
int audit(const ctl::CommandLine& line) {
    auto answer = ctl::ask(line.socket, "audit");
    if (!answer) return fail(answer.error());
    const auto table = ctl::audit_table(answer.value());
    if (!table) return fail(table.error());
    const int printed = print(line.json ? answer.value() : table.value().text);
    return table.value().balanced ? printed : daemon::kExitFailure;
}

int expire(const ctl::CommandLine& line) {
    auto answer = ctl::ask(line.socket, "expire");
    return answer ? print(answer.value()) : fail(answer.error());
}

int run(const ctl::CommandLine& line) {
    switch (line.action) {
        case Action::kHelp:
            return print(ctl::help_text());
        case Action::kVersion:
            return print(daemon::version_text("nfstreamctl"));
        case Action::kStatus:
            return show_status(line);
        case Action::kAudit:
            return audit(line);
        case Action::kExpire:
            return expire(line);
        case Action::kCollect:
            return ctl::collect(line);
        case Action::kNone:
            break;
    }
    return daemon::kExitUsage;
}

}  // namespace

int main(int argc, char** argv) try {
    std::signal(SIGPIPE, SIG_IGN);
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const auto line = ctl::parse_command_line(arguments);
    if (!line) {
        std::fprintf(stderr, "nfstreamctl: %s (try --help)\n", line.error().message.c_str());
        return daemon::kExitUsage;
    }
    return run(line.value());
} catch (const std::exception& error) {
    std::fprintf(stderr, "nfstreamctl: %s\n", error.what());
    return daemon::kExitFailure;
}
