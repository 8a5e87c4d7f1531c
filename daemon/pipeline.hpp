// SPDX-License-Identifier: Apache-2.0
// The running metering and exporting processes with their threads, and the
// queues between them. Parts are prepared first, which may fail and changes
// nothing, then started, which cannot. Control thread only; its threads tell
// their end through the io_context.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "daemon/assembly.hpp"
#include "daemon/facts_writer.hpp"
#include "daemon/ledger.hpp"

namespace nfstreamd::daemon {

struct ExporterUnit {
    std::uint64_t id = 0;
    config::ExporterConfig config;
    bool exclusive = false;
    std::unique_ptr<ExportingProcess> process;
    std::set<std::uint64_t> waits_for;  // retiring units that may hold its path or port
    bool stopping = false, ended = false;
    std::jthread thread;
};

struct MeterUnit {
    CapturePlan plan;
    std::map<std::string, std::shared_ptr<RecordQueue>> outputs;  // by exporter
    std::unique_ptr<MeteringProcess> process;
    std::shared_ptr<AnnouncedSelector> selector;
    std::optional<Status> outcome;  // its run has ended
    bool failure_reported = false;
    std::jthread thread;

    std::uint32_t id() const { return process->point().process; }
};

// Of a meter that stays.
struct CaptureRewiring {
    CapturePlan plan;  // from now on
    std::map<std::string, CaptureChange> captures = {};
    std::optional<Regrouping> regrouping = {};
};

// What a reload changes in running parts.
struct Rewiring {
    std::vector<std::unique_ptr<ExporterUnit>> new_exporters;  // added, and successors of the same name
    std::vector<std::unique_ptr<MeterUnit>> new_meters;
    std::vector<std::string> exporter_order, meter_order;    // names that remain, in the order wanted
    std::map<std::string, CaptureRewiring> captures;         // of kept meters
    std::vector<std::shared_ptr<FanoutGroup>> switched;      // captures that have replaced others
    std::vector<std::unique_ptr<NdpiModule>> new_modules;    // none, or one for each kept meter
    std::map<std::string, std::vector<HookLink>> new_hooks;  // none, or those of each kept meter
    std::optional<EnrichmentOptions> enrichment;
    TimeoutOptions timeouts;
    bool outputs_changed = false, timeouts_changed = false;
};

struct PipelineTotals {
    std::uint64_t packets = 0, octets = 0, flows_active = 0, flows_created = 0, records = 0;
    std::uint64_t flows_discarded = 0;                         // max_nflows had been reached
    std::uint64_t ignored = 0;                                 // packets that no flow can be made of
    std::uint64_t packets_left_out = 0, records_left_out = 0;  // by sampling and filters
    std::uint64_t packets_shed = 0;                            // under overload
    std::uint64_t capture_dropped = 0;                         // what never came to a meter, of every cause
    std::uint64_t kernel_dropped = 0, unread = 0;              // of these; the rest by the interface
    std::uint64_t exported = 0, export_dropped = 0;
    std::uint64_t input_done = 0, input_total = 0;  // octets of capture files
};

class Pipeline {
public:
    // `changed` is called whenever a thread has ended.
    Pipeline(boost::asio::io_context& context, Logger& logger, std::function<void()> changed);
    ~Pipeline();

    Result<std::unique_ptr<ExporterUnit>> prepare_exporter(const config::Config& config,
                                                           const config::ExporterConfig& exporter);
    // Opens the capture. `exporters` are those that the meter will feed.
    Result<std::unique_ptr<MeterUnit>> prepare_meter(const CapturePlan& plan, const MeteringOptions& options,
                                                     const std::vector<ExporterUnit*>& exporters);
    // Ends the queues of a meter whose thread does not run (any more).
    static void discard(MeterUnit& meter);

    // For the meters that are prepared from now on.
    void observe_processes(std::shared_ptr<const ProcessTable> processes) { processes_ = std::move(processes); }

