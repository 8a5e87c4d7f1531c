// SPDX-License-Identifier: Apache-2.0
#include "daemon/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "daemon/reload.hpp"

namespace nfstreamd::daemon {
namespace {

using config::EffectiveSetting;
using config::Reload;
using Settings = std::map<std::string, const EffectiveSetting*, std::less<>>;

std::string_view name(Reload cost) {
    return cost == Reload::kLive ? "live" : cost == Reload::kReopen ? "reopen" : "restart";
}

Settings by_key(const config::Config& config) {
    Settings settings;
    for (const auto& setting : config.effective) settings.emplace(setting.key, &setting);
    return settings;
}

std::set<std::string> entries_of(const config::Config& config) {
    std::set<std::string> entries;
    for (const auto& capture : config.capture)
        for (const auto* names : {&capture.interfaces, &capture.pcap})
            for (const auto& one : *names) entries.insert("capture." + one);
    constexpr std::string_view kExporters = "exporters.";
    for (const auto& setting : config.effective)
        if (setting.key.starts_with(kExporters))
            entries.insert(setting.key.substr(0, setting.key.find('.', kExporters.size())));
    return entries;
}

bool is_of(const std::set<std::string>& entries, const std::string& key) {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const std::string& entry) { return key.starts_with(entry + "."); });
}

std::string line(Reload cost, std::string_view key, std::string_view before, std::string_view after) {
    return fmt::format("{:<8} {}: {} -> {}\n", name(cost), key, before, after);
}

}  // namespace

std::string explain_reload(const config::Config& running, const config::Config& wanted) {
    constexpr std::string_view kNone = "(none)";
    const Settings before = by_key(running), after = by_key(wanted);
    const auto had = entries_of(running), has = entries_of(wanted);
    std::set<std::string> came, went;
    std::set_difference(has.begin(), has.end(), had.begin(), had.end(), std::inserter(came, came.end()));
    std::set_difference(had.begin(), had.end(), has.begin(), has.end(), std::inserter(went, went.end()));
    std::string text;
    for (const auto& entry : went) text += line(Reload::kReopen, entry, "present", kNone);
    for (const auto& entry : came) text += line(Reload::kReopen, entry, kNone, "present");
    for (const auto& [key, setting] : before) {
        const auto now = after.find(key);
        if (now != after.end() && now->second->value == setting->value) continue;
        if (is_of(went, key)) continue;
        text += line(setting->reload, key, setting->shown, now == after.end() ? kNone : now->second->shown);
    }
    for (const auto& [key, setting] : after)
        if (!before.contains(key) && !is_of(came, key)) text += line(setting->reload, key, kNone, setting->shown);
    if (text.empty()) text = "nothing differs\n";
    return text + "in all: " + diff(running, wanted).text() + "\n";
}

}  // namespace nfstreamd::daemon
