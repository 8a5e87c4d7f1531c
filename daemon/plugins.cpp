// SPDX-License-Identifier: Apache-2.0
#include "daemon/plugins.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "core/plugin/flow_plugin.hpp"
#include "daemon/assembly.hpp"

namespace nfstreamd::daemon {
namespace {

constexpr std::chrono::microseconds kLiveTimeBudget{100};

template <class Number>
std::optional<Number> number(std::string_view text, std::uint64_t most) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
    return static_cast<Number>(value);
}

// "FIELD=PEN/NUMBER" or "FIELD=NUMBER".
std::optional<ConfiguredElement> element_of(std::string_view text) {
    const auto sign = text.find('=');
    if (sign == std::string_view::npos || sign == 0) return std::nullopt;
    ConfiguredElement element{std::string(text.substr(0, sign)), {kOurPen, 0}};
    std::string_view rest = text.substr(sign + 1);
    if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
        const auto pen = number<std::uint32_t>(rest.substr(0, slash), kOurPen - 1);
        if (!pen) return std::nullopt;
        element.ie.pen = *pen;
        rest.remove_prefix(slash + 1);
    }
    const auto id = number<std::uint16_t>(rest, 32767);
    if (!id || *id == 0) return std::nullopt;
    element.ie.id = *id;
    return element;
}

PluginOptions options_of(const config::PluginConfig& from, bool live, std::size_t index,
                         std::vector<config::ConfigError>& errors) {
    PluginOptions to{
        .name = from.name, .path = from.path, .settings = from.settings, .elements = {}, .time_budget = {}};
    if (from.time_budget_us)
        to.time_budget = std::chrono::microseconds(*from.time_budget_us);
    else if (live && !from.has_no_time_budget)
        to.time_budget = kLiveTimeBudget;
    to.elements = configured_elements(from.elements, from.where, fmt::format("plugins[{}].elements", index), errors);
    return to;
}

}  // namespace

std::vector<ConfiguredElement> configured_elements(const std::vector<std::string>& texts, const std::string& where,
                                                   const std::string& key, std::vector<config::ConfigError>& errors) {
    std::vector<ConfiguredElement> elements;
    for (const std::string& text : texts) {
        if (auto element = element_of(text))
            elements.push_back(std::move(*element));
        else
            errors.push_back(
                {where, key, fmt::format("\"{}\" is not of the form FIELD=PEN/NUMBER or FIELD=NUMBER", text)});
    }
    return elements;
}

void load_plugins(config::Config& config, Logger& logger, std::vector<config::ConfigError>& errors) {
    FieldSelection before;
    const bool live = !is_file_run(config);
    for (std::size_t i = 0; i < config.plugins.size(); ++i) {
        const config::PluginConfig& entry = config.plugins[i];
        auto plugin = FlowPlugin::load(options_of(entry, live, i, errors), before, logger);
        if (!plugin) {
            errors.push_back({entry.where, fmt::format("plugins[{}]", i), plugin.error().text()});
            continue;
        }
        const FieldSelection& declared = plugin.value()->declared();
        before.insert(before.end(), declared.begin(), declared.end());
        config.metering.extensions.push_back(std::move(plugin.value()));
    }
}

void keep_plugins(const config::Config& running, config::Config& wanted) {
    for (std::size_t i = 0; i < wanted.plugins.size() && i < wanted.metering.extensions.size(); ++i) {
        const auto same = std::find(running.plugins.begin(), running.plugins.end(), wanted.plugins[i]);
        if (same == running.plugins.end()) continue;
        const auto& before = running.metering.extensions[static_cast<std::size_t>(same - running.plugins.begin())];
        if (before->fields() == wanted.metering.extensions[i]->fields()) wanted.metering.extensions[i] = before;
    }
}

Result<std::vector<HookLink>> hook_links(const config::Config& running, const config::Config& wanted,
                                         const std::string& meter, Logger& logger) {
    std::vector<HookLink> links;
    const auto& before = running.metering.extensions;
    for (const auto& extension : wanted.metering.extensions) {
        HookLink& link = links.emplace_back(HookLink{extension, nullptr});
        if (std::find(before.begin(), before.end(), extension) != before.end()) continue;
        auto hook = extension->make_hook(meter, logger);
        if (!hook) return hook.error();
        link.hook = std::move(hook.value());
    }
    return links;
}

}  // namespace nfstreamd::daemon
