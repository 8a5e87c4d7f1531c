// SPDX-License-Identifier: Apache-2.0
// What a reload would change: the difference of two configurations, by name.
// Pure; reloader.hpp acts on it.
#pragma once
#include <string>
#include <vector>

#include "config/config.hpp"

namespace nfstreamd::daemon {

struct ReloadPlan {
    std::vector<std::string> interfaces_added, interfaces_removed;
    std::vector<std::string> interfaces_changed;   // in place: filter, selection
    std::vector<std::string> interfaces_reopened;  // by a new ring beside the old one, or in other company
    std::vector<std::string> exporters_added, exporters_removed, exporters_replaced;
    std::vector<std::string> needs_restart;  // settings that were left as they are, by key path
    bool metering_changed = false;           // timeouts
    bool plugins_changed = false;            // which, what they are told, or their order
    bool models_changed = false;             // which, by content of their files too, or their order
    bool rules_changed = false;              // nDPI's files, by path or content
    bool enrichment_changed = false;         // its files, by path or content, or its cache
    bool log_changed = false;
    bool control_changed = false, metrics_changed = false;
    bool report_changed = false;  // how often

    bool exporters_changed() const {
        return !exporters_added.empty() || !exporters_removed.empty() || !exporters_replaced.empty();
    }
    bool interfaces_differ() const {
        return !interfaces_added.empty() || !interfaces_removed.empty() || !interfaces_changed.empty() ||
               !interfaces_reopened.empty();
    }
    // "exporters +1 -0 ~1, interfaces +0 -0 ~1, restart needed: metering.max_flows"
    std::string text() const;
};

ReloadPlan diff(const config::Config& running, const config::Config& wanted);

// `wanted` with the settings that need a restart as they are in `running`: what
// is in effect after the reload.
config::Config keep_until_restart(const config::Config& running, config::Config wanted);

}  // namespace nfstreamd::daemon
