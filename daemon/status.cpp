// SPDX-License-Identifier: Apache-2.0
#include "daemon/status.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "daemon/json_writer.hpp"

namespace nfstreamd::daemon {
namespace {

std::string time_text(std::time_t time) {
    return time == 0 ? std::string() : fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time));
}

void write_counts(JsonWriter& json, std::string_view name, const NamedCounts& counts) {
    json.key(name).begin_object();
    for (const auto& [key, count] : counts) json.member(key, count);
    json.end_object();
}

void write_reload(JsonWriter& json, const ReloadStatus& reload) {
    json.key("reload").begin_object();
    json.member("applied", reload.applied);
    json.member("rejected", reload.rejected);
    json.member("result", reload.result);
    json.member("detail", reload.detail);
    json.member("time", time_text(reload.time));
    json.end_object();
}

void write_enrichment(JsonWriter& json, const std::vector<EnrichmentTables::Description>& files) {
    json.key("enrichment").begin_array();
    for (const auto& file : files) {
        json.begin_object();
        json.member("key", file.key);
        json.member("path", file.path);
        json.member("type", file.type);
        json.member("built", time_text(static_cast<std::time_t>(file.build_epoch)));
        json.member("entries", file.entries);
        json.end_object();
    }
    json.end_array();
}

void write_plugins(JsonWriter& json, const std::vector<PluginStatus>& plugins) {
    json.key("plugins").begin_array();
    for (const auto& [name, counts] : plugins) {
        if (counts.scores) continue;
        json.begin_object();
        json.member("name", name);
        json.member("instances", counts.instances);
        json.member("disabled", counts.disabled);
        json.member("flows", counts.flows);
        json.member("packets", counts.packets);
        json.member("errors", counts.errors);
        json.member("slow_calls", counts.slow_calls);
        json.member("reason", counts.reason);
        json.end_object();
    }
    json.end_array();
}

void write_shadow(JsonWriter& json, const ScoreStatus::Shadow& shadow) {
    json.key("shadow").begin_object();
    json.member("path", shadow.path);
    json.member("disabled", shadow.disabled);
    json.member("compared", shadow.compared);
    json.member("agreed", shadow.agreed);
    json.member("mean_difference", shadow.mean_difference);
    json.end_object();
}

void write_models(JsonWriter& json, const std::vector<PluginStatus>& extensions) {
    json.key("models").begin_array();
    for (const auto& [name, counts] : extensions) {
        if (!counts.scores) continue;
        const ScoreStatus& scores = *counts.scores;
        json.begin_object();
        json.member("name", name);
        json.member("path", scores.path);
        json.member("objective", scores.objective);
        json.member("features", scores.features);
        json.member("instances", counts.instances);
        json.member("disabled", counts.disabled);
        json.member("scored", scores.scored);
        json.member("early", scores.early);
        json.member("unscored", scores.unscored);
        json.member("errors", counts.errors);
        json.member("slow_batches", counts.slow_calls);
        json.member("reason", counts.reason);
        if (scores.shadow) write_shadow(json, *scores.shadow);
        json.end_object();
    }
    json.end_array();
}

void write_selection(JsonWriter& json, const InterfaceStatus& status) {
    const auto& [sampling, hash, overload_rate] = status.selector.options;
    json.key("selection").begin_object();
    json.member("selector_id", status.selector.id);
    json.member("method", sampling.method == SamplingMethod::kRandom ? "random" : "systematic");
    json.member("rate", sampling.rate);
    json.member("sampled_out", status.sampled_out);
    json.member("overload_rate", std::max(overload_rate, 1u));
    json.member("hash_fraction", hash.fields.empty() ? 1.0 : hash.fraction);
    json.member("hash_filtered", status.hash_filtered);
    json.end_object();
}

void write_overload(JsonWriter& json, const InterfaceStatus& status) {
    json.key("overload").begin_object();
    json.member("ring_fill_percent", status.ring_fill_percent);
    json.member("shed", status.shed);
    for (const auto& [key, count] : status.overload) json.member(key, count);
    json.end_object();
}

