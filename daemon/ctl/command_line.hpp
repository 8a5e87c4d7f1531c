// SPDX-License-Identifier: Apache-2.0
// The command line of nfstreamctl: a table of commands and one of options, from
// which --help is printed. Pure.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "daemon/option_table.hpp"

namespace nfstreamd::ctl {

enum class Action {
    kNone,
    kStatus,
    kTop,
    kFlows,
    kInterfaces,
    kExporters,
    kAudit,
    kExpire,
    kReload,
    kResendTemplates,
    kDoctor,
    kCollect,
    kVersion,
    kHelp
};

struct CommandLine {
    Action action = Action::kNone;
    std::string socket = "/run/nfstreamd/control.sock";  // -s
    bool json = false;                                   // --json
    std::optional<std::string> word;              // collect FILE ("-" is standard input), resend-templates EXPORTER
    std::optional<std::string> listen;            // collect --listen
    std::optional<std::string> verify;            // collect --verify: name of a collector
    std::uint32_t private_enterprise_number = 0;  // collect: whose elements are nfstreamd's
    std::string filter;                           // flows
    std::size_t limit = 20;                       // flows
    std::string sort;                             // flows, top; empty: the default
    std::chrono::milliseconds interval{2000};     // top
    bool once = false;                            // top
    int main_pid = 0;                             // reload; 0: whoever listens
    std::optional<std::string> config;            // doctor -c
    std::optional<std::string> report;            // doctor --report
    std::vector<std::string_view> given;          // names of the options that were there
};

Result<CommandLine> parse_command_line(std::span<const std::string> arguments);
std::string help_text();

// The tables, for manual page and shell completion.
struct CommandText {
    std::string_view name, arguments, help;
};
std::vector<daemon::OptionText> option_texts();
std::vector<CommandText> command_texts();

}  // namespace nfstreamd::ctl
