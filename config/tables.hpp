// SPDX-License-Identifier: Apache-2.0
// The settings of everything but the exporters, which hand theirs in. Checking,
// --print-config and REFERENCE.md all go by these tables. Constant.
#pragma once
#include <span>
#include <string_view>

#include "config/settings.hpp"

namespace nfstreamd::config {

std::span<const SettingSpec> top_settings();  // beside the blocks below
std::span<const SettingSpec> capture_settings();
std::span<const SettingSpec> metering_settings();
std::span<const SettingSpec> ndpi_settings();
std::span<const SettingSpec> enrichment_settings();
std::span<const SettingSpec> plugin_settings();
std::span<const SettingSpec> model_settings();
std::span<const SettingSpec> log_settings();
std::span<const SettingSpec> control_settings();
std::span<const SettingSpec> metrics_settings();

// A key of the top level that holds settings.
struct Block {
    std::string_view key;      // "capture"
    bool is_list;              // of maps
    std::string_view summary;  // for the reference
};
std::span<const Block> blocks();

}  // namespace nfstreamd::config
