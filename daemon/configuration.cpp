// SPDX-License-Identifier: Apache-2.0
#include "daemon/configuration.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/application/ndpi_module.hpp"
#include "core/application/ndpi_rules.hpp"
#include "core/base/json_text.hpp"
#include "core/enrichment/enrichment_tables.hpp"
#include "daemon/assembly.hpp"
#include "daemon/check.hpp"
#include "daemon/collectors.hpp"
#include "daemon/models.hpp"
#include "daemon/plugins.hpp"
#include "daemon/systemd_notify.hpp"
#include "exporters/registry.hpp"

namespace nfstreamd::daemon {
namespace {

constexpr std::string_view kExporters = "exporters";

// -w as a value of the key `exporters`. "$" is doubled where it would begin a
// variable: a path is taken as it is written.
std::string write_exporter(const WriteTarget& target) {
    std::string path;
    for (std::size_t i = 0; i < target.path.size(); ++i) {
        if (target.path.compare(i, 2, "${") == 0) path += '$';
        path += target.path[i];
    }
    std::string quoted;
    append_json_string(quoted, path);  // a double-quoted scalar of YAML, too
    const std::string schema = target.schema ? fmt::format(", schema: {}", *target.schema) : "";
    return fmt::format("[{{name: {}, type: {}, path: {}{}}}]", kWriteExporter, target.type, quoted, schema);
}

config::Loaded load(const CommandLine& line, const std::optional<WriteTarget>& target) {
    config::LoadRequest request;
    request.file = line.effective_config_file();
    request.exporter_schemas = exporters::exporter_schemas();
    request.read_files = line.read_files;
    // before --set, which may go on with exporters.write.KEY
    if (target) request.overrides.emplace_back(kExporters, write_exporter(*target));
    request.overrides.insert(request.overrides.end(), line.settings.begin(), line.settings.end());
    auto loaded = config::load(request);
    if (target)
        for (auto& error : loaded.errors)
            if (error.where == "--set exporters") error.where = "-w";
    return loaded;
}

// Reads the files of rules, so that what is in them counts as a change, and has
// nDPI take them, which it does only as a whole.
void check_rules(NdpiFiles& files, std::vector<config::ConfigError>& errors) {
    const auto take = [&](const RuleFile& file, const char* key) {
        for (const Error& problem : file.problems) errors.push_back({problem.where, key, problem.message});
        files.content = files.content * 31 + file.content;
    };
    constexpr const char *kProtocols = "ndpi.protocols_file", *kCategories = "ndpi.categories_file";
    if (!files.protocols.empty()) take(read_protocols_file(files.protocols), kProtocols);
    if (!files.categories.empty()) take(read_categories_file(files.categories), kCategories);
    if (!errors.empty() || files == NdpiFiles{}) return;
    if (const auto module = NdpiModule::create(files); !module)
        errors.push_back({module.error().where, "ndpi", module.error().message});
}

// Reads the files that records are enriched from. They are what the meters get,
// unless they are the same as those in use.
void load_tables(EnrichmentOptions& enrichment, std::vector<config::ConfigError>& errors) {
    std::vector<EnrichmentTables::Problem> problems;
    enrichment.tables = EnrichmentTables::load(enrichment, problems);
    for (const auto& [key, error] : problems) errors.push_back({error.where, "enrichment." + key, error.message});
}

}  // namespace

config::Loaded load_configuration(const CommandLine& line) {
    auto loaded = load(line, line.write_target());
    // a configuration without exporters may still tune a file run
    if (loaded.config && loaded.config->exporters.empty() && line.file_run())
        loaded = load(line, WriteTarget{"-", "json"});
    if (!loaded.config) return loaded;
    match_interfaces(*loaded.config, present_interfaces());
    auto& visibility = loaded.config->metering.system_visibility_mode;
    if (is_file_run(*loaded.config) && std::exchange(visibility, 0) > 0)
        loaded.warnings.emplace_back(
            "metering.system_visibility_mode: is off in a run over capture files, it needs a live interface");
    // who checks wants to hear what an exporter leaves out; else it says so when it starts
    Logger logger(line.action == Action::kCheck ? LogLevel::kInfo : LogLevel::kError, LogFormat::kText);
    load_plugins(*loaded.config, logger, loaded.errors);
    load_models(*loaded.config, loaded.errors);
    const auto errors = check_config(*loaded.config, logger);
    loaded.errors.insert(loaded.errors.end(), errors.begin(), errors.end());
    check_rules(loaded.config->metering.ndpi, loaded.errors);
    load_tables(loaded.config->metering.enrichment, loaded.errors);
    if (!loaded.errors.empty()) {
        loaded.config.reset();
        return loaded;
    }
    spread_collectors(*loaded.config);
    for (const auto& capture : loaded.config->capture)
        if (const auto meters = meter_count(*loaded.config, capture); !meters.problem.empty())
            loaded.warnings.push_back(fmt::format("{}{}capture.n_meters: {}", capture.where,
                                                  capture.where.empty() ? "" : ": ", meters.problem));
    if (loaded.config->exporters.empty())
        loaded.warnings.emplace_back(
            "exporters: there is none: flows are metered and counted, their records go nowhere");
    return loaded;
}

config::LogConfig log_config(const config::Config& config) {
    config::LogConfig log = config.log;
    if (stderr_is_journal()) {
        if (!log.format_given) log.format = LogFormat::kJournal;
        if (log.format == LogFormat::kJson) log.format = LogFormat::kJournalJson;
    }
    if (!log.level_given && is_file_run(config)) log.level = LogLevel::kWarning;
    return log;
}

}  // namespace nfstreamd::daemon
