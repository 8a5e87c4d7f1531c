// SPDX-License-Identifier: Apache-2.0
// Where exporter types are known by name. One row per type, in registry.cpp.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "core/base/log.hpp"
#include "core/export/exporter.hpp"
#include "core/export/exporting_process.hpp"
#include "core/record/process_facts.hpp"
#include "core/record/template.hpp"
#include "core/selection/record_selector.hpp"
#include "core/selection/selector_list.hpp"
#include "exporters/anonymize/anonymization_plan.hpp"

namespace nfstreamd::exporters {

// What an exporter is made from. The references outlive the exporter.
struct ExporterContext {
    std::string name;                  // instance name from the configuration
    const config::Settings& settings;  // only during make()
    FieldGroups groups;                // what the meters fill
    std::uint32_t private_enterprise_number = 0;
    std::uint32_t observation_domain = 0;  // IPFIX header
    Logger& logger;
    std::shared_ptr<const SelectorList> selectors{};  // of the packets in the records; null: not known
    std::shared_ptr<const ProcessFacts> facts{};      // of the process itself; null: not known
    std::uint32_t exporting_process = 0;              // IE 144: its number in the run
    // What is done to the records before they come, to be announced where there is a way; null: nothing.
    std::shared_ptr<const AnonymizationPlan> anonymization{};
};

struct ExporterType {
    std::string_view name;  // "ipfix"
    std::string_view summary;
    std::span<const config::SettingSpec> settings;  // its own; the common ones are in common_settings()
    bool exclusive;                                 // owns a path or port: a replacement opens after it closed
    Result<std::unique_ptr<Exporter>> (*make)(const ExporterContext&);
    bool writes_path = true;  // a setting `path`, if there is one, names a file that it writes
    bool network = true;      // its receiver may be away: records can wait for it in a spool
};

std::span<const ExporterType> exporter_types() noexcept;  // only those compiled in
const ExporterType* find_exporter_type(std::string_view name) noexcept;

// Settings that every exporter has (fields, filter, flow_sampling, anonymize,
// rate_limit, flush_interval, queue_records).
std::span<const config::SettingSpec> common_settings() noexcept;
// Settings that every network exporter has besides (spool.directory, spool.max_size).
std::span<const config::SettingSpec> network_settings() noexcept;
ExportingOptions exporting_options(const config::Settings& settings);
SpoolOptions spool_options(const config::Settings& settings);  // of a network exporter
// Null: every record is sent.
Result<std::unique_ptr<RecordSelector>> make_record_selector(const config::Settings& settings,
                                                             const FieldGroups& groups, RecordShare share = {});

// Each type's own settings with the common ones appended, for config::load.
std::span<const config::ExporterSchema> exporter_schemas();

std::string exporters_text();  // --list-exporters

}  // namespace nfstreamd::exporters
