// SPDX-License-Identifier: Apache-2.0
#include "daemon/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "core/capture/merged_source.hpp"
#include "core/metering/field_groups.hpp"
#include "core/selection/packet_hash_filter.hpp"
#include "daemon/assembly.hpp"
#include "daemon/metrics/metrics_server.hpp"
#include "exporters/registry.hpp"

namespace nfstreamd::daemon {
namespace {

using Errors = std::vector<config::ConfigError>;

// What concerns the meter that a group has in common is the same in all its entries.
void check_group(const config::Config& config, std::size_t index, const std::string& key, Errors& errors) {
    const auto& capture = config.capture[index];
    const bool deduplicates = capture.merge.deduplicate > std::chrono::milliseconds(0);
    if (capture.group.empty()) {
        if (deduplicates)
            errors.push_back({capture.where, key + ".deduplicate", "needs a group: the interfaces that are compared"});
        return;
    }
    if (deduplicates && capture.options.snapshot_length < kLeastDeduplicated)
        errors.push_back(
            {capture.where, key + ".snapshot_length",
             fmt::format("must be {} at least for packets to be told apart by deduplicate", kLeastDeduplicated)});
    const auto& first = *std::find_if(config.capture.begin(), config.capture.end(),
                                      [&](const auto& other) { return other.group == capture.group; });
    const auto differs = [&](const char* setting) {
        errors.push_back({capture.where, fmt::format("{}.{}", key, setting),
                          fmt::format("must be as in the first entry of group '{}', {}", capture.group, first.where)});
    };
    if (capture.merge.reorder_window != first.merge.reorder_window) differs("reorder_window");
    if (capture.merge.deduplicate != first.merge.deduplicate) differs("deduplicate");
    if (capture.n_meters != first.n_meters) differs("n_meters");
    if (capture.selection.sampling != first.selection.sampling) differs("packet_sampling");
    if (capture.selection.hash != first.selection.hash) differs("packet_hash_filter");
    if (capture.pcap.empty() != first.pcap.empty())
        errors.push_back({capture.where, key + ".group",
                          fmt::format("group '{}' cannot have both interfaces and capture files", capture.group)});
}

void check_inputs(const config::Config& config, Errors& errors) {
    bool live = false, files = false;
    std::map<std::string, std::string> seen;  // interface -> where
    for (std::size_t i = 0; i < config.capture.size(); ++i) {
        const auto& capture = config.capture[i];
        const auto key = fmt::format("capture[{}]", i);
        live = live || !capture.interfaces.empty();
        files = files || !capture.pcap.empty();
        if (!capture.interfaces.empty() && !capture.pcap.empty())
            errors.push_back({capture.where, key, "has both interfaces and capture files: give one of them"});
        for (const auto& interface : capture.interfaces)
            if (const auto [at, fresh] = seen.emplace(interface, capture.where); !fresh)
                errors.push_back({capture.where, key + ".interface",
                                  fmt::format("'{}' is captured already by {}", interface, at->second)});
        check_group(config, i, key, errors);
        if (auto filter = check_bpf_filter(capture.options.bpf_filter); !filter)
            errors.push_back({capture.where, key + ".bpf_filter", filter.error().message});
        if (auto hash = check_packet_hash(capture.selection.hash); !hash)
            errors.push_back({capture.where, key + ".packet_hash_filter", hash.error().message});
    }
    std::map<std::string, std::size_t> names;
    for (const auto& plan : capture_plans(config)) {
        if (!plan.share.first()) continue;
        if (plan.members.size() > kMostMembers)
            errors.push_back({"", "capture",
                              fmt::format("group '{}' has {} interfaces or files, the most are {}", plan.input,
                                          plan.members.size(), kMostMembers)});
        if (++names[plan.input] == 2)
            errors.push_back(
                {"", "capture", fmt::format("'{}' is the name of two inputs: call the group otherwise", plan.input)});
    }
    if (live && files)
        errors.push_back({"", "capture", "interfaces and capture files cannot be metered by one process"});
    if (!live && !files)
        errors.push_back({config.files.empty() ? std::string() : config.files.front(), "capture",
                          "there is nothing to meter: name an interface, as in `capture: [{interface: eth0}]` or "
                          "`--set capture.interface=eth0`, or give capture files by -r"});
}

void check_exporters(const config::Config& config, Logger& logger, Errors& errors) {
    std::map<std::string, std::string> paths;  // path -> name
    for (std::size_t i = 0; i < config.exporters.size(); ++i) {
        const auto& exporter = config.exporters[i];
        const auto key = fmt::format("exporters[{}]", i);
        // construction checks what one setting alone cannot show: fields, collectors
        if (auto made = make_exporter(config, exporter, logger); !made) {
            const auto& error = made.error();
            errors.push_back({error.where.empty() ? exporter.where : error.where, key, error.message});
            continue;
        }
        if (auto made = exporters::make_record_selector(exporter.settings, field_groups(config.metering)); !made)
            errors.push_back({made.error().where, key, made.error().message});
        if (!writes_a_file(exporter)) continue;
        const auto& path = exporter.settings.string("path");
        if (const auto [at, fresh] = paths.emplace(path, exporter.name); !fresh)
            errors.push_back({exporter.settings.where("path"), key + ".path",
                              fmt::format("'{}' is written already by exporter '{}'", path, at->second)});
    }
}

}  // namespace

std::vector<config::ConfigError> check_config(const config::Config& config, Logger& logger) {
    Errors errors;
    check_inputs(config, errors);
    check_exporters(config, logger, errors);
    if (auto checked = check_metrics(config.metrics); !checked)
        errors.push_back({checked.error().where, "metrics.listen", checked.error().message});
    return errors;
}

}  // namespace nfstreamd::daemon
