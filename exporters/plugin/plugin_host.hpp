// SPDX-License-Identifier: Apache-2.0
// What a plugin is told when it is created, as the structs of C: name, settings
// and fields of its exporter, and the log. Owned by the exporter; its address is
// what plugins keep. log() from any thread, all else is constant.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/base/log.hpp"
#include "core/record/template.hpp"
#include "exporters/plugin/nfstreamd_exporter.h"

namespace nfstreamd::exporters {

using PluginSettings = std::vector<std::pair<std::string, std::string>>;

class PluginHost {
public:
    // `pen` is that of our own elements, 0 for none. `logger` outlives this.
    PluginHost(std::string name, PluginSettings settings, const FieldSelection& fields, const FieldGroups& groups,
               std::uint32_t pen, Logger& logger);
    PluginHost(const PluginHost&) = delete;
    PluginHost& operator=(const PluginHost&) = delete;

    const nfstreamd_host* host() const noexcept { return &outside_.host; }

private:
    struct Outside {
        nfstreamd_host host;  // first, so that log() finds the rest
        PluginHost* inside;
    };
    struct FieldTexts {
        std::string column, element, units, description;
    };
    static void log(const nfstreamd_host* host, std::uint32_t level, const char* message);

    const std::string name_;
    const PluginSettings settings_;
    Logger& logger_;
    std::vector<FieldTexts> texts_;
    std::vector<nfstreamd_field> fields_;
    std::vector<nfstreamd_setting> c_settings_;
    std::vector<const nfstreamd_field*> field_pointers_;
    std::vector<const nfstreamd_setting*> setting_pointers_;
    Outside outside_;
};

}  // namespace nfstreamd::exporters
