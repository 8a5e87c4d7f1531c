// SPDX-License-Identifier: Apache-2.0
// The command line of nfstreamd: one table of options from which arguments are
// parsed and --help is printed. Pure; no file is opened here.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "daemon/option_table.hpp"

namespace nfstreamd::daemon {

inline constexpr std::string_view kDefaultConfigFile = "/etc/nfstreamd/nfstreamd.yaml";
inline constexpr std::string_view kWriteExporter = "write";  // name of the exporter that -w makes

enum class Action {
    kRun,
    kCheck,
    kPrintConfig,
    kExplainReload,
    kListFields,
    kListExporters,
    kListInterfaces,
    kVersion,
    kHelp
};

struct WriteTarget {
    std::string path;  // "-" is standard output
    std::string type;  // csv, json, ipfix
    std::optional<std::string> schema = {};
};

struct CommandLine {
    Action action = Action::kRun;
    std::optional<std::string> config_file;                     // -c
    std::string new_config_file;                                // --explain-reload
    std::vector<std::string> read_files;                        // -r; empty: live
    std::optional<std::string> write_path, format, schema;      // -w, --format, --schema as written
    std::vector<std::pair<std::string, std::string>> settings;  // --set, in order

    bool file_run() const { return !read_files.empty(); }
    // The file to read: -c, else the default one unless -r is given.
    std::optional<std::string> effective_config_file() const;
    // Where -w, --format and --schema send the records, and where a -r run without both
    // and without -c sends them; none: to the configured exporters.
    std::optional<WriteTarget> write_target() const;
};

// `arguments` without the program's name. An error is a usage error: what is
// wrong, in one line.
Result<CommandLine> parse_command_line(std::span<const std::string> arguments);

std::string help_text();
std::vector<OptionText> option_texts();

}  // namespace nfstreamd::daemon
