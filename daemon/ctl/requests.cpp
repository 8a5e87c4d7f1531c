// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/requests.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "daemon/ctl/answer.hpp"
#include "daemon/ctl/audit_table.hpp"
#include "daemon/ctl/control_client.hpp"
#include "daemon/ctl/flow_list.hpp"
#include "daemon/ctl/status_table.hpp"
#include "daemon/ctl/terminal_text.hpp"
#include "daemon/exit_code.hpp"

namespace nfstreamd::ctl {
namespace {

// A reload loads files, opens captures and waits for every meter.
constexpr std::chrono::seconds kReloadPatience{120};

using Format = Result<std::string> (*)(const std::string& document);

int show(const CommandLine& line, const std::string& command, Format format) {
    const auto answer = ask(line.socket, command);
    if (!answer) return fail(answer.error());
    const auto shown = format(answer.value());
    if (!shown) return fail(shown.error());  // what it refuses is no answer as JSON, either
    return print(line.json ? answer.value() : shown.value());
}

std::string list_text(const Tree& list, const char* what) {
    std::string out;
    for (const auto& [key, item] : list) out += fmt::format("{}: {}\n", what, printable(item.data()));
    return out;
}

Result<std::string> templates_table(const std::string& document) {
    return with_answer(document, [](const Tree& answer) {
        std::string out;
        for (const auto& [key, exporter] : answer.get_child("exporters")) {
            const auto result = text(exporter, "result"), name = text(exporter, "name");
            const auto messages = number(exporter, "template_messages");
            if (result == "sent")
                out += messages > 0 ? fmt::format("{}: sent again, {} messages with templates\n", name, messages)
                                    : fmt::format(
                                          "{}: options sent again; templates stand until the session over a "
                                          "stream ends\n",
                                          name);
            else if (result == "down")
                out += fmt::format("{}: is down; its next session begins with them\n", name);
            else if (result == "none")
                out += fmt::format("{}: has no templates\n", name);
            else
                out += fmt::format("{}: has not come to it yet\n", name);
        }
        return out;
    });
}

}  // namespace

int fail(const Error& error) {
    std::fprintf(stderr, "nfstreamctl: %s\n", printable(error.text()).c_str());
    return daemon::exit_code(error.code);
}

int print(const std::string& text) {
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    if (!written) std::perror("nfstreamctl: standard output");
    return written ? daemon::kExitOk : daemon::kExitFailure;
}

int status(const CommandLine& line) {
    return show(line, "status", status_table);
}

int interfaces(const CommandLine& line) {
    return show(line, "interfaces", interfaces_table);
}

int exporters(const CommandLine& line) {
    return show(line, "exporters", exporters_table);
}

int audit(const CommandLine& line) {
    const auto answer = ask(line.socket, "audit");
    if (!answer) return fail(answer.error());
    const auto table = audit_table(answer.value());
    if (!table) return fail(table.error());
    const int printed = print(line.json ? answer.value() : table.value().text);
    return table.value().balanced ? printed : daemon::kExitFailure;
}

int flows(const CommandLine& line) {
    std::string command = fmt::format("flows limit={}", line.limit);
    if (!line.sort.empty()) command += " sort=" + line.sort;
    if (!line.filter.empty()) command += " filter=" + line.filter;
    return show(line, command, flow_list);
}

int expire(const CommandLine& line) {
    const auto answer = ask(line.socket, "expire");
    return answer ? print(answer.value()) : fail(answer.error());
}

int reload(const CommandLine& line) {
    if (line.main_pid > 0 && peer_of(line.socket) != line.main_pid)
        return fail(
            {ErrorCode::kUnavailable, fmt::format("process {} does not listen here", line.main_pid), line.socket});
    const auto answer = ask(line.socket, "reload", kReloadPatience);
    if (!answer) return fail(answer.error());
    bool applied = false;
    std::string wrong;
    const auto said = with_answer(answer.value(), [&](const Tree& outcome) {
        applied = outcome.get<bool>("applied");
        wrong = list_text(outcome.get_child("warnings"), "warning") + list_text(outcome.get_child("errors"), "error");
        std::string out = applied ? fmt::format("reloaded: {}\n", text(outcome, "changes")) : std::string();
        for (const auto& [key, setting] : outcome.get_child("needs_restart"))
            out += fmt::format("keeps its value until a restart: {}\n", printable(setting.data()));
        return out;
    });
    if (!said) return fail(said.error());
    std::fputs(wrong.c_str(), stderr);
    if (!applied) std::fputs("nfstreamctl: reload rejected, nothing has changed\n", stderr);
    const int printed = print(line.json ? answer.value() : said.value());
    return applied ? printed : daemon::kExitFailure;
}

int resend_templates(const CommandLine& line) {
    const std::string name = line.word.value_or("");
    if (name.find('\n') != name.npos) return fail({ErrorCode::kNotFound, "no exporter has such a name", ""});
    return show(line, name.empty() ? "resend-templates" : "resend-templates " + name, templates_table);
}

}  // namespace nfstreamd::ctl
