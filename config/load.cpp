// SPDX-License-Identifier: Apache-2.0
#include "config/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "config/check.hpp"
#include "config/effective.hpp"
#include "config/masking.hpp"
#include "config/merge.hpp"
#include "config/node.hpp"
#include "config/substitution.hpp"
#include "config/yaml_reader.hpp"
#include "core/base/printable_text.hpp"

namespace nfstreamd::config {
namespace {

namespace fs = std::filesystem;

// All that is written, in the order in which it counts, as one tree.
class Reader {
public:
    Reader(Problems& problems, std::vector<std::string>& warnings) : problems_(problems), warnings_(warnings) {}

    void read_file(const std::string& path) {
        const auto source = add_source(path, fs::path(path).parent_path().string());
        files_.push_back(path);
        auto text = read_text_file(path, kMaxYamlOctets);
        if (!text) {
            problems_.add(Place{source}, "", text.error().message);
            problems_.set_incomplete();
            return;
        }
        Node document = read_yaml(text.value(), source, problems_);
        substitute(document, "", problems_);
        merge_document(root_, std::move(document), problems_);
    }

    void read_drop_ins(const std::string& main_file) {
        const fs::path folder = fs::path(main_file).parent_path() / "conf.d";
        std::error_code error;
        fs::directory_iterator entries(folder, error);
        if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory) return;
        std::vector<std::string> names;
        while (!error && entries != fs::directory_iterator()) {
            names.push_back(entries->path().filename().string());
            entries.increment(error);
        }
        if (error) {
            problems_.add(Place{add_source(folder.string(), "")}, "", "cannot be read: " + error.message());
            problems_.set_incomplete();
            return;
        }
        std::sort(names.begin(), names.end());
        for (const std::string& name : names) read_drop_in(folder, name);
    }

    void use_files(const std::vector<std::string>& files) { use_read_files(root_, files, add_source("-r", "")); }

    void read_override(const std::string& key, const std::string& text) {
        auto source = std::make_shared<Source>(Source{"--set " + key, "", next_order_++, false});
        Node value = read_yaml_value(text, source, problems_);
        substitute(value, key, problems_);
        apply_override(root_, key, std::move(value), problems_);
    }

    const Node& root() const { return root_; }
    std::vector<std::string> take_files() { return std::move(files_); }

private:
    std::shared_ptr<const Source> add_source(const std::string& name, const std::string& directory) {
        return std::make_shared<Source>(Source{name, directory, next_order_++, true});
    }

    void read_drop_in(const fs::path& folder, const std::string& name) {
        const std::string path = (folder / name).string();
        const std::string suffix = fs::path(name).extension().string();
        if (name.front() == '.') return;
        if (suffix == ".yaml") return read_file(path);
        if (suffix == ".yml") warnings_.push_back(path + ": not read, the name of a drop-in ends in .yaml");
    }

