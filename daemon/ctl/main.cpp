// SPDX-License-Identifier: Apache-2.0
// nfstreamctl: what people ask of a running nfstreamd, and a small collector.
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "daemon/ctl/collect.hpp"
#include "daemon/ctl/command_line.hpp"
#include "daemon/ctl/doctor.hpp"
#include "daemon/ctl/requests.hpp"
#include "daemon/ctl/top.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/version.hpp"

namespace {

using namespace nfstreamd;
using ctl::Action;

int run(const ctl::CommandLine& line) {
    switch (line.action) {
        case Action::kHelp:
            return ctl::print(ctl::help_text());
        case Action::kVersion:
            return ctl::print(daemon::version_text("nfstreamctl"));
        case Action::kStatus:
            return ctl::status(line);
        case Action::kTop:
            return ctl::top(line);
        case Action::kFlows:
            return ctl::flows(line);
        case Action::kInterfaces:
            return ctl::interfaces(line);
        case Action::kExporters:
            return ctl::exporters(line);
        case Action::kAudit:
            return ctl::audit(line);
        case Action::kExpire:
            return ctl::expire(line);
        case Action::kReload:
            return ctl::reload(line);
        case Action::kResendTemplates:
            return ctl::resend_templates(line);
        case Action::kDoctor:
            return ctl::doctor(line);
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