void write_capture(JsonWriter& json, const PacketSource::Description& source,
                   const MeteringProcess::CaptureTotals& capture, const std::set<std::string>& required) {
    json.member("name", source.name);
    json.member("interface_index", source.interface_index);
    json.member("state", source.state);
    json.member("up", capture.up);
    json.member("required", required.contains(source.name));
    json.member("link_type", source.link_type);
    json.member("timestamp_type", source.timestamp_type);
    json.member("timestamp_precision", source.timestamp_precision);
    json.member("ring_octets", source.ring_octets);
    json.member("mtu", source.mtu);
    json.member("frames", capture.frames);
    json.member("octets", capture.octets);
    json.member("truncated", capture.truncated);
    json.member("filtered", capture.filtered);
    json.member("kernel_dropped", capture.kernel_dropped);
    json.member("unread", capture.unread);
    json.member("interface_dropped", capture.interface_dropped);
    json.member("opens", capture.opens);
    json.member("failures", capture.failures);
}

// Those with the most octets first.
void write_applications(JsonWriter& json, const ApplicationCountsByName& applications) {
    std::vector<const ApplicationCountsByName::value_type*> sorted;
    for (const auto& application : applications) sorted.push_back(&application);
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto* a, const auto* b) { return a->second.octets > b->second.octets; });
    json.key("applications").begin_array();
    for (const auto* application : sorted) {
        const auto& [name, totals] = *application;
        json.begin_object();
        json.member("name", name);
        json.member("flows", totals.flows);
        json.member("packets", totals.packets);
        json.member("octets", totals.octets);
        json.end_object();
    }
    json.end_array();
}

void write_interface(JsonWriter& json, const InterfaceStatus& status) {
    json.begin_object();
    json.member("id", status.id);
    write_capture(json, status.source, status.capture, status.required);
    json.member("late", status.capture.late);
    json.member("early", status.capture.early);
    json.member("duplicates", status.capture.duplicates);
    json.key("members").begin_array();
    for (const auto& member : status.members) {
        json.begin_object();
        write_capture(json, member.source, member.capture, status.required);
        json.end_object();
    }
    json.end_array();
    write_selection(json, status);
    write_counts(json, "ignored", status.ignored);
    json.key("not_metered").begin_object();
    json.member("packets", status.not_metered.packets);
    json.member("octets", status.not_metered.octets);
    json.end_object();
    json.key("metered").begin_object();
    json.member("packets", status.packets);
    json.member("octets", status.octets);
    json.member("cut", status.cut);
    json.member("bad_checksum", status.bad_checksum);
    json.member("offloaded_checksum", status.offloaded_checksum);
    json.member("merged_segments", status.merged_segments);
    json.end_object();
    json.member("flows_active", status.flows_active);
    json.member("flows_created", status.flows_created);
    json.member("max_flows", status.max_flows);
    json.member("flow_octets", status.flow_octets);
    json.member("table_octets", status.table_octets);
    json.member("prefaulted_octets", status.prefaulted_octets);
    json.member("huge_page_octets", status.huge_page_octets);
    json.member("longest_pause_us", status.longest_pause_us);
    json.member("idle_timeout_ms", status.idle_timeout_ms);
    json.member("clock_steps", status.clock_steps);
    json.key("expiry_lag").begin_object();
    json.member("flows", status.expiry_lag.count());
    json.member("total_us", status.expiry_lag.sum_ns / 1000);
    json.end_object();
    write_overload(json, status);
    write_counts(json, "enrichment", status.enrichment);
    write_counts(json, "records", status.records);
    write_counts(json, "discarded", status.discarded);
    json.end_object();
}

std::string milliseconds_text(std::int64_t since_1970) {
    return time_text(static_cast<std::time_t>(since_1970 / 1000));
}

void write_spool(JsonWriter& json, const SpoolStatus& spool) {
    json.key("spool").begin_object();
    json.member("path", spool.path);
    json.member("records", spool.records);
    json.member("octets", spool.octets);
    json.member("segments", spool.segments);
    json.member("oldest", milliseconds_text(spool.oldest_ms));
    for (const auto& [key, count] : spool.counts) json.member(key, count);
    json.end_object();
}

void write_losses(JsonWriter& json, const LossTotals& losses) {
    json.key("lost_before_export").begin_object();
    json.member("records", losses.records);
    json.member("packets", losses.packets);
    json.member("octets", losses.octets);
    json.member("first", milliseconds_text(losses.first_ms));
    json.member("last", milliseconds_text(losses.last_ms));
    json.end_object();
}

// What an exporter and each of its collectors tell alike.
template <class Status>
void write_destination(JsonWriter& json, const Status& status) {
    json.member("destination", status.destination);
    json.member("up", status.up);
    json.member("records", status.records);
    json.member("messages", status.messages);
    json.member("octets", status.octets);
    json.member("templates", status.templates);
    json.member("connects", status.connects);
    json.member("failures", status.failures);
}

