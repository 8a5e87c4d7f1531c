// SPDX-License-Identifier: Apache-2.0
#include "config/effective.hpp"

#include <fmt/format.h>

#include <utility>

#include "config/generations.hpp"
#include "config/masking.hpp"
#include "config/tables.hpp"
#include "config/value.hpp"

namespace nfstreamd::config {
namespace {

SettingValue value_of(const SettingSpec& spec, const Settings& settings) {
    const std::string_view name = spec.name;
    if (!settings.has_value(name)) return std::monostate{};
    switch (spec.type) {
        case SettingType::kBool:
            return settings.boolean(name);
        case SettingType::kInteger:
        case SettingType::kSize:
            return settings.integer(name);
        case SettingType::kNumber:
            return settings.number(name);
        case SettingType::kDuration:
            return settings.duration(name);
        case SettingType::kStringList:
            return settings.strings(name);
        case SettingType::kString:
        case SettingType::kChoice:
        case SettingType::kSecret:
        case SettingType::kTree:
            break;
    }
    return settings.string(name);
}

SettingValue masked(const SettingSpec& spec, SettingValue value) {
    if (auto* text = std::get_if<std::string>(&value)) {
        if (spec.type == SettingType::kSecret && !text->empty()) return std::string(kMask);
        if (spec.type == SettingType::kString) *text = without_url_secrets(*text);
    }
    if (auto* list = std::get_if<std::vector<std::string>>(&value))
        for (std::string& text : *list) text = without_header_secret(without_url_secrets(text));
    return value;
}

// An empty text is a value, too; nothing else is printed that nobody gave.
bool is_in_effect(const SettingSpec& spec, const Settings& settings) {
    return !spec.default_value.empty() || spec.type == SettingType::kString || settings.given(spec.name);
}

// "key: value" of what has a value, each behind `indent`; "a.b" as b in the map
// a. Settings of one map stand together in their table.
void append(std::string& out, const Settings& settings, std::span<const SettingSpec> table, std::string_view indent) {
    std::string_view map;
    for (const SettingSpec& spec : table) {
        if (!is_in_effect(spec, settings)) continue;
        const auto dot = spec.name.find('.');
        const std::string_view head = dot == std::string_view::npos ? "" : spec.name.substr(0, dot);
        if (!head.empty() && head != map) out += fmt::format("{}{}:\n", indent, head);
        map = head;
        out += fmt::format("{}{}{}: {}\n", indent, head.empty() ? "" : "  ",
                           head.empty() ? spec.name : spec.name.substr(dot + 1),
                           print_value(spec, masked(spec, value_of(spec, settings))));
    }
}

void append(std::vector<EffectiveSetting>& out, const Settings& settings, std::span<const SettingSpec> table,
            const std::string& path) {
    for (const SettingSpec& spec : table) {
        if (!is_in_effect(spec, settings)) continue;
        auto value = value_of(spec, settings);
        std::string shown = print_value(spec, masked(spec, value));
        out.push_back({fmt::format("{}{}", path, spec.name), std::move(shown), std::move(value), spec.reload});
    }
}

// What names the entry is no setting of it here.
std::vector<SettingSpec> without_names(std::vector<SettingSpec> table) {
    std::erase_if(table, [](const SettingSpec& spec) { return spec.name == "interface" || spec.name == "pcap"; });
    return table;
}

void append_entry(std::string& out, std::string entry) {
    entry[2] = '-';  // the first key of an entry of a list, indented by four
    out += entry;
}

void append_named(std::string& out, std::string_view key, const std::vector<CheckedExtension>& entries,
                  std::span<const SettingSpec> table) {
    out += fmt::format("{}:{}\n", key, entries.empty() ? " []" : "");
    for (const CheckedExtension& checked : entries) {
        std::string entry;
        append(entry, checked.settings, table, "    ");
        append_entry(out, std::move(entry));
    }
}

}  // namespace

std::string effective_yaml(const Checked& checked) {
    const auto top = top_settings();
    std::string out = fmt::format("instance: {}\n", print_string(checked.top.string("instance")));
    out += checked.capture.empty() ? "capture: []\n" : "capture:\n";
    for (const CheckedCapture& capture : checked.capture) {
        std::string entry;
        append(entry, capture.settings, settings_of(capture_settings(), checked.generation), "    ");
        append_entry(out, std::move(entry));
    }
    out += "metering:\n";
    append(out, checked.metering, settings_of(metering_settings(), checked.generation), "  ");
    std::string rules;
    append(rules, checked.ndpi, ndpi_settings(), "  ");
    out += rules.empty() ? "ndpi: {}\n" : "ndpi:\n" + rules;
    out += "enrichment:\n";
    append(out, checked.enrichment, enrichment_settings(), "  ");
    append_named(out, "plugins", checked.plugins, plugin_settings());
    append_named(out, "models", checked.models, model_settings());
    out += checked.exporters.empty() ? "exporters: []\n" : "exporters:\n";
    for (const CheckedExporter& exporter : checked.exporters) {
        std::string entry = fmt::format("    name: {}\n    type: {}\n", print_string(exporter.name),
                                        print_string(std::string(exporter.schema->type)));
        append(entry, exporter.settings, settings_of(exporter.schema->settings, checked.generation), "    ");
        append_entry(out, std::move(entry));
    }
    for (const SettingSpec& spec : top) {
        if (spec.name == "instance") continue;  // already first
        append(out, checked.top, {&spec, 1}, "");
    }
    out += "log:\n";
    append(out, checked.log, log_settings(), "  ");
    out += "control:\n";
    append(out, checked.control, control_settings(), "  ");
    out += "metrics:\n";
    append(out, checked.metrics, metrics_settings(), "  ");
    return out;
}

std::vector<EffectiveSetting> effective_settings(const Checked& checked) {
    std::vector<EffectiveSetting> out;
    append(out, checked.top, top_settings(), "");
    const auto capture_table = without_names(settings_of(capture_settings(), checked.generation));
    for (const CheckedCapture& capture : checked.capture) {
        for (const char* names : {"interface", "pcap"})
            for (const std::string& name : capture.settings.strings(names))
                append(out, capture.settings, capture_table, fmt::format("capture.{}.", name));
    }
    append(out, checked.metering, settings_of(metering_settings(), checked.generation), "metering.");
    append(out, checked.ndpi, ndpi_settings(), "ndpi.");
    append(out, checked.enrichment, enrichment_settings(), "enrichment.");
    for (const CheckedExporter& exporter : checked.exporters) {
        const std::string path = fmt::format("exporters.{}.", exporter.name), type(exporter.schema->type);
        out.push_back({path + "type", type, type, Reload::kReopen});
        append(out, exporter.settings, settings_of(exporter.schema->settings, checked.generation), path);
    }
    append(out, checked.log, log_settings(), "log.");
    append(out, checked.control, control_settings(), "control.");
    return out;
}

}  // namespace nfstreamd::config