    Problems& problems_;
    std::vector<std::string>& warnings_;
    Node root_ = map_node(Place{});
    std::vector<std::string> files_;
    unsigned next_order_ = 0;
};

PacketSelectionOptions to_selection(const Settings& from) {
    PacketSelectionOptions to;
    to.sampling.method =
        from.string("packet_sampling.method") == "random" ? SamplingMethod::kRandom : SamplingMethod::kSystematic;
    to.sampling.rate = static_cast<std::uint32_t>(from.integer("packet_sampling.rate"));
    to.sampling.seed = static_cast<std::uint64_t>(from.integer("packet_sampling.seed"));
    to.hash.fields = from.strings("packet_hash_filter.fields");
    to.hash.fraction = from.number("packet_hash_filter.fraction");
    to.hash.seed = static_cast<std::uint32_t>(from.integer("packet_hash_filter.seed"));
    return to;
}

std::optional<std::chrono::milliseconds> duration_if_any(const Settings& from, std::string_view name) {
    if (!from.has_value(name)) return std::nullopt;
    return from.duration(name);
}

CaptureConfig to_capture(const CheckedCapture& checked, Generation generation) {
    const Settings& from = checked.settings;
    CaptureConfig to;
    to.where = checked.where;
    to.interfaces = from.strings("interface");
    to.pcap = from.strings("pcap");
    to.options.bpf_filter = from.string("bpf_filter");
    to.options.promiscuous_mode = from.boolean("promiscuous_mode");
    to.options.snapshot_length =
        static_cast<int>(from.integer(generation == Generation::kNfstream3 ? "snaplen" : "snapshot_length"));
    to.options.socket_buffer_size = static_cast<std::uint64_t>(from.integer("socket_buffer_size"));
    to.options.timestamp_type = from.string("timestamp_type");
    to.options.timestamp_precision =
        from.string("timestamp_precision") == "nano" ? TimestampPrecision::kNano : TimestampPrecision::kMicro;
    const std::string& checksum = from.string("checksum");
    to.options.checksum = checksum == "count"    ? ChecksumMode::kCount
                          : checksum == "ignore" ? ChecksumMode::kIgnore
                                                 : ChecksumMode::kOff;
    to.options.required = from.boolean("required");
    to.n_meters = static_cast<unsigned>(from.integer("n_meters"));
    to.selection = to_selection(from);
    to.group = from.string("group");
    to.merge.reorder_window = from.duration("reorder_window");
    to.merge.deduplicate = duration_if_any(from, "deduplicate").value_or(std::chrono::milliseconds(0));
    return to;
}

// nfstream 3 counted by protocol, and showed the first packet of every flow; of those of other protocols no more.
void set_dissections(const Settings& from, Generation generation, MeteringOptions& to) {
    if (generation != Generation::kNfstream3) {
        to.n_dissections = static_cast<unsigned>(from.integer("n_dissections"));
        return;
    }
    to.n_dissections = 0;
    if (!from.boolean("dissect")) return;
    to.n_dissections.tcp = static_cast<unsigned>(std::max<std::int64_t>(1, from.integer("max_tcp_dissections")));
    to.n_dissections.udp = static_cast<unsigned>(std::max<std::int64_t>(1, from.integer("max_udp_dissections")));
    to.n_dissections.other = 1;
    to.n_dissections.exact = true;
}

TunnelSet to_tunnels(const std::vector<std::string>& names) {
    TunnelSet tunnels(false);
    for (const std::string& name : names) {
        if (name == "true") return TunnelSet();
        if (name == "all") return TunnelSet::all();
        if (const auto kind = TunnelSet::find(name)) tunnels.add(*kind);
    }
    return tunnels;
}

MeteringOptions to_metering(const Settings& from, Generation generation) {
    const bool is_0 = generation == Generation::kNfstream0;
    MeteringOptions to;
    to.compatibility = generation;
    to.idle_timeout = from.duration(is_0 ? "inactive_timeout" : "idle_timeout");
    to.active_timeout = from.duration("active_timeout");
    to.max_flows = static_cast<std::uint32_t>(from.integer(is_0 ? "capacity" : "max_flows"));
    to.idle_tcp = duration_if_any(from, "timeouts.tcp");
    to.idle_udp = duration_if_any(from, "timeouts.udp");
    to.idle_icmp = duration_if_any(from, "timeouts.icmp");
    to.idle_other = duration_if_any(from, "timeouts.other");
    to.tcp_end = duration_if_any(from, "timeouts.tcp_end");
    if (from.has_value("pressure.from")) to.pressure_from = static_cast<unsigned>(from.integer("pressure.from"));
    to.pressure_idle_timeout = from.duration("pressure.idle_timeout");
    to.overload_from.reset();
    if (from.has_value("overload.from")) to.overload_from = static_cast<unsigned>(from.integer("overload.from"));
    to.prefault = from.boolean("prefault");
    to.max_nflows = static_cast<std::uint64_t>(from.integer("max_nflows"));
    to.accounting_mode = static_cast<int>(from.integer("accounting_mode"));
    to.decode_tunnels = to_tunnels(from.strings("decode_tunnels"));
    to.fragments = from.string("fragments") == "all" ? FragmentMode::kAll : FragmentMode::kFirst;
    set_dissections(from, generation, to);
    to.l7_details = from.boolean("l7_details");
    to.statistical_analysis = from.boolean("statistical_analysis");
    to.tcp_quality = from.boolean("tcp_quality");
    to.system_visibility_mode = static_cast<int>(from.integer("system_visibility_mode"));
    to.system_visibility_poll = std::chrono::milliseconds(from.integer("system_visibility_poll_ms"));
    to.splt_analysis = static_cast<unsigned>(from.integer("splt_analysis"));
    return to;
}

LogConfig to_log(const Settings& from) {
    const std::string& level = from.string("level");
    const std::string& format = from.string("format");
    return LogConfig{level == "debug"     ? LogLevel::kDebug
                     : level == "warning" ? LogLevel::kWarning
                     : level == "error"   ? LogLevel::kError
                                          : LogLevel::kInfo,
                     format == "journal" ? LogFormat::kJournal
                     : format == "json"  ? LogFormat::kJson
                                         : LogFormat::kText,
                     from.given("level"), from.given("format")};
}

EnrichmentOptions to_enrichment(const Settings& from) {
    return {.asn = from.string("asn"),
            .country = from.string("country"),
            .networks = from.string("networks"),
            .mac_vendors = from.strings("mac_vendors"),
            .cache_size = static_cast<std::uint32_t>(from.integer("cache_size")),
            .tables = nullptr};
}

PluginConfig to_plugin(const CheckedExtension& checked) {
    const Settings& from = checked.settings;
    PluginConfig to{.name = checked.name,
                    .type = from.string("type"),
                    .path = from.string("path"),
                    .settings = from.string("settings"),
                    .elements = from.strings("elements"),
                    .time_budget_us = {},
                    .has_no_time_budget = from.given("time_budget_us") && !from.has_value("time_budget_us"),
                    .class_name = from.string("class"),
                    .generation = from.given("generation") ? from.string("generation") : "",
                    .fields = from.strings("fields"),
                    .where = checked.where};
    if (from.has_value("time_budget_us"))
        to.time_budget_us = static_cast<std::uint32_t>(from.integer("time_budget_us"));
    return to;
}

ModelConfig to_model(const CheckedExtension& checked) {
    const Settings& from = checked.settings;
    ModelConfig to{.name = checked.name,
                   .path = from.string("path"),
                   .shadow = from.string("shadow"),
                   .after_packets = static_cast<std::uint32_t>(from.integer("after_packets")),
                   .features = from.strings("features"),
                   .classes = from.strings("classes"),
                   .elements = from.strings("elements"),
                   .time_budget_us = {},
                   .has_no_time_budget = from.given("time_budget_us") && !from.has_value("time_budget_us"),
                   .where = checked.where};
    if (from.has_value("time_budget_us"))
        to.time_budget_us = static_cast<std::uint32_t>(from.integer("time_budget_us"));
    return to;
}

bool has_nfstream3_schema(const CheckedExporter& exporter) {
    const auto& table = exporter.schema->settings;
    return std::any_of(table.begin(), table.end(), [](const SettingSpec& spec) { return spec.name == "schema"; }) &&
           exporter.settings.string("schema") == name(Generation::kNfstream3);
}

Config to_config(const Checked& checked) {
    Config config;
    config.instance = checked.top.string("instance");
    config.private_enterprise_number = static_cast<std::uint32_t>(checked.top.integer("private_enterprise_number"));
    for (const CheckedCapture& capture : checked.capture)
        config.capture.push_back(to_capture(capture, checked.generation));
    if (checked.metering.has_value("overload.sampling")) {
        const auto rate = static_cast<std::uint32_t>(checked.metering.integer("overload.sampling"));
        for (CaptureConfig& capture : config.capture)
            if (capture.pcap.empty()) capture.selection.overload_rate = rate;  // files wait
    }
    config.metering = to_metering(checked.metering, checked.generation);
    config.metering.nfstream3_records =
        std::any_of(checked.exporters.begin(), checked.exporters.end(), has_nfstream3_schema);
    config.metering.ndpi.protocols = checked.ndpi.string("protocols_file");
    config.metering.ndpi.categories = checked.ndpi.string("categories_file");
    config.metering.enrichment = to_enrichment(checked.enrichment);
    config.performance_report = std::chrono::seconds(checked.metering.integer("performance_report"));
    for (const CheckedExtension& plugin : checked.plugins) config.plugins.push_back(to_plugin(plugin));
    for (const CheckedExtension& model : checked.models) config.models.push_back(to_model(model));
    for (const CheckedExporter& exporter : checked.exporters) {
        config.exporters.push_back(
            ExporterConfig{exporter.name, std::string(exporter.schema->type), exporter.settings, exporter.where});
    }
    config.log = to_log(checked.log);
    config.control.socket = checked.control.string("socket");
    config.metrics = {checked.metrics.string("listen"), checked.metrics.boolean("page"),
                      checked.metrics.where("listen")};
    return config;
}

void warn(const Checked& checked, std::vector<std::string>& warnings) {
    constexpr int kLongSequence = 255;  // where nfstream warns
    if (checked.metering.integer("splt_analysis") <= kLongSequence) return;
    warnings.push_back(fmt::format("{}: metering.splt_analysis: more than {} packets for each flow cost much memory",
                                   checked.metering.where("splt_analysis"), kLongSequence));
}

}  // namespace

std::string ConfigError::text() const {
    std::string out = where;
    const bool says_key = where == "--set " + key;
    if (!says_key && !key.empty()) out += (out.empty() ? "" : ": ") + key;
    return without_url_secrets(out + (out.empty() ? "" : ": ") + message);
}

Loaded load(const LoadRequest& request) {
    Loaded loaded;
    Problems problems;
    Reader reader(problems, loaded.warnings);
    if (request.file) {
        reader.read_file(*request.file);
        reader.read_drop_ins(*request.file);
    }
    if (!request.read_files.empty()) reader.use_files(request.read_files);
    for (const auto& [key, text] : request.overrides) reader.read_override(key, text);

    const Checked checked = check(reader.root(), request.exporter_schemas, problems);
    for (const Problem& problem : problems.sorted()) {
        loaded.errors.push_back(
            ConfigError{printable(problem.place.text()), printable(problem.key), printable(problem.message)});
    }
    if (!loaded.errors.empty()) return loaded;
    warn(checked, loaded.warnings);
    loaded.config = to_config(checked);
    loaded.config->files = reader.take_files();
    loaded.config->effective = effective_settings(checked);
    loaded.effective_yaml = effective_yaml(checked);
    return loaded;
}

}  // namespace nfstreamd::config
