// SPDX-License-Identifier: Apache-2.0
#include "daemon/command_line.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "core/record/generation.hpp"
#include "daemon/option_table.hpp"

namespace nfstreamd::daemon {
namespace {

constexpr std::array<std::string_view, 3> kFormats = {"csv", "json", "ipfix"};

Status once(std::optional<std::string>& target, std::string value, std::string_view option) {
    if (target) return Error{ErrorCode::kInvalidArgument, fmt::format("option {} is given twice", option), ""};
    target = std::move(value);
    return ok();
}

// --help wins over everything, then --version, then the rest as they come.
Status act(CommandLine& line, Action action) {
    if (line.action != Action::kHelp && (line.action != Action::kVersion || action == Action::kHelp))
        line.action = action;
    return ok();
}

Status add_setting(CommandLine& line, const std::string& value) {
    const auto equals = value.find('=');
    if (equals == value.npos || equals == 0)
        return Error{ErrorCode::kInvalidArgument, fmt::format("--set {}: is not KEY=VALUE", value), ""};
    line.settings.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    return ok();
}

using Row = OptionRow<CommandLine>;
using enum OptionValue;

constexpr Row kRows[] = {
    {'c', "config", kOne, "FILE", "configuration file, instead of\n/etc/nfstreamd/nfstreamd.yaml",
     [](CommandLine& line, std::string v) { return once(line.config_file, std::move(v), "-c"); }},
    {'t', "check-config", kNone, "", "check the configuration, print what is wrong, exit",
     [](CommandLine& line, std::string) { return act(line, Action::kCheck); }},
    {0, "print-config", kNone, "", "print the configuration in effect: defaults filled in,\nsecrets masked",
     [](CommandLine& line, std::string) { return act(line, Action::kPrintConfig); }},
    {0, "explain-reload", kOne, "NEW",
     "print what each difference of the file NEW from -c costs\na running daemon: live, nothing is interrupted;\n"
     "reopen, a capture or exporter is opened anew, the old\none drains; restart, it keeps its value until then",
     [](CommandLine& line, std::string v) {
         line.new_config_file = std::move(v);
         return act(line, Action::kExplainReload);
     }},
    {'r', "read", kSeveral, "FILE...",
     "meter capture files on packet time, not interfaces, then\n"
     "exit; no configuration file is read unless -c is given",
     [](CommandLine& line, std::string v) {
         line.read_files.push_back(std::move(v));
         return ok();
     }},
    {'w', "write", kOne, "PATH",
     "where records go instead of the configured exporters;\n"
     "\"-\" is standard output; the format follows the suffix\n.csv, .json or .ipfix, or --format; .csv and .json are\n"
     "compressed when .gz or .zst follows",
     [](CommandLine& line, std::string v) { return once(line.write_path, std::move(v), "-w"); }},
    {0, "format", kOne, "FORMAT", "csv, json or ipfix",
     [](CommandLine& line, std::string v) {
         if (std::find(kFormats.begin(), kFormats.end(), v) == kFormats.end())
             return Status(
                 Error{ErrorCode::kInvalidArgument, fmt::format("--format {}: is none of csv, json, ipfix", v), ""});
         return once(line.format, std::move(v), "--format");
     }},
    {0, "schema", kOne, "SCHEMA",
     "generation of nfstream whose columns -w has: nfstream6,\n"
     "nfstream3 or nfstream0; not with ipfix",
     [](CommandLine& line, std::string v) {
         if (!find_generation(v))
             return Status(Error{ErrorCode::kInvalidArgument,
                                 fmt::format("--schema {}: is none of {}", v, fmt::join(kGenerationNames, ", ")), ""});
         return once(line.schema, std::move(v), "--schema");
     }},
    {0, "set", kOne, "KEY=VALUE",
     "override one configuration key by its path, as in\n"
     "metering.idle_timeout=30 or\nexporters.write.fields=[default,base]",
     [](CommandLine& line, std::string v) { return add_setting(line, v); }},
    {0, "list-fields", kNone, "", "print the fields that records can have",
     [](CommandLine& line, std::string) { return act(line, Action::kListFields); }},
    {0, "list-exporters", kNone, "", "print the exporter types",
     [](CommandLine& line, std::string) { return act(line, Action::kListExporters); }},
    {0, "list-interfaces", kNone, "", "print the interfaces that can be captured",
     [](CommandLine& line, std::string) { return act(line, Action::kListInterfaces); }},
    {'V', "version", kNone, "", "print the versions of nfstreamd and its libraries",
     [](CommandLine& line, std::string) { return act(line, Action::kVersion); }},
    {'h', "help", kNone, "", "print this text",
     [](CommandLine& line, std::string) { return act(line, Action::kHelp); }},
};

constexpr std::array<std::string_view, 2> kCompressions = {".gz", ".zst"};

std::string format_of_path(std::string_view path) {
    const auto compression = std::find_if(kCompressions.begin(), kCompressions.end(),
                                          [path](std::string_view suffix) { return path.ends_with(suffix); });
    const bool compressed = compression != kCompressions.end();
    if (compressed) path.remove_suffix(compression->size());
    for (const auto format : kFormats)
        if (path.size() > format.size() + 1 && path.ends_with(format) && path[path.size() - format.size() - 1] == '.' &&
            !(compressed && format == "ipfix"))
            return std::string(format);
    return {};
}

Status check_write(const CommandLine& line) {
    const auto error = [](std::string text) { return Error{ErrorCode::kInvalidArgument, std::move(text), ""}; };
    if (line.write_path) {
        if (line.write_path->empty()) return error("-w: the path is empty");
        if (*line.write_path != "-" && !line.format && format_of_path(*line.write_path).empty())
            return error(fmt::format("-w {}: neither .csv, .json nor .ipfix; say which by --format", *line.write_path));
    } else if (line.format && !line.write_target()) {
        return error("--format needs -w");
    }
    const auto target = line.write_target();
    if (line.schema && !target) return error("--schema needs -w");
    if (line.schema && target->type == "ipfix")
        return error(fmt::format("--schema {}: names columns, of which ipfix has none", *line.schema));
    return ok();
}

}  // namespace

std::optional<std::string> CommandLine::effective_config_file() const {
    if (config_file) return config_file;
    if (file_run()) return std::nullopt;
    return std::string(kDefaultConfigFile);
}

std::optional<WriteTarget> CommandLine::write_target() const {
    if (write_path) {
        if (format) return WriteTarget{*write_path, *format, schema};
        return WriteTarget{*write_path, *write_path == "-" ? "json" : format_of_path(*write_path), schema};
    }
    if (file_run() && !config_file) return WriteTarget{"-", format.value_or("json"), schema};
    return std::nullopt;
}

Result<CommandLine> parse_command_line(std::span<const std::string> arguments) {
    CommandLine line;
    OptionParser<CommandLine> parser(kRows, line);
    auto parsed = parser.parse(arguments, [](std::string word) -> Status {
        return Error{ErrorCode::kInvalidArgument, fmt::format("unexpected argument '{}'", word), ""};
    });
    if (!parsed) return parsed.error();
    if (line.action == Action::kHelp || line.action == Action::kVersion) return line;
    if (auto checked = check_write(line); !checked) return checked.error();
    return line;
}

std::vector<OptionText> option_texts() {
    return option_texts<CommandLine>(kRows);
}

std::string help_text() {
    return fmt::format(
        "Usage: nfstreamd [-c FILE] [--set KEY=VALUE]...\n"
        "       nfstreamd -r FILE... [-w PATH] [--format FORMAT] [--schema SCHEMA]\n"
        "                 [--set KEY=VALUE]...\n"
        "       nfstreamd -t | --print-config | --explain-reload NEW [-c FILE]\n"
        "       nfstreamd --list-fields | --list-exporters | --list-interfaces\n"
        "\n"
        "Meters network flows of interfaces or capture files and exports them as\n"
        "IPFIX, CSV or JSON. Runs in the foreground; SIGHUP reloads, SIGTERM and SIGINT\n"
        "flush every flow and end it.\n"
        "\n"
        "{}\n"
        "Exit codes: 0 success, 1 failure, or packets or records that no counter tells\n"
        "of, 2 wrong usage, 69 a required interface or collector is unavailable, 77 not\n"
        "permitted to capture, 78 configuration error.\n",
        options_text<CommandLine>(kRows));
}

}  // namespace nfstreamd::daemon
