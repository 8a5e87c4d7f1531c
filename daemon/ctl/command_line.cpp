// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/command_line.hpp"

#include <fmt/format.h>

#include <charconv>
#include <system_error>
#include <utility>

#include "daemon/option_table.hpp"

namespace nfstreamd::ctl {
namespace {

struct CommandRow {
    std::string_view name;
    Action action;
    std::string_view arguments;
    std::string_view help;
};

constexpr CommandRow kCommands[] = {
    {"status", Action::kStatus, "[--json]", "all counters of a running nfstreamd"},
    {"audit", Action::kAudit, "[--json]",
     "the ledger: every packet and record that came in, by what became of it;\n"
     "the exit code is 1 when one is missing"},
    {"expire", Action::kExpire, "", "export every flow now, as if it had ended"},
    {"collect", Action::kCollect, "[--listen ADDRESS | FILE.ipfix] [--verify PROFILE [--json]]",
     "receive IPFIX, and over UDP NetFlow v9 and v5, and print the records as\n"
     "JSON lines, until SIGINT or SIGTERM; ADDRESS is udp://HOST:PORT or\n"
     "tcp://HOST:PORT (udp://127.0.0.1:4739, IPv6 as [::1]); FILE has IPFIX and is\n"
     "read to its end, \"-\" is standard input. With --verify no records are\n"
     "printed, but at the end what that collector would keep, misread or drop;\n"
     "the exit code is 1 when something would be lost, misread or dropped"},
};

using Row = daemon::OptionRow<CommandLine>;
using enum daemon::OptionValue;

constexpr Row kOptions[] = {
    {'s', "socket", kOne, "PATH", "control socket (default /run/nfstreamd/control.sock)",
     [](CommandLine& line, std::string v) {
         line.socket = std::move(v);
         return ok();
     }},
    {0, "json", kNone, "", "status, audit: the JSON document as it is; collect --verify: JSON lines",
     [](CommandLine& line, std::string) {
         line.json = true;
         return ok();
     }},
    {0, "listen", kOne, "ADDRESS", "collect: where to listen",
     [](CommandLine& line, std::string v) {
         line.listen = std::move(v);
         return ok();
     }},
    {0, "verify", kOne, "PROFILE",
     "collect: which collector to be: default, nfdump, pmacct, fixbuf, akvorado,\n"
     "goflow2, ipfixcol2, logstash, telegraf or ntopng",
     [](CommandLine& line, std::string v) {
         line.verify = std::move(v);
         return ok();
     }},
    {0, "private-enterprise-number", kOne, "NUMBER", "collect: the daemon's setting of that name, to know its elements",
     [](CommandLine& line, std::string v) -> Status {
         const auto [end, error] = std::from_chars(v.data(), v.data() + v.size(), line.private_enterprise_number);
         if (error == std::errc() && end == v.data() + v.size()) return ok();
         return Error{ErrorCode::kInvalidArgument,
                      fmt::format("--private-enterprise-number {}: is no number up to 4294967295", v), ""};
     }},
    {'V', "version", kNone, "", "print the versions of nfstreamctl and its libraries",
     [](CommandLine& line, std::string) {
         if (line.action != Action::kHelp) line.action = Action::kVersion;
         return ok();
     }},
    {'h', "help", kNone, "", "print this text",
     [](CommandLine& line, std::string) {
         line.action = Action::kHelp;
         return ok();
     }},
};

Error usage(std::string message) {
    return {ErrorCode::kInvalidArgument, std::move(message), ""};
}

Status take_word(CommandLine& line, bool& has_command, std::string word) {
    if (has_command) {
        if (line.action == Action::kCollect && !line.file) {
            line.file = std::move(word);
            return ok();
        }
        return usage(fmt::format("unexpected argument '{}'", word));
    }
    for (const auto& command : kCommands)
        if (command.name == word) {
            has_command = true;
            if (line.action == Action::kNone) line.action = command.action;
            return ok();
        }
    return usage(fmt::format("unknown command '{}'", word));
}

}  // namespace

Result<CommandLine> parse_command_line(std::span<const std::string> arguments) {
    CommandLine line;
    bool has_command = false;
    daemon::OptionParser<CommandLine> parser(kOptions, line);
    auto parsed =
        parser.parse(arguments, [&](std::string word) { return take_word(line, has_command, std::move(word)); });
    if (!parsed) return parsed.error();
    if (line.action == Action::kHelp || line.action == Action::kVersion) return line;
    if (line.action == Action::kNone) return usage("which command?");
    if (line.verify && line.action != Action::kCollect) return usage("--verify belongs to collect");
    if (line.json && line.action != Action::kStatus && line.action != Action::kAudit && !line.verify)
        return usage("--json belongs to status, audit and collect --verify");
    if (line.listen && line.action != Action::kCollect) return usage("--listen belongs to collect");
    if (line.private_enterprise_number != 0 && line.action != Action::kCollect)
        return usage("--private-enterprise-number belongs to collect");
    if (line.listen && line.file) return usage("collect reads a file or listens, not both");
    return line;
}

std::vector<daemon::OptionText> option_texts() {
    return daemon::option_texts<CommandLine>(kOptions);
}

std::vector<CommandText> command_texts() {
    std::vector<CommandText> texts;
    for (const auto& command : kCommands) texts.push_back({command.name, command.arguments, command.help});
    return texts;
}

std::string help_text() {
    std::string commands;
    for (const auto& command : kCommands) {
        commands += fmt::format("  {}{}{}\n", command.name, command.arguments.empty() ? "" : " ", command.arguments);
        std::string_view help = command.help;
        while (!help.empty()) {
            const auto end = help.find('\n');
            commands += fmt::format("      {}\n", help.substr(0, end));
            help = end == help.npos ? std::string_view() : help.substr(end + 1);
        }
    }
    return fmt::format(
        "Usage: nfstreamctl [-s PATH] COMMAND\n"
        "\n"
        "Talks to a running nfstreamd, and collects IPFIX and NetFlow where there is no\n"
        "collector yet.\n"
        "\n"
        "Commands:\n{}\nOptions:\n{}\n"
        "Exit codes: 0 success, 1 failure or what audit or --verify finds, 2 wrong usage, 69 no nfstreamd answers.\n",
        commands, daemon::options_text<CommandLine>(kOptions));
}

}  // namespace nfstreamd::ctl
