// SPDX-License-Identifier: Apache-2.0
#include "daemon/reload.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "core/metering/field_groups.hpp"
#include "daemon/assembly.hpp"
#include "daemon/models.hpp"
#include "daemon/plugins.hpp"

namespace nfstreamd::daemon {
namespace {

// A setting that is built into running flow caches: one row per key, so that diff() and keep_until_restart() cannot
// disagree.
struct FixedSetting {
    std::string_view key;
    bool (*same)(const config::Config&, const config::Config&);
    void (*keep)(const config::Config& running, config::Config& wanted);
};

template <auto Member>
constexpr FixedSetting metering(std::string_view key) {
    return {key,
            [](const config::Config& a, const config::Config& b) { return a.metering.*Member == b.metering.*Member; },
            [](const config::Config& running, config::Config& wanted) {
                wanted.metering.*Member = running.metering.*Member;
            }};
}

constexpr FixedSetting kFixed[] = {
    metering<&MeteringOptions::max_flows>("metering.max_flows"),
    metering<&MeteringOptions::overload_from>("metering.overload.from"),
    metering<&MeteringOptions::prefault>("metering.prefault"),
    metering<&MeteringOptions::max_nflows>("metering.max_nflows"),
    metering<&MeteringOptions::accounting_mode>("metering.accounting_mode"),
    metering<&MeteringOptions::decode_tunnels>("metering.decode_tunnels"),
    metering<&MeteringOptions::fragments>("metering.fragments"),
    metering<&MeteringOptions::n_dissections>("metering.n_dissections"),
    metering<&MeteringOptions::l7_details>("metering.l7_details"),
    metering<&MeteringOptions::statistical_analysis>("metering.statistical_analysis"),
    metering<&MeteringOptions::tcp_quality>("metering.tcp_quality"),
    metering<&MeteringOptions::system_visibility_mode>("metering.system_visibility_mode"),
    metering<&MeteringOptions::system_visibility_poll>("metering.system_visibility_poll_ms"),
    metering<&MeteringOptions::splt_analysis>("metering.splt_analysis"),
    metering<&MeteringOptions::compatibility>("metering.compatibility"),
    metering<&MeteringOptions::nfstream3_records>("exporters.schema"),
};

template <class Items>
auto find_by_name(const Items& items, const std::string& name) {
    return std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.name == name; });
}

// Items are those of one configuration in its order; `same` compares two of one name.
template <class Items, class Same>
void compare(const Items& running, const Items& wanted, Same same, std::vector<std::string>& added,
             std::vector<std::string>& removed, std::vector<std::string>& changed) {
    for (const auto& item : wanted) {
        const auto before = find_by_name(running, item.name);
        if (before == running.end())
            added.push_back(item.name);
        else if (!same(*before, item))
            changed.push_back(item.name);
    }
    for (const auto& item : running)
        if (find_by_name(wanted, item.name) == wanted.end()) removed.push_back(item.name);
}

// Of an input that has another number of meters every one goes and new ones
// come, those of a name that stays as well: the flows are divided anew.
void replace_shares(const std::vector<CapturePlan>& running, const std::vector<CapturePlan>& wanted, ReloadPlan& plan) {
    const auto is_replaced = [&](const std::string& name) {
        return find_by_name(running, name)->share != find_by_name(wanted, name)->share;
    };
    auto& reopened = plan.interfaces_reopened;  // so far what differs in any way
    const auto replaced = std::stable_partition(reopened.begin(), reopened.end(), std::not_fn(is_replaced));
    plan.interfaces_added.insert(plan.interfaces_added.end(), replaced, reopened.end());
    plan.interfaces_removed.insert(plan.interfaces_removed.end(), replaced, reopened.end());
    reopened.erase(replaced, reopened.end());
}

// What a meter can take in place.
void find_live_changes(const std::vector<CapturePlan>& running, const std::vector<CapturePlan>& wanted,
                       ReloadPlan& plan) {
    auto& reopened = plan.interfaces_reopened;
    const auto live = std::stable_partition(reopened.begin(), reopened.end(), [&](const std::string& name) {
        return difference(*find_by_name(running, name), *find_by_name(wanted, name)) == CaptureDifference::kReopen;
    });
    plan.interfaces_changed.assign(live, reopened.end());
    reopened.erase(live, reopened.end());
}

}  // namespace

ReloadPlan diff(const config::Config& running, const config::Config& wanted) {
    ReloadPlan plan;
    const auto running_captures = capture_plans(running), wanted_captures = capture_plans(wanted);
    compare(
        running_captures, wanted_captures,
        [](const CapturePlan& a, const CapturePlan& b) { return difference(a, b) == CaptureDifference::kNone; },
        plan.interfaces_added, plan.interfaces_removed, plan.interfaces_reopened);
    replace_shares(running_captures, wanted_captures, plan);
    find_live_changes(running_captures, wanted_captures, plan);
    // the enterprise number is part of what every exporter is made from, and whether there are fields of enrichment,
    // and which of plugins and models
    const bool same_basis = running.private_enterprise_number == wanted.private_enterprise_number &&
                            running.metering.enrichment.any() == wanted.metering.enrichment.any() &&
                            field_groups(running.metering).declared == field_groups(wanted.metering).declared;
    compare(
        running.exporters, wanted.exporters,
        [same_basis](const config::ExporterConfig& a, const config::ExporterConfig& b) {
            return same_basis && a.type == b.type && a.settings == b.settings && a.share == b.share;
        },
        plan.exporters_added, plan.exporters_removed, plan.exporters_replaced);
    for (const auto& setting : kFixed)
        if (!setting.same(running, wanted)) plan.needs_restart.emplace_back(setting.key);
    const TimeoutOptions &timeouts = running.metering, &wanted_timeouts = wanted.metering;
    plan.metering_changed = timeouts != wanted_timeouts;
    plan.plugins_changed = running.plugins != wanted.plugins;
    plan.models_changed = models_differ(running, wanted);
    plan.rules_changed = running.metering.ndpi != wanted.metering.ndpi && running.metering.n_dissections.any();
    plan.enrichment_changed = running.metering.enrichment != wanted.metering.enrichment;
    plan.log_changed = running.log.level != wanted.log.level || running.log.format != wanted.log.format;
    plan.control_changed = running.control != wanted.control;
    plan.metrics_changed = running.metrics != wanted.metrics;
    plan.report_changed = running.performance_report != wanted.performance_report;
    return plan;
}

config::Config keep_until_restart(const config::Config& running, config::Config wanted) {
    for (const auto& setting : kFixed) setting.keep(running, wanted);
    keep_plugins(running, wanted);
    keep_models(running, wanted);
    // the same files need not be in memory twice
    if (wanted.metering.enrichment == running.metering.enrichment)
        wanted.metering.enrichment = running.metering.enrichment;
    return wanted;
}

std::string ReloadPlan::text() const {
    return fmt::format("exporters +{} -{} ~{}, interfaces +{} -{} ~{}, {}{}{}{}restart needed: {}",
                       exporters_added.size(), exporters_removed.size(), exporters_replaced.size(),
                       interfaces_added.size(), interfaces_removed.size(),
                       interfaces_changed.size() + interfaces_reopened.size(), plugins_changed ? "plugins ~1, " : "",
                       models_changed ? "models ~1, " : "", rules_changed ? "nDPI rules ~1, " : "",
                       enrichment_changed ? "enrichment ~1, " : "",
                       needs_restart.empty() ? "none" : fmt::format("{}", fmt::join(needs_restart, " ")));
}

}  // namespace nfstreamd::daemon
