// SPDX-License-Identifier: Apache-2.0
#include "daemon/plugins.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

#include "core/metering/field_groups.hpp"
#include "core/plugin/flow_plugin.hpp"
#include "daemon/assembly.hpp"
#include "daemon/python_plugins.hpp"

namespace nfstreamd::daemon {
namespace {

constexpr std::chrono::microseconds kLiveTimeBudget{100}, kLivePythonTimeBudget{10000};
constexpr std::string_view kPython = "python";

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
        to.time_budget = from.type == kPython ? kLivePythonTimeBudget : kLiveTimeBudget;
    to.elements = configured_elements(from.elements, from.where, fmt::format("plugins[{}].elements", index), errors);
    return to;
}

// "NAME=TYPE", or nothing.
std::optional<PythonField> python_field_of(std::string_view text) {
    constexpr std::pair<std::string_view, IeType> kTypes[] = {{"unsigned", IeType::kUnsigned64},
                                                              {"signed", IeType::kSigned64},
                                                              {"float", IeType::kFloat64},
                                                              {"boolean", IeType::kBoolean},
                                                              {"text", IeType::kString},
                                                              {"list", IeType::kSigned32List},
                                                              {"any", IeType::kAny}};
    const auto sign = text.find('=');
    if (sign == std::string_view::npos || sign == 0) return std::nullopt;
    for (const auto& [name, type] : kTypes)
        if (text.substr(sign + 1) == name) return PythonField{std::string(text.substr(0, sign)), type};
    return std::nullopt;
}

PythonPluginOptions python_options_of(const config::PluginConfig& from, PluginOptions plugin, std::size_t index,
                                      std::vector<config::ConfigError>& errors) {
    PythonPluginOptions to{
        .plugin = std::move(plugin), .class_name = from.class_name, .generation = from.generation, .fields = {}};
    for (const std::string& text : from.fields) {
        if (auto field = python_field_of(text))
            to.fields.push_back(std::move(*field));
        else
            errors.push_back({from.where, fmt::format("plugins[{}].fields", index),
                              fmt::format("\"{}\" is not of the form NAME=TYPE, with the type unsigned, signed, float, "
                                          "boolean, text, list or any",
                                          text)});
    }
    return to;
}

std::uint64_t content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return std::hash<std::string>{}(text);
}

// What is of the other type must not be there, as nobody looks at it.
bool check_keys(const config::PluginConfig& entry, std::size_t index, std::vector<config::ConfigError>& errors) {
    const auto refuse = [&](const char* key, const char* message) {
        errors.push_back({entry.where, fmt::format("plugins[{}].{}", index, key), message});
        return false;
    };
    constexpr const char* kPythonAlone = "belongs to type: python";
    if (entry.type == kPython)
        return !entry.path.empty() || refuse("path", "a plugin in Python needs the path of its file");
    if (!entry.class_name.empty()) return refuse("class", kPythonAlone);
    if (!entry.generation.empty()) return refuse("generation", kPythonAlone);
    return entry.fields.empty() || refuse("fields", kPythonAlone);
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
    FieldSelection before, shared;
    const bool live = !is_file_run(config);
    const FieldGroups groups = field_groups(config.metering);
    for (std::size_t i = 0; i < config.plugins.size(); ++i) {
        config::PluginConfig& entry = config.plugins[i];
        if (!check_keys(entry, i, errors)) continue;
        PluginOptions options = options_of(entry, live, i, errors);
        const auto refuse = [&](const Error& error) {
            errors.push_back({entry.where, fmt::format("plugins[{}]", i), error.text()});
        };
        if (entry.type == kPython) {
            entry.content = content_of(entry.path);
            auto plugin = load_python_plugin(python_options_of(entry, std::move(options), i, errors),
                                             {before, shared, groups}, logger);
            if (!plugin) {
                refuse(plugin.error());
                continue;
            }
            const FieldSelection& fields = plugin.value()->fields();
            before.insert(before.end(), fields.begin(), fields.end());
            shared.insert(shared.end(), fields.begin(), fields.end());
            config.metering.extensions.push_back(std::move(plugin.value()));
            continue;
        }
        auto plugin = FlowPlugin::load(std::move(options), before, logger);
        if (!plugin) {
            refuse(plugin.error());
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
