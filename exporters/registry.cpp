// SPDX-License-Identifier: Apache-2.0
#include "exporters/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "core/base/random_words.hpp"
#include "exporters/file_exporter.hpp"
#include "exporters/netflow/netflow_types.hpp"
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/ipfix/ipfix_type.hpp"
#endif
#include "exporters/plugin/plugin_exporter.hpp"
#include "exporters/publish/types.hpp"

namespace nfstreamd::exporters {
namespace {

using config::SettingSpec;
using config::SettingType;

constexpr std::int64_t kRecordsPerBatch = 64;  // what a metering process makes of a busy link

constexpr std::array kCommonSettings{
    SettingSpec{.name = "fields",
                .type = SettingType::kStringList,
                .default_value = "[]",
                .description = "Fields to send, in order: columns or element names, groups (core, tunnel, statistics, "
                               "splt, application, details, base), \"default\" for the type's own list, \"-name\" to "
                               "leave one out; empty: the type's own list."},
    SettingSpec{.name = "filter",
                .type = SettingType::kString,
                .default_value = "",
                .description = "Only flows for which this holds, such as \"application_name != Unknown and dst_port in "
                               "[80, 443]\" (core/record/README.md has the whole language); empty: all flows."},
    SettingSpec{.name = "flow_sampling.method",
                .type = SettingType::kChoice,
                .default_value = "systematic",
                .description = "The flows of each `rate` that are sent, of those that pass the filter: systematic, the "
                               "first one; random, each with that probability.",
                .choices = "systematic random"},
    SettingSpec{.name = "flow_sampling.rate",
                .type = SettingType::kInteger,
                .default_value = "1",
                .description = "One flow of so many is sent; 1: every one.",
                .min = 1,
                .max = 4294967295.0},
    SettingSpec{.name = "anonymize.addresses",
                .type = SettingType::kChoice,
                .default_value = "off",
                .description = "IP addresses for this exporter, which stay addresses: truncate, the bits behind the "
                               "prefix length are 0; prefix_preserving, pseudonyms by Crypto-PAn that share as many "
                               "leading bits as the addresses do (exporters/anonymize/README.md says what leaks).",
                .choices = "off truncate prefix_preserving"},
    SettingSpec{.name = "anonymize.prefix_length_v4",
                .type = SettingType::kInteger,
                .default_value = "24",
                .description = "Bits of an IPv4 address that truncate leaves.",
                .min = 0,
                .max = 32},
    SettingSpec{.name = "anonymize.prefix_length_v6",
                .type = SettingType::kInteger,
                .default_value = "48",
                .description = "Bits of an IPv6 address that truncate leaves.",
                .min = 0,
                .max = 128},
    SettingSpec{.name = "anonymize.mac",
                .type = SettingType::kChoice,
                .default_value = "",
                .description = "Hardware addresses: oui, the last three octets are 0; pseudonym; drop, all octets are "
                               "0; unless set, drop if addresses are anonymised, else off.",
                .choices = "off oui pseudonym drop"},
    SettingSpec{.name = "anonymize.texts",
                .type = SettingType::kChoice,
                .default_value = "",
                .description = "Names, URLs, user agents, certificates, versions, fingerprints and processes: drop, "
                               "they are empty; pseudonym, 32 hexadecimal digits; unless set, drop if addresses are "
                               "anonymised, else keep.",
                .choices = "keep drop pseudonym"},
    SettingSpec{.name = "anonymize.key",
                .type = SettingType::kSecret,
                .default_value = "",
                .description = "Key of the pseudonyms, 64 hexadecimal digits or any text of 16 characters or more; "
                               "the same key makes the same pseudonyms."},
    SettingSpec{.name = "rate_limit",
                .type = SettingType::kNumber,
                .default_value = "0",
                .description = "Records per second at most, for collectors that lose what comes faster; 0: no limit.",
                .min = 0,
                .max = 1e9},
    SettingSpec{.name = "flush_interval",
                .type = SettingType::kDuration,
                .default_value = "1s",
                .description = "A partly filled message leaves after this time.",
                .min = 0.01,
                .max = 3600},
    SettingSpec{.name = "queue_records",
                .type = SettingType::kInteger,
                .default_value = "262144",
                .description = "Records that may wait for this exporter per meter; live, what finds no room is "
                               "dropped and counted.",
                .min = 64,
                .max = 67108864},
};

constexpr std::string_view kSpoolDirectory = "spool.directory";

constexpr std::array kNetworkSettings{
    SettingSpec{.name = kSpoolDirectory,
                .type = SettingType::kString,
                .default_value = "",
                .description = "Folder in which records wait, each exporter in a folder of its own, while their "
                               "receiver is away or slow; they are sent when it is back, also after a restart, and "
                               "what it has not confirmed is sent again; empty: none."},
    SettingSpec{.name = "spool.max_size",
                .type = SettingType::kSize,
                .default_value = "1GiB",
                .description = "Most octets that the spool takes of the disk; when it is full, the newest records are "
                               "dropped and counted.",
                .min = 1 << 20,
                .max = 1e15},
};

constexpr std::array<std::string_view, 9> kTypeNames{"bool",   "integer", "number", "duration", "size",
                                                     "string", "list",    "choice", "secret"};

struct Schemas {
    std::vector<std::vector<SettingSpec>> settings;  // of each type, its own and the common ones
    std::vector<config::ExporterSchema> schemas;

