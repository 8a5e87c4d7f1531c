// SPDX-License-Identifier: Apache-2.0
// The command line of nfstreamctl: a table of commands and one of options, from
// which --help is printed. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "daemon/option_table.hpp"

namespace nfstreamd::ctl {

enum class Action { kNone, kStatus, kAudit, kExpire, kCollect, kVersion, kHelp };

struct CommandLine {
    Action action = Action::kNone;
    std::string socket = "/run/nfstreamd/control.sock";  // -s
    bool json = false;                                   // status, audit, collect --verify
    std::optional<std::string> listen;                   // collect --listen
    std::optional<std::string> file;                     // collect FILE; "-" is standard input
    std::optional<std::string> verify;                   // collect --verify: name of a collector
    std::uint32_t private_enterprise_number = 0;         // collect: whose elements are nfstreamd's
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
