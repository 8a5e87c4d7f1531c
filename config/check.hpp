// SPDX-License-Identifier: Apache-2.0
// The tree against the tables: everything that is wrong with it, or typed
// settings with their defaults. Pure, but for the host name.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "config/node.hpp"
#include "config/settings.hpp"
#include "core/record/generation.hpp"

namespace nfstreamd::config {

struct CheckedExporter {
    std::string name;
    const ExporterSchema* schema = nullptr;
    Settings settings;
    std::string where;
};

struct CheckedCapture {
    Settings settings;
    std::string where;
};

struct CheckedExtension {  // a plugin, or a model
    std::string name;
    Settings settings;
    std::string where;
};

struct Checked {
    Generation generation = Generation::kNfstream6;  // whose tables were gone by
    Settings top, metering, ndpi, enrichment, log, control, metrics;
    std::vector<CheckedCapture> capture;
    std::vector<CheckedExtension> plugins, models;
    std::vector<CheckedExporter> exporters;  // those of a known type
};

Checked check(const Node& root, std::span<const ExporterSchema> schemas, Problems& problems);

// One map against one table. `others` are keys that it may have besides; they are not looked at.
Settings check_table(const Node& map, const std::string& path, std::span<const SettingSpec> table,
                     std::span<const std::string_view> others, Problems& problems);

}  // namespace nfstreamd::config