void write_collector(JsonWriter& json, const CollectorStatus& status) {
    json.begin_object();
    write_destination(json, status);
    json.member("dropped", status.dropped);
    json.end_object();
}

void write_exporter(JsonWriter& json, const ExporterStatus& status) {
    json.begin_object();
    json.member("name", status.name);
    json.member("type", status.type);
    write_destination(json, status);
    json.member("failed_for_good", status.failed_for_good);
    json.member("queue_depth", status.queue_depth);
    json.member("queue_limit", status.queue_limit);
    json.member("filtered", status.filtered);
    json.member("sampled_out", status.sampled_out);
    json.member("in_hand", status.in_hand);
    json.member("redelivered", status.redelivered);
    json.member("elsewhere", status.elsewhere);
    write_counts(json, "dropped", status.dropped);
    json.key("collectors").begin_array();
    for (const auto& collector : status.collectors) write_collector(json, collector);
    json.end_array();
    write_counts(json, "shortened", status.shortened);
    write_losses(json, status.losses);
    write_spool(json, status.spool);
    json.member("last_error", status.last_error);
    json.end_object();
}

void add_spool(ExporterStatus& status, std::string path, const SpoolCounters& counters) {
    SpoolStatus& spool = status.spool;
    spool.path = std::move(path);
    spool.records = counters.records.get();
    spool.octets = counters.octets.get();
    spool.segments = counters.segments.get();
    if (spool.records > 0) spool.oldest_ms = static_cast<std::int64_t>(counters.oldest_ms.get());
    spool.counts = {{"written", counters.written.get()},
                    {"read", counters.read.get()},
                    {"recovered", counters.recovered.get()},
                    {"torn_octets", counters.torn_octets.get()},
                    {"foreign_segments", counters.foreign_segments.get()},
                    {"failures", counters.failures.get()}};
    status.dropped.emplace_back("spool_full", counters.dropped_full.get());
    status.dropped.emplace_back("spool_failed", counters.dropped_failed.get());
    status.dropped.emplace_back("spool_damaged", counters.discarded.get());
}

CollectorStatus collector_status(const CollectorView& view) {
    const ExporterCounters& counters = *view.counters;
    CollectorStatus status;
    status.destination = view.destination;
    status.up = counters.up.get() != 0;
    status.records = counters.records.get();
    status.messages = counters.messages.get();
    status.octets = counters.octets.get();
    status.templates = counters.templates.get();
    status.connects = counters.connects.get();
    status.failures = counters.failures.get();
    status.dropped = lost_records(counters);
    return status;
}

}  // namespace

std::uint64_t sum(const NamedCounts& counts) {
    std::uint64_t total = 0;
    for (const auto& [name, count] : counts) total += count;
    return total;
}

InterfaceStatus interface_status(const MeteringProcess& meter) {
    const auto& counters = meter.counters();
    InterfaceStatus status;
    status.id = meter.point().id;
    status.source = meter.source_description();
    status.input = status.source.name.empty() ? meter.point().name : status.source.name;
    if (status.source.name.empty() || meter.point().share.count > 1) status.source.name = meter.point().name;
    status.capture = meter.capture();
    status.members = meter.members();
    for (std::size_t i = 1; i < kDecodeResults; ++i)
        status.ignored.emplace_back(name(static_cast<DecodeResult>(i)), counters.ignored[i].get());
    status.not_metered = ignored_packets(counters, status.capture);
    status.packets = counters.packets.get();
    status.octets = counters.octets.get();
    status.cut = counters.cut.get();
    status.selector = meter.selector();
    status.sampled_out = counters.sampled_out.get();
    status.hash_filtered = counters.hash_filtered.get();
    status.bad_checksum = counters.bad_checksum.get();
    status.offloaded_checksum = counters.offloaded_checksum.get();
    status.merged_segments = counters.merged_segments.get();
    status.flows_active = counters.flows_active.get();
    status.flows_created = counters.flows_created.get();
    status.max_flows = meter.options().max_flows;
    status.flow_octets = counters.flow_octets.get();
    status.table_octets = counters.table_octets.get();
    status.prefaulted_octets = counters.prefaulted_octets.get();
    status.huge_page_octets = counters.huge_page_octets.get();
    status.longest_pause_us = counters.longest_pause_ns.get() / 1000;
    status.idle_timeout_ms = counters.idle_timeout_ms.get();
    status.clock_steps = counters.clock_steps.get();
    status.expiry_lag = counters.expiry_lag.snapshot();
    status.shed = name(static_cast<ShedLevel>(counters.shed_level.get()));
    status.ring_fill_percent = counters.ring_fill_percent.get();
    status.overload = {{"times", counters.overloads.get()},
                       {"flows_not_dissected", counters.flows_not_dissected.get()},
                       {"dissections_stopped", counters.dissections_stopped.get()},
                       {"packets_shed", counters.packets_shed.get()}};
    status.discarded = {{"flows", counters.flows_discarded.get()}, {"packets", counters.packets_discarded.get()}};
    status.enrichment = {{"lookups", counters.enrichment.lookups.get()},
                         {"hits", counters.enrichment.hits.get()},
                         {"damaged", counters.enrichment.damaged.get()}};
    for (const auto& reason : end_reasons())
        status.records.emplace_back(reason.name, counters.records[static_cast<std::size_t>(reason.reason)].get());
    return status;
}

