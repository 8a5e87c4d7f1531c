// SPDX-License-Identifier: Apache-2.0
// The settings of exporter type plugin, and how one is made of them.
#include <fmt/format.h>

#include "exporters/plugin/plugin_exporter.hpp"

namespace nfstreamd::exporters {
namespace {

using config::SettingSpec;
using config::SettingType;

constexpr SettingSpec kSettings[] = {
    {.name = "path",
     .type = SettingType::kString,
     .default_value = "",
     .required = true,
     .description = "The shared object, as an absolute path; it runs as part of nfstreamd, with its rights "
                    "(exporters/plugin/README.md says how to make one)."},
    {.name = "settings",
     .type = SettingType::kStringList,
     .default_value = "[]",
     .description = "What the plugin is told, each \"name=value\"; --print-config shows it, so a secret is better "
                    "in a file that is named here."},
};

Error at(const config::Settings& settings, std::string_view name, std::string_view message) {
    return {ErrorCode::kInvalidArgument, fmt::format("{}: {}", name, message), settings.where(name)};
}

Result<PluginSettings> read_settings(const config::Settings& settings) {
    PluginSettings pairs;
    for (const std::string& text : settings.strings("settings")) {
        const auto sign = text.find('=');
        if (sign == std::string::npos || sign == 0)
            return at(settings, "settings", fmt::format("\"{}\" is not of the form name=value", text));
        if (text.find('\0') != std::string::npos) return at(settings, "settings", "a text has a zero octet in it");
        pairs.emplace_back(text.substr(0, sign), text.substr(sign + 1));
    }
    return pairs;
}

Result<std::unique_ptr<Exporter>> make_plugin(const ExporterContext& context) {
    const config::Settings& settings = context.settings;
    const std::string& path = settings.string("path");
    if (!path.starts_with('/'))  // the loader would search for it, where others may write
        return at(settings, "path", "must be an absolute path, such as /usr/lib/nfstreamd/example.so");
    auto pairs = read_settings(settings);
    if (!pairs) return pairs.error();
    auto fields = select_fields(settings.strings("fields"), nfstream_fields(context.groups), context.groups);
    if (!fields) return at(settings, "fields", fields.error().message);
    PluginOptions options{.name = context.name,
                          .path = path,
                          .settings = std::move(pairs.value()),
                          .fields = std::move(fields.value()),
                          .groups = context.groups,
                          .private_enterprise_number = context.private_enterprise_number};
    return std::unique_ptr<Exporter>(std::make_unique<PluginExporter>(std::move(options), context.logger));
}

}  // namespace

constinit const ExporterType kPluginExporterType{
    .name = "plugin",
    .summary = "An exporter of others, in a shared object (exporters/plugin/nfstreamd_exporter.h)",
    .settings = kSettings,
    .exclusive = true,  // whatever it owns, its successor waits for it
    .make = &make_plugin,
    .writes_path = false,
};

}  // namespace nfstreamd::exporters
