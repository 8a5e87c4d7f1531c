// SPDX-License-Identifier: Apache-2.0
// What the operator chose for one plugin. Plain values.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/record/information_element.hpp"

namespace nfstreamd {

struct ConfiguredElement {  // of a field, in place of the plugin's own
    std::string field;      // without "udps."
    IeId ie;
    friend bool operator==(const ConfiguredElement&, const ConfiguredElement&) = default;
};

struct PluginOptions {
    std::string name{};           // in the configuration
    std::string path{};           // of the shared object; without a slash: looked for in plugin_folders()
    std::string settings = "{}";  // JSON
    std::vector<ConfiguredElement> elements{};
    std::optional<std::chrono::microseconds> time_budget{};  // of a call, in the mean; unset: any
    friend bool operator==(const PluginOptions&, const PluginOptions&) = default;
};

}  // namespace nfstreamd
