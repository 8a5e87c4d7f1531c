// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics/metrics_text.hpp"

#include <algorithm>
#include <limits>
#include <sstream>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "core/application/ndpi_dissector.hpp"
#include "core/base/utf8.hpp"
#include "core/capture/packet_source.hpp"
#include "core/export/exporter.hpp"

namespace nfstreamd::daemon {
namespace {

using prometheus::MetricType;
using Label = prometheus::ClientMetric::Label;
using Labels = std::vector<Label>;

constexpr auto kCounter = MetricType::Counter;
constexpr auto kGauge = MetricType::Gauge;

struct Description {
    const char* name;
    MetricType type;
    const char* help;
};

// One number of a part of the daemon.
template <class Part>
struct Row {
    Description description;
    double (*read)(const Part&);
    bool may_fall = false;  // see ShownCounters
};

// ---- of the process ----

struct Process {
    const DaemonStatus& status;
    const ProcessUsage& usage;
};

constexpr Row<Process> kProcessRows[] = {
    {{"process_cpu_seconds_total", kCounter, "Processor time of user and system that all threads have taken."},
     [](const Process& p) { return p.usage.cpu_seconds; }},
    {{"process_resident_memory_bytes", kGauge, "Memory that is resident."},
     [](const Process& p) { return static_cast<double>(p.usage.resident_octets); }},
    {{"process_virtual_memory_bytes", kGauge, "Address space that is in use."},
     [](const Process& p) { return static_cast<double>(p.usage.virtual_octets); }},
    {{"process_open_fds", kGauge, "Descriptors that are open."},
     [](const Process& p) { return static_cast<double>(p.usage.open_files); }},
    {{"process_max_fds", kGauge, "Descriptors that may be open."},
     [](const Process& p) { return static_cast<double>(p.usage.max_files); }},
    {{"process_start_time_seconds", kGauge, "When the daemon was started, in seconds since 1970."},
     [](const Process& p) { return static_cast<double>(p.status.started); }},
    {{"nfstreamd_threads", kGauge, "Threads of the process."},
     [](const Process& p) { return static_cast<double>(p.usage.threads); }},
    {{"nfstreamd_config_last_reload_successful", kGauge, "1 unless the last reload was rejected."},
     [](const Process& p) { return p.status.reload.result == "rejected" ? 0.0 : 1.0; }},
    {{"nfstreamd_config_last_reload_success_timestamp_seconds", kGauge,
      "When the configuration in use was taken, in seconds since 1970."},
     [](const Process& p) {
         return static_cast<double>(p.status.reload.applied_time != 0 ? p.status.reload.applied_time
                                                                      : p.status.started);
     }},
};

// Since the start, parts that a reload has removed included.
constexpr Row<PipelineTotals> kLifetimeRows[] = {
    {{"nfstreamd_lifetime_packets_total", kCounter, "Packets metered since the start, by removed parts as well."},
     [](const PipelineTotals& t) { return static_cast<double>(t.packets); }},
    {{"nfstreamd_lifetime_bytes_total", kCounter, "Octets of their IP datagrams."},
     [](const PipelineTotals& t) { return static_cast<double>(t.octets); }},
    {{"nfstreamd_lifetime_ignored_packets_total", kCounter, "Packets since the start that no flow can be made of."},
     [](const PipelineTotals& t) { return static_cast<double>(t.ignored); }},
    {{"nfstreamd_lifetime_left_out_packets_total", kCounter, "Packets since the start that sampling passed over."},
     [](const PipelineTotals& t) { return static_cast<double>(t.packets_left_out); }},
    {{"nfstreamd_lifetime_shed_packets_total", kCounter, "Packets since the start that were shed under overload."},
     [](const PipelineTotals& t) { return static_cast<double>(t.packets_shed); }},
    {{"nfstreamd_lifetime_capture_dropped_packets_total", kCounter,
      "Packets since the start that never came to a meter: dropped by kernel or interface, or unread."},
     [](const PipelineTotals& t) { return static_cast<double>(t.capture_dropped); }},
    {{"nfstreamd_lifetime_flows_created_total", kCounter, "Flows that have begun since the start."},
     [](const PipelineTotals& t) { return static_cast<double>(t.flows_created); }},
    {{"nfstreamd_lifetime_records_total", kCounter, "Flow records made since the start."},
     [](const PipelineTotals& t) { return static_cast<double>(t.records); }},
    {{"nfstreamd_lifetime_exported_records_total", kCounter, "Flow records written by all exporters since the start."},
     [](const PipelineTotals& t) { return static_cast<double>(t.exported); },
     true},
    {{"nfstreamd_lifetime_left_out_records_total", kCounter,
      "Flow records that filters and sampling of exporters left out since the start."},
     [](const PipelineTotals& t) { return static_cast<double>(t.records_left_out); }},
    {{"nfstreamd_lifetime_dropped_records_total", kCounter,
      "Flow records lost by all exporters since the start, of every cause."},
     [](const PipelineTotals& t) { return static_cast<double>(t.export_dropped); },
     true},
};

// ---- of a capture: an interface, or one of a group ----

struct Capture {
    const PacketSource::Description& source;
    const MeteringProcess::CaptureTotals& totals;
};

constexpr Row<Capture> kCaptureRows[] = {
    {{"nfstreamd_interface_up", kGauge, "1 while the interface is captured on."},
     [](const Capture& c) { return c.totals.up ? 1.0 : 0.0; }},
    {{"nfstreamd_capture_packets_total", kCounter, "Packets that the capture has handed over."},
     [](const Capture& c) { return static_cast<double>(c.totals.frames); }},
    {{"nfstreamd_capture_bytes_total", kCounter, "Octets of these packets on the wire."},
     [](const Capture& c) { return static_cast<double>(c.totals.octets); }},
    {{"nfstreamd_capture_truncated_packets_total", kCounter, "Packets cut by the snapshot length."},
     [](const Capture& c) { return static_cast<double>(c.totals.truncated); }},
    {{"nfstreamd_capture_filtered_packets_total", kCounter,
      "Packets that did not match the BPF filter, where they can be counted."},
     [](const Capture& c) { return static_cast<double>(c.totals.filtered); }},
    {{"nfstreamd_capture_opens_total", kCounter, "Times that the capture was opened."},
     [](const Capture& c) { return static_cast<double>(c.totals.opens); }},
    {{"nfstreamd_capture_failures_total", kCounter, "Times that it was lost or could not be opened."},
     [](const Capture& c) { return static_cast<double>(c.totals.failures); }},
    {{"nfstreamd_capture_ring_bytes", kGauge, "The kernel's buffer for packets that have not been read."},
     [](const Capture& c) { return static_cast<double>(c.source.ring_octets); }},
};
constexpr Description kCaptureDropped{"nfstreamd_capture_dropped_packets_total", kCounter,
                                      "Packets that never reached the daemon: no room in the kernel's buffer, "
                                      "dropped by the interface, or unread in a buffer that had to be closed."};

// ---- of a meter ----

using Meter = InterfaceStatus;

std::uint64_t count_of(const NamedCounts& counts, std::string_view name) {
    for (const auto& [key, count] : counts)
        if (key == name) return count;
    return 0;
}

constexpr Row<Meter> kMeterRows[] = {
    {{"nfstreamd_group_late_packets_total", kCounter, "Packets of a group that came after a younger one."},
     [](const Meter& m) { return static_cast<double>(m.capture.late); }},
    {{"nfstreamd_group_early_packets_total", kCounter,
      "Packets of a group that were not held back as long as others needed."},
     [](const Meter& m) { return static_cast<double>(m.capture.early); }},
    {{"nfstreamd_group_duplicate_packets_total", kCounter,
      "Packets that another interface of the group had delivered."},
     [](const Meter& m) { return static_cast<double>(m.capture.duplicates); }},
    {{"nfstreamd_metered_packets_total", kCounter, "Packets that were counted in a flow."},
     [](const Meter& m) { return static_cast<double>(m.packets); }},
    {{"nfstreamd_metered_bytes_total", kCounter, "Octets of their IP datagrams."},
     [](const Meter& m) { return static_cast<double>(m.octets); }},
    {{"nfstreamd_metered_cut_packets_total", kCounter, "Of these packets, those captured shorter than on the wire."},
     [](const Meter& m) { return static_cast<double>(m.cut); }},
    {{"nfstreamd_bad_checksum_packets_total", kCounter, "Packets metered although a checksum was wrong."},
     [](const Meter& m) { return static_cast<double>(m.bad_checksum); }},
    {{"nfstreamd_offloaded_checksum_packets_total", kCounter,
      "Packets metered whose checksum the interface was to fill in."},
     [](const Meter& m) { return static_cast<double>(m.offloaded_checksum); }},
    {{"nfstreamd_merged_segments_packets_total", kCounter,
      "Packets metered without their overlay network's number, as too many were in use."},
     [](const Meter& m) { return static_cast<double>(m.merged_segments); }},
    {{"nfstreamd_not_metered_packets_total", kCounter, "Packets lost to metering, of every cause but choice."},
     [](const Meter& m) { return static_cast<double>(m.not_metered.packets); }},
    {{"nfstreamd_not_metered_bytes_total", kCounter, "Octets of those that were seen."},
     [](const Meter& m) { return static_cast<double>(m.not_metered.octets); }},
    {{"nfstreamd_sampled_out_packets_total", kCounter, "Packets that packet sampling passed over."},
     [](const Meter& m) { return static_cast<double>(m.sampled_out); }},
    {{"nfstreamd_hash_filtered_packets_total", kCounter, "Packets that the hash filter left out."},
     [](const Meter& m) { return static_cast<double>(m.hash_filtered); }},
    {{"nfstreamd_packet_sampling_rate", kGauge, "One packet of so many is metered."},
     [](const Meter& m) { return static_cast<double>(m.selector.options.sampling.rate); }},
    {{"nfstreamd_flows_active", kGauge, "Flows in the flow table."},
     [](const Meter& m) { return static_cast<double>(m.flows_active); }},
    {{"nfstreamd_flows_limit", kGauge, "Flows that the flow table has room for."},
     [](const Meter& m) { return static_cast<double>(m.max_flows); }},
    {{"nfstreamd_flows_created_total", kCounter, "Flows that have begun."},
     [](const Meter& m) { return static_cast<double>(m.flows_created); }},
    {{"nfstreamd_discarded_flows_total", kCounter, "Flows without a record, as max_nflows had been reached."},
     [](const Meter& m) { return static_cast<double>(count_of(m.discarded, "flows")); }},
    {{"nfstreamd_discarded_packets_total", kCounter, "Packets of these flows."},
     [](const Meter& m) { return static_cast<double>(count_of(m.discarded, "packets")); }},
    {{"nfstreamd_flow_bytes", kGauge, "Memory of one flow."},
     [](const Meter& m) { return static_cast<double>(m.flow_octets); }},
    {{"nfstreamd_flow_table_bytes", kGauge, "Address space of the flow table."},
     [](const Meter& m) { return static_cast<double>(m.table_octets); }},
    {{"nfstreamd_flow_table_prefaulted_bytes", kGauge, "Of it, memory that was taken at the start."},
     [](const Meter& m) { return static_cast<double>(m.prefaulted_octets); }},
    {{"nfstreamd_flow_table_huge_page_bytes", kGauge, "Of that, memory in huge pages."},
     [](const Meter& m) { return static_cast<double>(m.huge_page_octets); }},
    {{"nfstreamd_idle_timeout_seconds", kGauge, "The idle timeout in force, shorter as the flow table fills."},
     [](const Meter& m) { return static_cast<double>(m.idle_timeout_ms) / 1e3; }},
    {{"nfstreamd_meter_longest_pause_seconds", kGauge,
      "The longest time in the last minutes that the capture was not looked at."},
     [](const Meter& m) { return static_cast<double>(m.longest_pause_us) / 1e6; }},
    {{"nfstreamd_clock_steps_total", kCounter, "Steps of the clock that stamps packets."},
     [](const Meter& m) { return static_cast<double>(m.clock_steps); }},
    {{"nfstreamd_capture_ring_fill_ratio", kGauge, "Part of the kernel's buffer that waits to be read, 0 to 1."},
     [](const Meter& m) { return static_cast<double>(m.ring_fill_percent) / 100; }},
    {{"nfstreamd_overloads_total", kCounter, "Times that an overload began."},
     [](const Meter& m) { return static_cast<double>(count_of(m.overload, "times")); }},
    {{"nfstreamd_overload_flows_not_dissected_total", kCounter,
      "Flows of which nothing was shown to nDPI under overload."},
     [](const Meter& m) { return static_cast<double>(count_of(m.overload, "flows_not_dissected")); }},
    {{"nfstreamd_overload_dissections_stopped_total", kCounter,
      "Flows of which not all was shown to nDPI under overload."},
     [](const Meter& m) { return static_cast<double>(count_of(m.overload, "dissections_stopped")); }},
    {{"nfstreamd_overload_shed_packets_total", kCounter, "Packets that sampling passed over under overload."},
     [](const Meter& m) { return static_cast<double>(count_of(m.overload, "packets_shed")); }},
    {{"nfstreamd_enrichment_lookups_total", kCounter, "Addresses looked up in the files of enrichment."},
     [](const Meter& m) { return static_cast<double>(count_of(m.enrichment, "lookups")); }},
    {{"nfstreamd_enrichment_hits_total", kCounter, "Of these lookups, those that found something."},
     [](const Meter& m) { return static_cast<double>(count_of(m.enrichment, "hits")); }},
    {{"nfstreamd_enrichment_damaged_total", kCounter, "Lookups that met damage in a file."},
     [](const Meter& m) { return static_cast<double>(count_of(m.enrichment, "damaged")); }},
};
constexpr Description kDecodeErrors{"nfstreamd_decode_errors_total", kCounter,
                                    "Packets that no flow can be made of, by reason."};
constexpr Description kFlowsExpired{"nfstreamd_flows_expired_total", kCounter,
                                    "Flow records made, by the reason why the flow ended."};
constexpr Description kExpiryLag{"nfstreamd_flow_expiry_lag_seconds", MetricType::Histogram,
                                 "From the timeout of a flow to its leaving, by the clock of its packets."};
constexpr Description kOverloadLevel{
    "nfstreamd_overload_level", kGauge,
    "What is shed: 0 nothing, 1 dissection of new flows, 2 all dissection, 3 packets."};

// ---- of a plugin ----

constexpr Row<FlowExtensionStatus> kPluginRows[] = {
    {{"nfstreamd_plugin_instances", kGauge, "Meters that the plugin works in."},
     [](const FlowExtensionStatus& p) { return static_cast<double>(p.instances); }},
    {{"nfstreamd_plugin_disabled", kGauge, "Of these, those in which it is not called any more."},
     [](const FlowExtensionStatus& p) { return static_cast<double>(p.disabled); }},
    {{"nfstreamd_plugin_flows_total", kCounter, "Flows that the plugin was shown."},
     [](const FlowExtensionStatus& p) { return static_cast<double>(p.flows); }},
    {{"nfstreamd_plugin_packets_total", kCounter, "Packets that the plugin was shown."},
     [](const FlowExtensionStatus& p) { return static_cast<double>(p.packets); }},
    {{"nfstreamd_plugin_errors_total", kCounter, "Calls of the plugin that failed."},
     [](const FlowExtensionStatus& p) { return static_cast<double>(p.errors); }},
    {{"nfstreamd_plugin_slow_calls_total", kCounter, "Of the calls that were measured, those that took too long."},
     [](const FlowExtensionStatus& p) { return static_cast<double>(p.slow_calls); }},
};

// ---- of an exporter ----

using Exporter = ExporterStatus;

constexpr Row<Exporter> kExporterRows[] = {
    {{"nfstreamd_exporter_up", kGauge, "1 while its file or session is open; of several collectors, any."},
     [](const Exporter& e) { return e.up ? 1.0 : 0.0; }},
    {{"nfstreamd_exporter_failed", kGauge, "1 if it has failed for good and will not be tried again."},
     [](const Exporter& e) { return e.failed_for_good ? 1.0 : 0.0; }},
    {{"nfstreamd_exporter_records_total", kCounter, "Flow records that the exporter has written."},
     [](const Exporter& e) { return static_cast<double>(e.records); },
     true},
    {{"nfstreamd_export_queue_records", kGauge, "Flow records in its queues."},
     [](const Exporter& e) { return static_cast<double>(e.queue_depth); }},
    {{"nfstreamd_export_queue_limit", kGauge, "Flow records that its queues take at most, if every batch is full."},
     [](const Exporter& e) { return static_cast<double>(e.queue_limit); }},
    {{"nfstreamd_export_in_hand_records", kGauge, "Flow records being written, or that have to be again."},
     [](const Exporter& e) { return static_cast<double>(e.in_hand); }},
    {{"nfstreamd_export_filtered_records_total", kCounter, "Flow records that the exporter's filter left out."},
     [](const Exporter& e) { return static_cast<double>(e.filtered); }},
    {{"nfstreamd_export_sampled_out_records_total", kCounter, "Flow records that the exporter's sampling left out."},
     [](const Exporter& e) { return static_cast<double>(e.sampled_out); }},
    {{"nfstreamd_export_elsewhere_records_total", kCounter, "Flow records that are another collector's."},
     [](const Exporter& e) { return static_cast<double>(e.elsewhere); }},
    {{"nfstreamd_export_redelivered_records_total", kCounter,
      "Flow records handed over again, as they may not have arrived."},
     [](const Exporter& e) { return static_cast<double>(e.redelivered); }},
    {{"nfstreamd_export_lost_records_total", kCounter, "Flow records lost before they came to the exporter."},
     [](const Exporter& e) { return static_cast<double>(e.losses.records); },
     true},
    {{"nfstreamd_export_lost_packets_total", kCounter, "Packets that these records told of."},
     [](const Exporter& e) { return static_cast<double>(e.losses.packets); },
     true},
    {{"nfstreamd_export_lost_bytes_total", kCounter, "Octets that these records told of."},
     [](const Exporter& e) { return static_cast<double>(e.losses.octets); },
     true},
    {{"nfstreamd_export_last_loss_timestamp_seconds", kGauge,
      "When a record was last lost before it came to the exporter, in seconds since 1970; 0: never."},
     [](const Exporter& e) { return static_cast<double>(e.losses.last_ms) / 1e3; }},
};
constexpr Description kDroppedRecords{"nfstreamd_export_dropped_records_total", kCounter,
                                      "Flow records lost, by cause."};
constexpr Description kShortenedRecords{"nfstreamd_export_shortened_records_total", kCounter,
                                        "Flow records whose strings or lists were cut to fit a message."};

constexpr Row<SpoolStatus> kSpoolRows[] = {
    {{"nfstreamd_spool_bytes", kGauge, "Size of the spool on the disk."},
     [](const SpoolStatus& s) { return static_cast<double>(s.octets); }},
    {{"nfstreamd_spool_records", kGauge, "Flow records that wait there."},
     [](const SpoolStatus& s) { return static_cast<double>(s.records); }},
    {{"nfstreamd_spool_segments", kGauge, "Files of the spool."},
     [](const SpoolStatus& s) { return static_cast<double>(s.segments); }},
    {{"nfstreamd_spool_oldest_timestamp_seconds", kGauge,
      "When the oldest flow that waits there ended, in seconds since 1970; 0: none waits."},
     [](const SpoolStatus& s) { return static_cast<double>(s.oldest_ms) / 1e3; }},
    {{"nfstreamd_spool_written_records_total", kCounter, "Flow records written to the spool."},
     [](const SpoolStatus& s) { return static_cast<double>(count_of(s.counts, "written")); }},
    {{"nfstreamd_spool_read_records_total", kCounter, "Flow records read back; one read again counts again."},
     [](const SpoolStatus& s) { return static_cast<double>(count_of(s.counts, "read")); }},
    {{"nfstreamd_spool_recovered_records_total", kCounter, "Flow records of an earlier run."},
     [](const SpoolStatus& s) { return static_cast<double>(count_of(s.counts, "recovered")); }},
    {{"nfstreamd_spool_torn_bytes_total", kCounter, "Octets cut off at the start, as they were not whole."},
     [](const SpoolStatus& s) { return static_cast<double>(count_of(s.counts, "torn_octets")); }},
    {{"nfstreamd_spool_foreign_segments_total", kCounter,
      "Files set aside at the start: damaged, or not of this version."},
     [](const SpoolStatus& s) { return static_cast<double>(count_of(s.counts, "foreign_segments")); }},
    {{"nfstreamd_spool_failures_total", kCounter, "Errors of the spool."},
     [](const SpoolStatus& s) { return static_cast<double>(count_of(s.counts, "failures")); }},
};

// ---- of a model ----

constexpr Row<FlowExtensionStatus> kModelRows[] = {
    {{"nfstreamd_model_scored_flows_total", kCounter, "Flows that the model has scored."},
     [](const FlowExtensionStatus& m) { return static_cast<double>(m.scores->scored); }},
    {{"nfstreamd_model_early_flows_total", kCounter, "Of these, those that were scored before their end."},
     [](const FlowExtensionStatus& m) { return static_cast<double>(m.scores->early); }},
    {{"nfstreamd_model_unscored_flows_total", kCounter, "Flows that it has not, as it is disabled in their meter."},
     [](const FlowExtensionStatus& m) { return static_cast<double>(m.scores->unscored); }},
    {{"nfstreamd_model_disabled", kGauge, "Meters in which the model is disabled, as it failed or was too slow."},
     [](const FlowExtensionStatus& m) { return static_cast<double>(m.disabled); }},
    {{"nfstreamd_model_errors_total", kCounter, "Batches that the library has refused, of the shadow as well."},
     [](const FlowExtensionStatus& m) { return static_cast<double>(m.errors); }},
    {{"nfstreamd_model_slow_batches_total", kCounter, "Batches over the time budget, of the shadow as well."},
     [](const FlowExtensionStatus& m) { return static_cast<double>(m.slow_calls); }},
};
constexpr Row<ScoreStatus::Shadow> kShadowRows[] = {
    {{"nfstreamd_model_shadow_compared_flows_total", kCounter, "Flows that the model's shadow has scored too."},
     [](const ScoreStatus::Shadow& s) { return static_cast<double>(s.compared); }},
    {{"nfstreamd_model_shadow_agreed_flows_total", kCounter, "Of these, those on which the two agree."},
     [](const ScoreStatus::Shadow& s) { return static_cast<double>(s.agreed); }},
    {{"nfstreamd_model_shadow_disabled", kGauge, "Meters in which the shadow is disabled."},
     [](const ScoreStatus::Shadow& s) { return static_cast<double>(s.disabled); }},
};

// ---- of a collector; an exporter that has but one is its own ----

struct Collector {
    bool up;
    std::uint64_t records, messages, octets, templates, connects, failures;
};

constexpr Row<Collector> kCollectorRows[] = {
    {{"nfstreamd_collector_up", kGauge, "1 while the session to the collector is open."},
     [](const Collector& c) { return c.up ? 1.0 : 0.0; }},
    {{"nfstreamd_export_records_total", kCounter, "Flow records sent to the collector."},
     [](const Collector& c) { return static_cast<double>(c.records); },
     true},
    {{"nfstreamd_export_messages_total", kCounter, "Messages, or lines, sent to the collector."},
     [](const Collector& c) { return static_cast<double>(c.messages); },
     true},
    {{"nfstreamd_export_bytes_total", kCounter, "Octets of these."},
     [](const Collector& c) { return static_cast<double>(c.octets); },
     true},
    {{"nfstreamd_template_sends_total", kCounter, "Messages with templates."},
     [](const Collector& c) { return static_cast<double>(c.templates); },
     true},
    {{"nfstreamd_collector_connects_total", kCounter, "Sessions or files opened."},
     [](const Collector& c) { return static_cast<double>(c.connects); },
     true},
    {{"nfstreamd_collector_failures_total", kCounter, "Errors of the way to the collector."},
     [](const Collector& c) { return static_cast<double>(c.failures); },
     true},
};
constexpr Description kCollectorDropped{"nfstreamd_collector_dropped_records_total", kCounter,
                                        "Flow records lost on the way to one of several collectors."};

// ---- the whole ----

std::string valid_utf8(std::string_view text) {
    std::string valid;
    while (!text.empty()) {
        const auto c = static_cast<unsigned char>(text.front());
        const std::size_t length = c < 0x80 ? 1 : utf8_sequence_length(text);
        valid += length > 0 ? text.substr(0, length) : std::string_view("\xEF\xBF\xBD");
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return valid;
}

class Families {
public:
    explicit Families(ShownCounters& shown) : shown_(shown) {}

    void add(const Description& description, const Labels& labels, double value) {
        prometheus::ClientMetric metric;
        for (const Label& label : labels) metric.label.push_back({label.name, valid_utf8(label.value)});
        metric.counter.value = metric.gauge.value = value;  // by its type one of them is written
        of(description).metric.push_back(std::move(metric));
    }
    void add(const Description& description, const Labels& labels, std::uint64_t count) {
        add(description, labels, static_cast<double>(count));
    }

    void add(const Description& description, const Labels& labels, const LagHistogram::Snapshot& lags) {
        add(description, labels, 0.0);
        auto& histogram = of(description).metric.back().histogram;
        for (std::size_t i = 0; i < lags.counts.size(); ++i) {
            histogram.sample_count += lags.counts[i];
            const double bound = i < LagHistogram::kBoundsMs.size()
                                     ? static_cast<double>(LagHistogram::kBoundsMs[i]) / 1e3
                                     : std::numeric_limits<double>::infinity();
            histogram.bucket.push_back({histogram.sample_count, bound});
        }
        histogram.sample_sum = static_cast<double>(lags.sum_ns) / 1e9;
    }

    // `part`: of which a counter that may fall is one.
    void add_falling(const Description& description, const Labels& labels, std::uint64_t value, std::uint64_t part) {
        std::string series = description.name;
        for (const Label& label : labels) series += '\n' + label.value;
        add(description, labels, shown_.at_least_before(series, part, value));
    }

    template <class Part>
    void add_rows(std::span<const Row<Part>> rows, const Part& what, const Labels& labels, std::uint64_t part = 0) {
        for (const Row<Part>& row : rows) {
            if (row.may_fall)
                add_falling(row.description, labels, static_cast<std::uint64_t>(row.read(what)), part);
            else
                add(row.description, labels, row.read(what));
        }
    }

    std::string text() const {
        std::ostringstream out;
        prometheus::TextSerializer().Serialize(out, families_);
        return out.str();
    }

private:
    prometheus::MetricFamily& of(const Description& description) {
        const auto [place, fresh] = places_.try_emplace(description.name, families_.size());
        if (fresh) {
            auto& family = families_.emplace_back();
            family.name = description.name;
            family.help = description.help;
            family.type = description.type;
        }
        return families_[place->second];
    }

    ShownCounters& shown_;
    std::vector<prometheus::MetricFamily> families_;
    std::map<std::string_view, std::size_t> places_;
};

Labels with(Labels labels, const char* name, std::string value) {
    labels.push_back({name, std::move(value)});
    return labels;
}

void add_process(Families& families, const DaemonStatus& status, const ProcessUsage& usage) {
    families.add({"nfstreamd_build_info", kGauge, "1, with the versions of the program and its libraries."},
                 {{"version", status.version}, {"libpcap", libpcap_version()}, {"ndpi", ndpi_version()}}, 1.0);
    families.add({"nfstreamd_probe_info", kGauge, "1, with the name of this probe."}, {{"name", status.instance}}, 1.0);
    families.add_rows<Process>(kProcessRows, {status, usage}, {});
    constexpr Description kReloads{"nfstreamd_config_reloads_total", kCounter, "Reloads, by their result."};
    families.add(kReloads, {{"result", "applied"}}, status.reload.applied);
    families.add(kReloads, {{"result", "rejected"}}, status.reload.rejected);
    for (const auto& file : status.enrichment) {
        const Labels labels{{"key", file.key}, {"path", file.path}};
        families.add({"nfstreamd_enrichment_entries", kGauge, "Entries of a file of enrichment."}, labels,
                     file.entries);
        families.add({"nfstreamd_enrichment_built_timestamp_seconds", kGauge,
                      "When the file was built, in seconds since 1970; 0: it does not say."},
                     labels, file.build_epoch);
    }
}

void add_applications(Families& families, const ApplicationCountsByName& applications) {
    for (const auto& [name, totals] : applications) {
        const Labels labels{{"protocol", name}};
        families.add({"nfstreamd_dpi_flows_total", kCounter, "Flow records made, by application."}, labels,
                     totals.flows);
        families.add({"nfstreamd_dpi_packets_total", kCounter, "Packets in these records."}, labels, totals.packets);
        families.add({"nfstreamd_dpi_bytes_total", kCounter, "Octets of IP datagrams in these records."}, labels,
                     totals.octets);
    }
}

void add_capture(Families& families, const PacketSource::Description& source,
                 const MeteringProcess::CaptureTotals& totals, const Labels& labels) {
    families.add_rows<Capture>(kCaptureRows, {source, totals}, labels);
    families.add(kCaptureDropped, with(labels, "reason", "kernel"), totals.kernel_dropped);
    families.add(kCaptureDropped, with(labels, "reason", "interface"), totals.interface_dropped);
    families.add(kCaptureDropped, with(labels, "reason", "unread"), totals.unread);
}

double shed_level(std::string_view shed) {
    double level = 0;
    for (const auto each : {ShedLevel::kNewDissections, ShedLevel::kDissection, ShedLevel::kPackets})
        if (shed == name(each)) level = static_cast<double>(each);
    return level;
}

void add_meter(Families& families, const InterfaceStatus& meter) {
    const Labels labels{{"interface", meter.input}, {"meter", meter.source.name}};
    if (meter.members.empty()) add_capture(families, meter.source, meter.capture, labels);
    for (const auto& member : meter.members)
        add_capture(families, member.source, member.capture,
                    {{"interface", member.source.name}, {"meter", meter.source.name}});
    families.add_rows<Meter>(kMeterRows, meter, labels);
    for (const auto& [reason, count] : meter.ignored)
        families.add(kDecodeErrors, with(labels, "reason", reason), count);
    for (const auto& [reason, count] : meter.records)
        families.add(kFlowsExpired, with(labels, "reason", reason), count);
    families.add(kOverloadLevel, labels, shed_level(meter.shed));
    families.add(kExpiryLag, labels, meter.expiry_lag);
}

void add_collector(Families& families, const Collector& collector, const Labels& labels, std::uint64_t part) {
    families.add_rows<Collector>(kCollectorRows, collector, labels, part);
}

void add_exporter(Families& families, const ExporterStatus& exporter) {
    const Labels labels{{"exporter", exporter.name}};
    families.add({"nfstreamd_exporter_info", kGauge, "1, with the type of the exporter and where it sends to."},
                 {{"exporter", exporter.name}, {"type", exporter.type}, {"destination", exporter.destination}}, 1.0);
    families.add_rows<Exporter>(kExporterRows, exporter, labels, exporter.id);
    for (const auto& [cause, count] : exporter.dropped)
        families.add_falling(kDroppedRecords, with(labels, "reason", cause), count, exporter.id);
    for (const auto& [kind, count] : exporter.shortened)
        families.add_falling(kShortenedRecords, with(labels, "kind", kind), count, exporter.id);
    if (!exporter.spool.path.empty()) families.add_rows<SpoolStatus>(kSpoolRows, exporter.spool, labels, exporter.id);
    const auto collector_of = [](const auto& s) {
        return Collector{s.up, s.records, s.messages, s.octets, s.templates, s.connects, s.failures};
    };
    if (exporter.collectors.empty())
        return add_collector(families, collector_of(exporter), with(labels, "collector", exporter.destination),
                             exporter.id);
    std::map<std::string, int> seen;  // the same destination may be listed twice
    for (const auto& collector : exporter.collectors) {
        const int number = ++seen[collector.destination];
        const auto destination = collector.destination + (number > 1 ? " #" + std::to_string(number) : "");
        const auto collector_labels = with(labels, "collector", destination);
        add_collector(families, collector_of(collector), collector_labels, exporter.id);
        families.add_falling(kCollectorDropped, collector_labels, collector.dropped, exporter.id);
    }
}

}  // namespace

std::uint64_t ShownCounters::at_least_before(const std::string& series, std::uint64_t part, std::uint64_t value) {
    if (const auto before = before_.find(series); before != before_.end() && before->second.first == part)
        value = std::max(value, before->second.second);
    now_[series] = {part, value};
    return value;
}

void ShownCounters::forget_others() {
    before_ = std::exchange(now_, {});
}

std::string metrics_text(const DaemonStatus& status, const PipelineTotals& totals, const ProcessUsage& usage,
                         ShownCounters& shown) {
    Families families(shown);
    add_process(families, status, usage);
    families.add_rows<PipelineTotals>(kLifetimeRows, totals, {});
    add_applications(families, status.applications);
    for (const auto& [name, extension] : status.plugins) {
        if (!extension.scores)
            families.add_rows<FlowExtensionStatus>(kPluginRows, extension, {{"plugin", name}});
        else
            families.add_rows<FlowExtensionStatus>(kModelRows, extension, {{"model", name}});
        if (extension.scores && extension.scores->shadow)
            families.add_rows<ScoreStatus::Shadow>(kShadowRows, *extension.scores->shadow, {{"model", name}});
    }
    for (const auto& meter : status.interfaces) add_meter(families, meter);
    for (const auto& exporter : status.exporters) add_exporter(families, exporter);
    shown.forget_others();
    return families.text();
}

}  // namespace nfstreamd::daemon
