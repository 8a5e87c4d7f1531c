// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "daemon/option_table.hpp"

namespace nfstreamd::ctl {
namespace {

struct CommandRow {
    std::string_view name;
    Action action;
    std::string_view options;  // long names of those that belong to it, "all" aside
    bool takes_word;           // one argument may follow
    std::string_view arguments;
    std::string_view help;
};

constexpr CommandRow kCommands[] = {
    {"status", Action::kStatus, "json", false, "[--json]", "all counters of a running nfstreamd"},
    {"top", Action::kTop, "json interval once sort", false, "[--interval S] [--sort KEY] [--once] [--json]",
     "what goes on now: rates, losses, applications, and who talks most; a screen\n"
     "on a terminal (keys are shown at its foot), else plain text each interval"},
    {"flows", Action::kFlows, "json filter limit sort", false, "[--filter EXPR] [--sort KEY] [--limit N] [--json]",
     "the flows in the flow cache, as the records they would be if they ended now;\n"
     "EXPR is an expression as in an exporter's `filter`"},
    {"interfaces", Action::kInterfaces, "json", false, "[--json]", "counters of each interface"},
    {"exporters", Action::kExporters, "json", false, "[--json]", "counters of each exporter"},
    {"audit", Action::kAudit, "json", false, "[--json]",
     "the ledger: every packet and record that came in, by what became of it;\n"
     "the exit code is 1 when one is missing"},
    {"expire", Action::kExpire, "", false, "", "export every flow now, as if it had ended"},
    {"reload", Action::kReload, "json main-pid", false, "[--main-pid PID] [--json]",
     "read the configuration again, as SIGHUP does, and say what changed; exit code\n"
     "1 with every error when it is rejected, nothing has changed then"},
    {"resend-templates", Action::kResendTemplates, "json", true, "[EXPORTER] [--json]",
     "templates and options go out again at once, of all exporters or of one; over\n"
     "a stream options alone, as its templates stand until the session ends"},
    {"doctor", Action::kDoctor, "json config report", false, "[--config FILE] [--report FILE] [--json]",
     "what is wrong with this host or configuration, and the fix; with --report\n"
     "also everything a bug report needs, secrets masked; FILE \"-\" is standard\n"
     "output. Needs no running nfstreamd; exit code 1 when something was found"},
    {"collect", Action::kCollect, "json listen verify private-enterprise-number", true,
     "[--listen ADDRESS | FILE.ipfix] [--verify PROFILE [--json]]",
     "receive IPFIX, and over UDP NetFlow v9 and v5, and print the records as\n"
     "JSON lines, until SIGINT or SIGTERM; ADDRESS is udp://HOST:PORT or\n"
     "tcp://HOST:PORT (udp://127.0.0.1:4739, IPv6 as [::1]); FILE has IPFIX and is\n"
     "read to its end, \"-\" is standard input. With --verify no records are\n"
     "printed, but at the end what that collector would keep, misread or drop;\n"
     "the exit code is 1 when something would be lost, misread or dropped"},
};

using Row = daemon::OptionRow<CommandLine>;
using enum daemon::OptionValue;

Error usage(std::string message) {
    return {ErrorCode::kInvalidArgument, std::move(message), ""};
}

template <class Number>
bool parse_whole(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

constexpr Row kOptions[] = {
    {'s', "socket", kOne, "PATH", "control socket (default /run/nfstreamd/control.sock)",
     [](CommandLine& line, std::string v) {
         line.socket = std::move(v);
         return ok();
     }},
    {0, "json", kNone, "", "JSON instead of a table; top: a line each interval; collect --verify: lines",
     [](CommandLine& line, std::string) {
         line.json = true;
         line.given.push_back("json");
         return ok();
     }},
    {0, "filter", kOne, "EXPR", "flows: only those, as in 'dst_port == 443 and application_name != Unknown'",
     [](CommandLine& line, std::string v) -> Status {
         line.given.push_back("filter");
         std::replace(v.begin(), v.end(), '\n', ' ');
         line.filter = std::move(v);
         return ok();
     }},
    {0, "limit", kOne, "N", "flows: so many at most, up to 4096 (default 20)",
     [](CommandLine& line, std::string v) -> Status {
         line.given.push_back("limit");
         if (parse_whole(v, line.limit) && line.limit >= 1 && line.limit <= 4096) return ok();
         return usage(fmt::format("--limit {}: is no number from 1 to 4096", v));
     }},
    {0, "sort", kOne, "KEY",
     "flows: octets (default), packets, duration, newest, oldest or last;\n"
     "top: total (default), sent, received, packets or flows",
     [](CommandLine& line, std::string v) {
         line.given.push_back("sort");
         line.sort = std::move(v);
         return ok();
     }},
    {0, "interval", kOne, "S", "top: seconds between two looks, 1 to 3600 (default 2)",
     [](CommandLine& line, std::string v) -> Status {
         line.given.push_back("interval");
         unsigned seconds = 0;
         if (!parse_whole(v, seconds) || seconds < 1 || seconds > 3600)
             return usage(fmt::format("--interval {}: is no number of seconds from 1 to 3600", v));
         line.interval = std::chrono::seconds(seconds);
         return ok();
     }},
    {0, "once", kNone, "", "top: plain text of one interval, then the end",
     [](CommandLine& line, std::string) {
         line.given.push_back("once");
         line.once = true;
         return ok();
     }},
    {'c', "config", kOne, "FILE", "doctor: the configuration (default /etc/nfstreamd/nfstreamd.yaml)",
     [](CommandLine& line, std::string v) {
         line.given.push_back("config");
         line.config = std::move(v);
         return ok();
     }},
    {0, "report", kOne, "FILE", "doctor: write a report for a bug report to FILE, which must not be there",
     [](CommandLine& line, std::string v) {
         line.given.push_back("report");
         line.report = std::move(v);
         return ok();
     }},
    {0, "main-pid", kOne, "PID", "reload: only if this process is the one that listens; else the exit code is 69",
     [](CommandLine& line, std::string v) -> Status {
         line.given.push_back("main-pid");
         if (parse_whole(v, line.main_pid) && line.main_pid > 0) return ok();
         return usage(fmt::format("--main-pid {}: is no number of a process", v));
     }},
    {0, "listen", kOne, "ADDRESS", "collect: where to listen",
     [](CommandLine& line, std::string v) {
         line.given.push_back("listen");
         line.listen = std::move(v);
         return ok();
     }},
    {0, "verify", kOne, "PROFILE",
     "collect: which collector to be: default, nfdump, pmacct, fixbuf, akvorado,\n"
     "goflow2, ipfixcol2, logstash, telegraf or ntopng",
     [](CommandLine& line, std::string v) {
         line.given.push_back("verify");
         line.verify = std::move(v);
         return ok();
     }},
    {0, "private-enterprise-number", kOne, "NUMBER", "collect: the daemon's setting of that name, to know its elements",
     [](CommandLine& line, std::string v) -> Status {
         line.given.push_back("private-enterprise-number");
         if (parse_whole(v, line.private_enterprise_number)) return ok();
         return usage(fmt::format("--private-enterprise-number {}: is no number up to 4294967295", v));
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

bool has_word(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        const auto end = std::min(list.find(' '), list.size());
        if (list.substr(0, end) == word) return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

// "status, top and flows": the commands that have an option.
std::string owners(std::string_view option) {
    std::vector<std::string_view> names;
    for (const auto& command : kCommands)
        if (has_word(command.options, option)) names.push_back(command.name);
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
        text += fmt::format("{}{}", i == 0 ? "" : i + 1 == names.size() ? " and " : ", ", names[i]);
    return text;
}

Status take_word(CommandLine& line, const CommandRow*& command, std::string word) {
    if (command != nullptr) {
        if (!command->takes_word || line.word) return usage(fmt::format("unexpected argument '{}'", word));
        line.word = std::move(word);
        return ok();
    }
    for (const auto& row : kCommands)
        if (row.name == word) {
            command = &row;
            if (line.action == Action::kNone) line.action = row.action;
            return ok();
        }
    return usage(fmt::format("unknown command '{}'", word));
}

Status check_sort(const CommandLine& line) {
    if (line.sort.empty()) return ok();
    const std::string_view keys = line.action == Action::kFlows ? "octets packets duration newest oldest last"
                                                                : "total sent received packets flows";
    if (has_word(keys, line.sort)) return ok();
    return usage(fmt::format("--sort {}: is none of {}", line.sort, keys));
}

}  // namespace

Result<CommandLine> parse_command_line(std::span<const std::string> arguments) {
    CommandLine line;
    const CommandRow* command = nullptr;
    daemon::OptionParser<CommandLine> parser(kOptions, line);
    auto parsed = parser.parse(arguments, [&](std::string word) { return take_word(line, command, std::move(word)); });
    if (!parsed) return parsed.error();
    if (line.action == Action::kHelp || line.action == Action::kVersion) return line;
    if (command == nullptr) return usage("which command?");
    for (const auto option : line.given)
        if (!has_word(command->options, option))
            return usage(fmt::format("--{} belongs to {}", option, owners(option)));
    if (auto sort = check_sort(line); !sort) return sort.error();
    if (line.action == Action::kCollect && line.json && !line.verify)
        return usage("--json belongs to collect only with --verify");
    if (line.listen && line.word) return usage("collect reads a file or listens, not both");
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
        "Talks to a running nfstreamd, looks what is wrong where it does not do what it\n"
        "should, and collects IPFIX and NetFlow where there is no collector yet.\n"
        "\n"
        "Commands:\n{}\nOptions:\n{}\n"
        "Exit codes: 0 success, 1 failure or what --verify, audit or doctor find, 2 wrong usage,\n"
        "69 no nfstreamd answers, 77 not permitted to ask it.\n",
        commands, daemon::options_text<CommandLine>(kOptions));
}

}  // namespace nfstreamd::ctl