    Schemas() {
        for (const ExporterType& type : exporter_types()) {
            auto& all = settings.emplace_back(type.settings.begin(), type.settings.end());
            all.insert(all.end(), kCommonSettings.begin(), kCommonSettings.end());
            if (type.network) all.insert(all.end(), kNetworkSettings.begin(), kNetworkSettings.end());
        }
        for (std::size_t i = 0; i < settings.size(); ++i)
            schemas.push_back({exporter_types()[i].name, exporter_types()[i].summary, settings[i]});
    }
};

void append_setting(std::string& out, const SettingSpec& setting) {
    const std::string_view type = kTypeNames[static_cast<std::size_t>(setting.type)];
    const std::string value = setting.required                ? "required"
                              : setting.default_value.empty() ? "not set"
                                                              : fmt::format("default {}", setting.default_value);
    fmt::format_to(std::back_inserter(out), "    {:<20} {:<9} {:<18} {}", setting.name, type, value,
                   setting.description);
    if (!setting.choices.empty()) fmt::format_to(std::back_inserter(out), " One of: {}.", setting.choices);
    out += '\n';
}

}  // namespace

std::span<const ExporterType> exporter_types() noexcept {
    static const std::array kTypes{
#ifdef NFSTREAMD_WITH_IPFIX
        kIpfixExporterType,
#endif
        kNetflow9ExporterType, kNetflow5ExporterType, kCsvExporterType,    kJsonExporterType,
#ifdef NFSTREAMD_WITH_KAFKA
        kKafkaExporterType,
#endif
#ifdef NFSTREAMD_WITH_MQTT
        kMqttExporterType,
#endif
#ifdef NFSTREAMD_WITH_ZMQ
        kZmqExporterType,
#endif
#ifdef NFSTREAMD_WITH_NATS
        kNatsExporterType,
#endif
#ifdef NFSTREAMD_WITH_HTTP
        kHttpExporterType,
#endif
        kLinesExporterType,    kSyslogExporterType,   kPluginExporterType,
    };
    return kTypes;
}

const ExporterType* find_exporter_type(std::string_view name) noexcept {
    const auto types = exporter_types();
    const auto found = std::find_if(types.begin(), types.end(), [&](const auto& type) { return type.name == name; });
    return found == types.end() ? nullptr : &*found;
}

std::span<const SettingSpec> common_settings() noexcept {
    return kCommonSettings;
}

std::span<const SettingSpec> network_settings() noexcept {
    return kNetworkSettings;
}

ExportingOptions exporting_options(const config::Settings& settings) {
    ExportingOptions options;
    options.rate_limit = settings.number("rate_limit");
    options.flush_interval = settings.duration("flush_interval");
    options.queue_batches =
        static_cast<std::size_t>((settings.integer("queue_records") + kRecordsPerBatch - 1) / kRecordsPerBatch);
    return options;
}

SpoolOptions spool_options(const config::Settings& settings) {
    return {settings.string(kSpoolDirectory), static_cast<std::uint64_t>(settings.integer("spool.max_size"))};
}

Result<std::unique_ptr<RecordSelector>> make_record_selector(const config::Settings& settings,
                                                             const FieldGroups& groups, RecordShare share) {
    const std::string& text = settings.string("filter");
    FlowSamplingOptions sampling;
    sampling.rate = static_cast<std::uint32_t>(settings.integer("flow_sampling.rate"));
    sampling.method =
        settings.string("flow_sampling.method") == "random" ? SamplingMethod::kRandom : SamplingMethod::kSystematic;
    if (text.empty() && sampling.rate <= 1 && share.count == 1) return std::unique_ptr<RecordSelector>();
    std::optional<FilterExpression> filter;
    if (!text.empty()) {
        auto parsed = FilterExpression::parse(text, groups);
        if (!parsed)
            return Error{ErrorCode::kInvalidArgument, "filter: " + parsed.error().message, settings.where("filter")};
        filter = std::move(parsed.value());
    }
    return std::make_unique<RecordSelector>(std::move(filter), sampling, random_word(), share);
}

std::span<const config::ExporterSchema> exporter_schemas() {
    static const Schemas kSchemas;
    return kSchemas.schemas;
}

std::string exporters_text() {
    std::string out;
    for (const ExporterType& type : exporter_types()) {
        fmt::format_to(std::back_inserter(out), "{}: {}\n", type.name, type.summary);
        for (const auto& setting : type.settings) append_setting(out, setting);
        out += '\n';
    }
    out += "all of them:\n";
    for (const auto& setting : kCommonSettings) append_setting(out, setting);
    out += "\nthose over a network:\n";
    for (const auto& setting : kNetworkSettings) append_setting(out, setting);
    return out;
}

}  // namespace nfstreamd::exporters
