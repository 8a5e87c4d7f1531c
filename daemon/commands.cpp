// SPDX-License-Identifier: Apache-2.0
#include "daemon/commands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <string>

#include "core/capture/packet_source.hpp"
#include "core/metering/field_groups.hpp"
#include "core/record/template.hpp"
#include "daemon/application.hpp"
#include "daemon/assembly.hpp"
#include "daemon/configuration.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/explain.hpp"
#include "daemon/systemd_notify.hpp"
#include "daemon/version.hpp"
#include "exporters/registry.hpp"

namespace nfstreamd::daemon {
namespace {

// Standard output may be a full disk: what was asked for did not arrive then.
int print(const std::string& text) {
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    if (!written) std::perror("nfstreamd: standard output");
    return written ? kExitOk : kExitFailure;
}

int print_interfaces() {
    const auto interfaces = list_interfaces();
    if (!interfaces) {
        std::fprintf(stderr, "nfstreamd: %s\n", interfaces.error().text().c_str());
        return exit_code(interfaces.error().code);
    }
    std::string text;
    for (const auto& interface : interfaces.value()) {
        std::string about = fmt::format("{}", fmt::join(interface.addresses, " "));
        if (!interface.description.empty()) about += (about.empty() ? "" : "  ") + interface.description;
        const char* state = !interface.up ? "down" : interface.running ? "up" : "no link";
        std::string row = fmt::format("{:<16}  {:<7}  {}", interface.name, state, about);
        row.erase(row.find_last_not_of(' ') + 1);
        text += row + "\n";
    }
    return print(text);
}

void print_errors(const config::Loaded& loaded) {
    for (const auto& error : loaded.errors)
        std::fprintf(stderr, "%s%s\n", priority_prefix(LogLevel::kError), error.text().c_str());
}

void print_warnings(const config::Loaded& loaded) {
    for (const auto& warning : loaded.warnings)
        std::fprintf(stderr, "%snfstreamd: warning: %s\n", priority_prefix(LogLevel::kWarning), warning.c_str());
}

int explain(const CommandLine& line, const config::Config& running) {
    CommandLine changed = line;
    changed.config_file = line.new_config_file;
    const auto wanted = load_configuration(changed);
    print_errors(wanted);
    if (!wanted.config) return kExitConfiguration;
    print_warnings(wanted);
    return print(explain_reload(running, *wanted.config));
}

int with_configuration(const CommandLine& line) {
    auto loaded = load_configuration(line);
    if (!loaded.config) {
        print_errors(loaded);
        return kExitConfiguration;
    }
    print_warnings(loaded);
    if (line.action == Action::kExplainReload) return explain(line, *loaded.config);
    if (line.action == Action::kListFields) return print(fields_text(field_groups(loaded.config->metering).declared));
    if (line.action == Action::kPrintConfig) return print(loaded.effective_yaml);
    if (line.action == Action::kCheck)
        return print(fmt::format("{}: ok\n", line.effective_config_file().value_or("command line")));
    return Application(line, std::move(*loaded.config)).run();
}

}  // namespace

int run_command(const CommandLine& line) {
    switch (line.action) {
        case Action::kHelp:
            return print(help_text());
        case Action::kVersion:
            return print(version_text("nfstreamd"));
        case Action::kListFields:
            if (line.config_file || line.file_run()) return with_configuration(line);
            return print(fields_text());
        case Action::kListExporters:
            return print(exporters::exporters_text());
        case Action::kListInterfaces:
            return print_interfaces();
        case Action::kCheck:
        case Action::kPrintConfig:
        case Action::kExplainReload:
        case Action::kRun:
            break;
    }
    return with_configuration(line);
}

}  // namespace nfstreamd::daemon
