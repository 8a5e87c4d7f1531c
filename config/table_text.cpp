// SPDX-License-Identifier: Apache-2.0
#include "config/table_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/tables.hpp"

namespace nfstreamd::config {

std::string_view type_text(SettingType type) {
    switch (type) {
        case SettingType::kBool:
            return "bool";
        case SettingType::kInteger:
            return "integer";
        case SettingType::kNumber:
            return "number";
        case SettingType::kDuration:
            return "duration";
        case SettingType::kSize:
            return "size";
        case SettingType::kStringList:
            return "list";
        case SettingType::kChoice:
            return "choice";
        case SettingType::kSecret:
            return "secret";
        case SettingType::kTree:
            return "any";
        case SettingType::kString:
            break;
    }
    return "string";
}

std::string_view reload_text(Reload reload) {
    switch (reload) {
        case Reload::kLive:
            return "live";
        case Reload::kRestart:
            return "restart";
        case Reload::kReopen:
            break;
    }
    return "reopen";
}

std::vector<std::string_view> choices_of(const SettingSpec& spec) {
    std::vector<std::string_view> out;
    std::string_view rest = spec.choices;
    while (!rest.empty()) {
        out.push_back(rest.substr(0, rest.find(' ')));
        rest.remove_prefix(std::min(rest.size(), out.back().size() + 1));
    }
    return out;
}

std::string bounds_text(const SettingSpec& spec) {
    if (spec.min == spec.max) return "";
    const std::string_view unit = spec.type == SettingType::kDuration ? "s" : "";
    return fmt::format("{}{} to {}{}", spec.min, unit, fmt::format("{:.15g}", spec.max), unit);
}

std::span<const SettingSpec> settings_of_block(std::string_view block) {
    if (block == "capture") return capture_settings();
    if (block == "metering") return metering_settings();
    if (block == "ndpi") return ndpi_settings();
    if (block == "enrichment") return enrichment_settings();
    if (block == "plugins") return plugin_settings();
    if (block == "models") return model_settings();
    if (block == "log") return log_settings();
    if (block == "control") return control_settings();
    if (block == "metrics") return metrics_settings();
    return {};
}

}  // namespace nfstreamd::config