    void start(std::unique_ptr<ExporterUnit> exporter);
    void start(std::unique_ptr<MeterUnit> meter);
    void rewire(Rewiring change);
    bool rewired();  // every meter has taken the last change, and no capture that was replaced is left
    void look_at_interfaces();

    // What exporters tell of the process; once a second.
    void update_facts();

    // Every thread makes a ledger soon; numbers go up. The tables that have had more than
    // so many entries are not added up.
    void request_ledgers(std::uint64_t number, std::uint32_t most_entries);
    // What they have made. `answered` are those of this number or later, and those of
    // parts without a thread; the others have told nothing or something older.
    LedgerSnapshot ledgers(std::uint64_t number) const;

    void expire_all();
    void stop_meters();
    // Captures over a restart: by name, which says what they are for.
    void keep_captures();                                            // before stop_meters()
    std::vector<std::pair<std::string, int>> left_captures() const;  // when the meters have ended
    void seal_exporters();                                           // they end when their producers have
    // They end when their producers have, and at `deadline` at the latest: those
    // that still hold up a successor in half of the time.
    void stop_exporters(std::chrono::steady_clock::time_point deadline);

    bool meters_ended() const;
    bool exporters_ended() const;  // retiring ones included
    void warn_of_hanging_exporters() const;
    const std::vector<std::unique_ptr<MeterUnit>>& meters() const { return meters_; }
    const std::vector<std::unique_ptr<ExporterUnit>>& exporters() const { return exporters_; }
    // Since the start, parts that a reload removed included.
    PipelineTotals totals() const;
    ApplicationCountsByName applications() const;

private:
    void launch(ExporterUnit& exporter);
    void request_end(ExporterUnit& exporter);
    std::shared_ptr<AnnouncedSelector> selector_of(const CapturePlan& plan, std::uint32_t point);
    void retire(std::unique_ptr<MeterUnit> meter);
    bool close_replaced();
    void connect(MeterUnit& meter, Rewiring& change, const std::set<std::string>& fresh);
    void exporter_ended(std::uint64_t id);
    void warn_of_spool(const ExporterUnit& gone);
    void meter_ended(std::uint32_t id, Status outcome);
    void add(PipelineTotals& totals, const MeterUnit& meter) const;
    void add(PipelineTotals& totals, const ExporterUnit& exporter) const;

    boost::asio::io_context& context_;
    Logger& logger_;
    Logger mute_{LogLevel::kError, LogFormat::kText};  // of files that another meter reads and reports on, too
    std::function<void()> changed_;
    std::uint64_t next_exporter_id_ = 1;
    std::uint32_t next_meter_id_ = 1;
    std::map<std::string, std::uint32_t> point_ids_;  // by input; one that comes back has its former one
    std::shared_ptr<const ProcessTable> processes_;   // null: off
    std::uint32_t next_selector_id_ = 1;
    const std::uint64_t sampling_seed_;  // where none is configured
    const std::shared_ptr<SelectorList> selectors_ = std::make_shared<SelectorList>();
    std::map<std::string, std::weak_ptr<AnnouncedSelector>> announced_;  // by input
    std::shared_ptr<FlowBudget> budget_;                                 // of all meters; null: no limit
    PipelineTotals past_;                                                // of parts that are gone
    ApplicationCountsByName past_applications_;                          // of meters that are gone
    IgnoredPackets past_ignored_;                                        // of meters that are gone
    std::optional<MeterLedger> past_meters_;                             // their sums
    std::optional<ExporterLedger> past_exporters_;
    FactsWriter facts_;
    std::map<std::uint32_t, std::uint64_t> adoption_target_;  // by meter
    std::vector<std::shared_ptr<FanoutGroup>> switched_;      // the captures that they replace are there still
    std::vector<std::unique_ptr<ExporterUnit>> exporters_, retiring_exporters_;
    std::vector<std::unique_ptr<MeterUnit>> meters_, retiring_meters_;
};

}  // namespace nfstreamd::daemon
