// SPDX-License-Identifier: Apache-2.0
#include "daemon/collectors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/registry.hpp"

namespace nfstreamd::daemon {
namespace {

constexpr std::string_view kCollectors = "collectors", kPolicy = "policy";

bool has_policy(const config::ExporterConfig& exporter) {
    const auto* type = exporters::find_exporter_type(exporter.type);
    return type && std::any_of(type->settings.begin(), type->settings.end(),
                               [](const config::SettingSpec& spec) { return spec.name == kPolicy; });
}

bool is_spread(const config::ExporterConfig& exporter) {
    if (!has_policy(exporter) || exporter.settings.strings(kCollectors).size() < 2) return false;
    const std::string& policy = exporter.settings.string(kPolicy);
    return policy == "copy" || policy == "hash";
}

}  // namespace

void spread_collectors(config::Config& config) {
    std::vector<config::ExporterConfig> all;
    for (config::ExporterConfig& exporter : config.exporters) {
        if (!is_spread(exporter)) {
            all.push_back(std::move(exporter));
            continue;
        }
        const std::vector<std::string> collectors = exporter.settings.strings(kCollectors);
        for (std::size_t i = 0; i < collectors.size(); ++i) {
            config::ExporterConfig& one = all.emplace_back(exporter);
            if (i > 0) one.name = fmt::format("{}/{}", exporter.name, i + 1);
            one.settings.set(std::string(kCollectors), std::vector<std::string>{collectors[i]},
                             exporter.settings.where(kCollectors), true);
            if (exporter.settings.string(kPolicy) == "hash")
                one.share = {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(collectors.size())};
        }
    }
    config.exporters = std::move(all);
}

}  // namespace nfstreamd::daemon
