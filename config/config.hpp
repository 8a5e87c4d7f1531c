// SPDX-License-Identifier: Apache-2.0
// The whole configuration as plain structs, checked, defaults filled in.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/base/log.hpp"
#include "core/capture/merged_source.hpp"
#include "core/capture/packet_source.hpp"
#include "core/metering/metering_options.hpp"
#include "core/selection/packet_selector.hpp"
#include "core/selection/record_selector.hpp"

namespace nfstreamd::config {

struct CaptureConfig {
    std::vector<std::string> interfaces;  // live, names and patterns; empty when `pcap` is given
    std::vector<std::string> matches;     // interfaces of this machine that the patterns match
    std::vector<std::string> pcap;        // capture files
    CaptureOptions options;
    unsigned n_meters = 0;  // 0: by the machine
    PacketSelectionOptions selection;
    std::string group;   // its interfaces, or files, and those of other entries are metered as one; "": none
    MergeOptions merge;  // of the group
    std::string where;
};

struct ExporterConfig {
    std::string name, type;
    Settings settings;  // of its type, the common ones included
    std::string where;
    RecordShare share = {};  // of the flows, where one entry of the file stands for several exporters
};

struct PluginConfig {
    std::string name, type, path;                 // path "": by the name
    std::string settings;                         // JSON
    std::vector<std::string> elements;            // "FIELD=PEN/NUMBER"
    std::optional<std::uint32_t> time_budget_us;  // unset: the run decides
    bool has_no_time_budget = false;
    std::string class_name, generation;  // of type python
    std::vector<std::string> fields;     // of type python: "NAME=TYPE"
    std::uint64_t content = 0;           // of type python: of the file, so that a change of it counts
    std::string where;
    bool operator==(const PluginConfig& other) const {  // but for the place
        return name == other.name && type == other.type && path == other.path && settings == other.settings &&
               elements == other.elements && time_budget_us == other.time_budget_us &&
               has_no_time_budget == other.has_no_time_budget && class_name == other.class_name &&
               generation == other.generation && fields == other.fields && content == other.content;
    }
};

struct ModelConfig {
    std::string name, path, shadow;
    std::uint32_t after_packets = 0;
    std::vector<std::string> features, classes;
    std::vector<std::string> elements;            // "FIELD=PEN/NUMBER"
    std::optional<std::uint32_t> time_budget_us;  // unset: the run decides
    bool has_no_time_budget = false;
    std::string where;
};

struct ControlConfig {
    std::string socket = "/run/nfstreamd/control.sock";  // "": off
    friend bool operator==(const ControlConfig&, const ControlConfig&) = default;
};

struct MetricsConfig {
    std::string listen;  // "": nowhere, unless there is a page
    bool page = false;
    std::string where;
    bool on() const { return page || !listen.empty(); }
    friend bool operator==(const MetricsConfig& a, const MetricsConfig& b) {
        return a.listen == b.listen && a.page == b.page;
    }
};

struct LogConfig {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kText;
    bool level_given = false, format_given = false;  // else the run decides
};

// One setting that is in effect, given or by default.
struct EffectiveSetting {
    std::string key;    // "metering.idle_timeout", "exporters.main.rate_limit", "capture.eth0.bpf_filter"
    std::string shown;  // as --print-config shows it; secrets are masked
    SettingValue value;
    Reload reload = Reload::kReopen;
};

struct Config {
    std::string instance;  // host name unless set
    std::vector<CaptureConfig> capture;
    MeteringOptions metering;
    std::chrono::seconds performance_report{0};  // between two reports; 0: none
    std::vector<PluginConfig> plugins;
    std::vector<ModelConfig> models;  // metering.extensions has those of plugins, then those of models
    std::vector<ExporterConfig> exporters;
    std::uint32_t private_enterprise_number = 0;
    LogConfig log;
    ControlConfig control;
    MetricsConfig metrics;
    std::vector<std::string> files;  // every file that was read
    std::vector<EffectiveSetting> effective;
};

}  // namespace nfstreamd::config
