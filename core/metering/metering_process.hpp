// SPDX-License-Identifier: Apache-2.0
// One metering process (RFC 5470): one packet source, one thread, one flow
// cache. Several of them may share an observation point. run() is the body of its
// thread; adopt(), request_* and the readers of counters may be called from any
// thread.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/application/ndpi_module.hpp"
#include "core/base/lag_histogram.hpp"
#include "core/base/log.hpp"
#include "core/capture/merged_source.hpp"
#include "core/capture/packet_source.hpp"
#include "core/enrichment/enricher.hpp"
#include "core/export/record_queue.hpp"
#include "core/host/process_table.hpp"
#include "core/metering/application_counts.hpp"
#include "core/metering/flow_budget.hpp"
#include "core/metering/flow_extension.hpp"
#include "core/metering/flow_hook.hpp"
#include "core/metering/flow_share.hpp"
#include "core/metering/meter_ledger.hpp"
#include "core/metering/metering_options.hpp"
#include "core/metering/table_inquiry.hpp"
#include "core/packet/packet.hpp"
#include "core/record/end_reason.hpp"
#include "core/record/process_facts.hpp"
#include "core/selection/packet_selector.hpp"

namespace nfstreamd {

struct ObservationPoint {  // RFC 7011: where packets are seen
    std::uint32_t id = 0;  // IE 138
    std::string name;      // "eth0", or "files" of an offline run; "eth0/1" of one share
    bool offline = false;  // capture files: packet time only, wait for room in the queues
    // What this process meters. Live, the kernel hands over nothing else; offline
    // every process reads all packets, for the time they tell, and picks its own.
    // What is counted before that, the first share counts for all.
    FlowShare share = {};
    std::uint32_t process = 0;  // number of this process in the run, for unique flow ids; 0: the id
};

struct MeterCounters {                           // written by the metering thread
    Counter packets, octets;                     // metered; octets of IP datagrams
    Counter wire_octets;                         // of metered packets
    Counter ignored[kDecodeResults];             // by DecodeResult; [0] stays 0
    Counter ignored_octets;                      // of IP packets seen and not metered, ignored_packets.hpp
    Counter cut;                                 // metered although shorter than on the wire
    Counter bad_checksum;                        // metered all the same (checksum: count)
    Counter offloaded_checksum;                  // metered; the interface was to fill it in
    Counter merged_segments;                     // metered without its VNI, as too many are in use
    Counter flows_created, flows_active;         // flows_active: gauge
    Counter records[kEndReasons];                // made, by EndReason
    Counter record_packets, record_octets;       // in those records: metered = in records + in the table + discarded
    Counter flows_discarded, packets_discarded;  // max_nflows had been reached
    Counter table_octets;                        // gauge: address space of the flow cache
    Counter prefaulted_octets;                   // gauge: of these, memory that was taken at the start
    Counter huge_page_octets;                    // gauge: of these, in huge pages
    Counter longest_pause_ns;                    // gauge: the capture was not looked at, in the last minutes; live
    Counter flow_octets;                         // gauge: memory of one flow, all groups that are on
    Counter now_ns;                              // gauge: the meter's clock
    Counter idle_timeout_ms;                     // gauge: idle_timeout as in force, shorter under pressure
    Counter clock_steps;                         // of the clock that stamps packets
    Counter polls;                               // turns of the thread's loop: it is alive
    Counter sampled_out;                         // frames that packet sampling passed over
    Counter hash_filtered;                       // packets that the hash filter left out
    Counter other_shares;                        // frames that are another share's, to be metered or counted
    // overload: the capture ring fills faster than it drains
    Counter ring_fill_percent;    // gauge
    Counter shed_level;           // gauge: ShedLevel
    Counter overloads;            // times that it began
    Counter flows_not_dissected;  // none of their packets was shown to nDPI
    Counter dissections_stopped;  // not all of those that would have been were shown
    Counter packets_shed;         // frames that sampling passed over while packets were shed
    LagHistogram expiry_lag;      // from a flow's timeout to its leaving, by the meter's clock
    EnrichmentCounters enrichment;
    ApplicationCounts applications;
};

// The interfaces of a group from now on: those that stay are kept as they are.
struct Regrouping {
    std::vector<std::string> interfaces;               // in the order of the configuration
    std::vector<std::unique_ptr<PacketSource>> added;  // opened
    MergeOptions merge;
    int snapshot_length = 0;  // of all of them, the least
};

// What a running metering process can take over without losing a flow.
struct MeteringChange : TimeoutOptions {
    std::vector<std::shared_ptr<RecordQueue>> outputs;  // replaces all; those that leave get end_of_stream()
    std::map<std::string, CaptureChange> captures;      // of live interfaces, by name
    std::optional<Regrouping> regrouping;               // of a source that is several as one
    std::unique_ptr<NdpiModule> ndpi_module;            // for flows that begin from now on; null: keep the present one
    std::optional<PacketSelector> selector;             // flows of the one before end first, reason forced
    std::optional<EnrichmentOptions> enrichment;        // of records that are made from now on
    std::optional<std::vector<HookLink>> hooks;         // of flows that begin from now on
};

class MeteringProcess {
public:
    MeteringProcess(ObservationPoint point, MeteringOptions options, std::unique_ptr<PacketSource> source,
                    std::vector<std::shared_ptr<RecordQueue>> outputs, Logger& logger, PacketSelector selector = {});
    ~MeteringProcess();
    MeteringProcess(const MeteringProcess&) = delete;
    MeteringProcess& operator=(const MeteringProcess&) = delete;