ExporterStatus exporter_status(const ExportingProcess& exporter) {
    const auto& counters = exporter.counters();
    const auto queue = exporter.queue_counters();
    ExporterStatus status;
    status.name = exporter.name();
    status.type = exporter.type();
    status.destination = exporter.destination();
    status.up = counters.up.get() != 0;
    status.failed_for_good = exporter.failed_for_good();
    status.records = counters.records.get();
    status.messages = counters.messages.get();
    status.octets = counters.octets.get();
    status.templates = counters.templates.get();
    status.failures = counters.failures.get();
    status.connects = counters.connects.get();
    status.queue_depth = queue.pushed - std::min(queue.pushed, queue.popped);
    status.queue_limit = queue.limit;
    status.filtered = exporter.filtered();
    status.sampled_out = exporter.sampled_out();
    status.elsewhere = exporter.elsewhere();
    status.dropped = {{"queue_full", queue.dropped_full}};
    for (const LossCause& cause : kLossCauses) status.dropped.emplace_back(cause.name, (counters.*cause.counter).get());
    status.dropped.emplace_back("undelivered", exporter.dropped_undelivered());
    for (const CollectorView& collector : exporter.collectors())
        status.collectors.push_back(collector_status(collector));
    status.shortened = {{"strings", counters.cut_strings.get()}, {"lists", counters.cut_lists.get()}};
    status.in_hand = exporter.in_hand();
    status.redelivered = exporter.redelivered();
    status.losses = exporter.losses();
    if (const auto* spool = exporter.spool_counters()) add_spool(status, exporter.spool_folder(), *spool);
    status.last_error = exporter.last_error();
    return status;
}

namespace {

void write_interfaces(JsonWriter& json, const DaemonStatus& status) {
    json.key("interfaces").begin_array();
    for (const auto& interface : status.interfaces) write_interface(json, interface);
    json.end_array();
}

void write_exporters(JsonWriter& json, const DaemonStatus& status) {
    json.key("exporters").begin_array();
    for (const auto& exporter : status.exporters) write_exporter(json, exporter);
    json.end_array();
}

}  // namespace

std::string interfaces_json(const DaemonStatus& status) {
    JsonWriter json;
    json.begin_object();
    write_interfaces(json, status);
    json.end_object();
    return json.text();
}

std::string exporters_json(const DaemonStatus& status) {
    JsonWriter json;
    json.begin_object();
    write_exporters(json, status);
    json.end_object();
    return json.text();
}

std::string status_json(const DaemonStatus& status) {
    JsonWriter json;
    json.begin_object();
    json.member("version", status.version);
    json.member("instance", status.instance);
    json.member("started", time_text(status.started));
    json.member("uptime_s", status.uptime_s);
    json.key("files").begin_array();
    for (const auto& file : status.files) json.value(file);
    json.end_array();
    write_reload(json, status.reload);
    json.key("ledger").begin_object();
    json.member("checks", status.ledger.checks);
    json.member("violations", status.ledger.violations);
    json.end_object();
    write_enrichment(json, status.enrichment);
    write_plugins(json, status.plugins);
    write_models(json, status.plugins);
    write_applications(json, status.applications);
    write_interfaces(json, status);
    write_exporters(json, status);
    json.end_object();
    return json.text();
}

}  // namespace nfstreamd::daemon
