// SPDX-License-Identifier: Apache-2.0
// What `nfstreamctl status` shows: all counters of the process as plain values,
// and as one JSON document. Control thread.
#pragma once
#include <cstdint>
#include <ctime>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/capture/packet_source.hpp"
#include "core/enrichment/enrichment_tables.hpp"
#include "core/metering/ignored_packets.hpp"
#include "core/metering/metering_process.hpp"
#include "core/metering/overload.hpp"
#include "daemon/pipeline.hpp"

namespace nfstreamd::daemon {

using NamedCounts = std::vector<std::pair<std::string, std::uint64_t>>;
std::uint64_t sum(const NamedCounts& counts);

struct InterfaceStatus {
    std::uint32_t id = 0;
    std::string input;  // interface or group; source.name has the share as well
    PacketSource::Description source;
    MeteringProcess::CaptureTotals capture;
    std::vector<MeteringProcess::Member> members;  // of a group
    std::set<std::string> required;                // of its interfaces
    NamedCounts ignored;                           // by reason
    std::uint64_t packets = 0, octets = 0, cut = 0;
    IgnoredPackets not_metered;  // of all causes
    PacketSelector selector;
    std::uint64_t sampled_out = 0, hash_filtered = 0;  // packets
    std::uint64_t bad_checksum = 0, offloaded_checksum = 0, merged_segments = 0;
    std::uint64_t flows_active = 0, flows_created = 0, max_flows = 0, flow_octets = 0, table_octets = 0;
    std::uint64_t prefaulted_octets = 0, huge_page_octets = 0, longest_pause_us = 0;
    std::uint64_t idle_timeout_ms = 0, clock_steps = 0;
    std::uint64_t ring_fill_percent = 0;
    std::string_view shed = name(ShedLevel::kNothing);
    NamedCounts overload = {{"times", 0}, {"flows_not_dissected", 0}, {"dissections_stopped", 0}, {"packets_shed", 0}};
    LagHistogram::Snapshot expiry_lag;
    NamedCounts discarded;  // flows and packets, as max_nflows had been reached
    NamedCounts enrichment = {{"lookups", 0}, {"hits", 0}, {"damaged", 0}};
    NamedCounts records;  // by end reason
};

struct CollectorStatus {
    std::string destination;
    bool up = false;
    std::uint64_t records = 0, messages = 0, octets = 0, templates = 0, failures = 0, connects = 0;
    std::uint64_t dropped = 0;  // records
};

struct SpoolStatus {
    std::string path;                                     // empty: none
    std::uint64_t records = 0, octets = 0, segments = 0;  // there now
    std::int64_t oldest_ms = 0;                           // when the oldest of them ended, since 1970; 0: none
    NamedCounts counts = {{"written", 0},          {"read", 0},    {"recovered", 0}, {"torn_octets", 0},
                          {"foreign_segments", 0}, {"failures", 0}};
};

struct ExporterStatus {
    std::uint64_t id = 0;  // of the running exporter: one that replaces it has another
    std::string name, type, destination;
    bool up = false, failed_for_good = false;
    std::uint64_t records = 0, messages = 0, octets = 0, templates = 0, failures = 0, connects = 0;
    std::uint64_t queue_depth = 0;                // records
    std::uint64_t queue_limit = 0;                // records, in full batches
    std::uint64_t filtered = 0, sampled_out = 0;  // records left out as configured
    std::uint64_t elsewhere = 0;                  // records of flows that are another collector's
    NamedCounts dropped;                          // by cause
    std::vector<CollectorStatus> collectors;      // where it has several, or one by messages
    NamedCounts shortened;                        // records whose strings or lists were cut to fit a message
    std::uint64_t in_hand = 0;                    // records that are being written, or have to be again
    std::uint64_t redelivered = 0;                // records, see ExportingProcess
    LossTotals losses;                            // before they came to the exporter
    SpoolStatus spool;
    std::string last_error;
};

struct ReloadStatus {
    std::uint64_t applied = 0, rejected = 0;
    std::string result = "none";  // of the last one: applied, rejected, running
    std::string detail;           // what changed, or why not
    std::time_t time = 0;
    std::time_t applied_time = 0;  // of the last one that was; 0: none
};

struct LedgerStatus {
    std::uint64_t checks = 0, violations = 0;
};

struct PluginStatus {  // or of a model
    std::string name;
    FlowExtensionStatus counts;
};

struct DaemonStatus {
    std::string version, instance;
    std::time_t started = 0;
    std::uint64_t uptime_s = 0;
    std::vector<std::string> files;
    ReloadStatus reload;
    LedgerStatus ledger;
    std::vector<EnrichmentTables::Description> enrichment;  // files in use
    ApplicationCountsByName applications;                   // of all interfaces, since the start
    std::vector<PluginStatus> plugins;                      // and models
    std::vector<InterfaceStatus> interfaces;
    std::vector<ExporterStatus> exporters;
};

InterfaceStatus interface_status(const MeteringProcess& meter);
ExporterStatus exporter_status(const ExportingProcess& exporter);

std::string status_json(const DaemonStatus& status);
// Of it one list by itself, as an object of that one member.
std::string interfaces_json(const DaemonStatus& status);
std::string exporters_json(const DaemonStatus& status);

}  // namespace nfstreamd::daemon