    // Allocates the flow cache and the dissector, opens the source. Once, before run().
    Status open();

    // Before run(): flows are given the local process they belong to.
    void observe_processes(std::shared_ptr<const ProcessTable> processes);
    // Before run(), if at all; called before those of the extensions.
    void set_flow_hook(std::unique_ptr<FlowHook> hook);
    void set_flow_budget(std::shared_ptr<FlowBudget> budget);  // shared by all processes of a run

    // Meters until the input ends, the budget is spent, the source fails for good
    // (an error), or a stop is requested. Then every flow leaves, every record is handed on, and
    // the queues end.
    Status run(std::stop_token stop);

    void adopt(MeteringChange change);       // taken between two polls
    std::uint64_t adopted() const noexcept;  // how many changes have been taken
    // What the capture of an interface can take in place; any thread.
    Result<CaptureChange> prepare_capture(const std::string& interface, const CaptureOptions& wanted) const;
    void look_at_interfaces();  // the kernel has told that one is not as before
    void request_expire();      // all flows leave now, end reason forced
    // Answered between polls; when the run is over, as incomplete.
    void ask(std::shared_ptr<FlowListing> listing);
    void ask(std::shared_ptr<FlowActivity> activity);
    void set_stop_reason(EndReason reason) noexcept;  // before a stop: kForced (default), kInterfaceGone

    // Asks for a ledger, which is made between two polls. The packets of the flow table are
    // added up if it has had no more than `most_entries`; numbers go up.
    void request_ledger(std::uint64_t number, std::uint32_t most_entries);
    // The last one that was made; after run() the final one, kLastLedger.
    MeterLedger ledger() const;

    const ObservationPoint& point() const noexcept;
    const MeteringOptions& options() const noexcept;
    const MeterCounters& counters() const noexcept;
    PacketSelector selector() const;  // in use now
    // That may come in its records; after open() and before run(). Empty: nothing is dissected.
    ApplicationList applications() const;

    struct CaptureTotals {  // over all sources that this process has had
        std::uint64_t frames = 0, octets = 0, truncated = 0, filtered = 0, kernel_dropped = 0, unread = 0,
                      interface_dropped = 0, opens = 0, failures = 0;
        std::uint64_t late = 0, early = 0, duplicates = 0, held = 0;  // of several sources as one
        bool up = false;
    };
    CaptureTotals capture() const;
    struct Member {
        PacketSource::Description source;
        CaptureTotals capture;
    };
    std::vector<Member> members() const;  // of a source that is several as one
    PacketSource::Description source_description() const;
    PacketSource::Progress progress() const;

private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace nfstreamd
