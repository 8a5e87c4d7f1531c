// SPDX-License-Identifier: Apache-2.0
// File, drop-ins and --set overrides to a Config, or all that is wrong with
// them at once. No privilege, no side effect; any thread, one at a time.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"

namespace nfstreamd::config {

struct ConfigError {
    std::string where;  // "nfstreamd.yaml:14:5", "--set metering.idle_timeout"
    std::string key;    // "exporters[0].collectors", may be empty
    std::string message;
    std::string text() const;  // "nfstreamd.yaml:14:5: exporters[0].collectors: must not be empty"
};

struct LoadRequest {
    std::optional<std::string> file;                             // none: defaults and overrides only
    std::vector<std::pair<std::string, std::string>> overrides;  // --set, in order
    std::span<const ExporterSchema> exporter_schemas;
    // A -r run: `capture` need not be in the file; overrides `capture.KEY` make one entry.
    std::vector<std::string> read_files;
};

struct Loaded {
    std::optional<Config> config;     // none when there are errors
    std::vector<ConfigError> errors;  // all of them, in the order of the text
    std::vector<std::string> warnings;
    std::string effective_yaml;  // --print-config: defaults filled in, secrets masked
};

Loaded load(const LoadRequest& request);

// REFERENCE.md, nfstreamd.schema.json and nfstreamd.yaml(5), from the same tables.
std::string reference_markdown(std::span<const ExporterSchema> exporter_schemas);
std::string json_schema(std::span<const ExporterSchema> exporter_schemas);
std::string manual_page(std::span<const ExporterSchema> exporter_schemas);

}  // namespace nfstreamd::config
