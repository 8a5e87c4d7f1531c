// SPDX-License-Identifier: Apache-2.0
// From the configuration to parts: what is to be captured, exporters, metering
// processes. Makes, but starts and opens nothing. Control thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "config/config.hpp"
#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/export/exporting_process.hpp"
#include "core/metering/metering_process.hpp"
#include "core/record/process_facts.hpp"
#include "core/record/template.hpp"
#include "core/selection/selector_list.hpp"

namespace nfstreamd::daemon {

// One metering process's input: an interface, capture files in order, or a group
// of either as one in time stamp order; or its share of them.
struct CapturePlan {
    std::string name;                     // unique: "eth0", "files", the group; "eth0/1" of several meters
    std::string input;                    // "eth0", "files", the group
    std::vector<std::string> files = {};  // empty: live
    CaptureOptions options = {};          // of what is no group

    struct Member {
        std::string name;  // interface or file
        CaptureOptions options;
        FanoutMember fanout = {};
    };
    std::vector<Member> members = {};  // of a group, in the order of the configuration
    MergeOptions merge = {};
    FlowShare share = {};
    FanoutMember fanout = {};  // live, of several meters
    PacketSelectionOptions selection{};

    bool offline() const { return !files.empty(); }
};

// The interfaces of a live plan, one or those of a group.
struct Link {
    const std::string& name;
    const CaptureOptions& options;
    FanoutMember& fanout;
};
std::vector<Link> links_of(CapturePlan& plan);

// The name under which a capture waits for the next process, and captures that have been left to those plans whose
// rings they are. The rest is closed.
std::string left_name(unsigned member, std::uint64_t unread, const std::string& ring);
void use_left_captures(std::vector<CapturePlan>& plans, const std::vector<std::pair<std::string, int>>& left);

// What it costs a meter to capture as in `b` what it captures as in `a`.
enum class CaptureDifference { kNone, kLive, kReopen };
CaptureDifference difference(const CapturePlan& a, const CapturePlan& b);

// Of this machine when first asked: the meters of a running daemon are compared
// by it, whatever comes and goes.
unsigned processors_at_start();

// Names of the interfaces that an entry captures now.
std::vector<std::string> captured_interfaces(const config::CaptureConfig& capture);
// Finds out what its patterns match: each of `present` once, none that is named
// somewhere. False: there is no pattern.
bool match_interfaces(config::Config& config, const std::vector<std::string>& present);
std::vector<std::string> present_interfaces();

// How many meters share an input, and why not as many as the operator wants.
struct MeterCount {
    unsigned count = 1;
    std::string problem;
};
MeterCount meter_count(const config::Config& config, const config::CaptureConfig& capture,
                       unsigned processors = processors_at_start());

std::vector<CapturePlan> capture_plans(const config::Config& config, unsigned processors = processors_at_start());
bool is_file_run(const config::Config& config);

// An exporter that owns a path: it fails at once or not at all, and its
// successor must wait until it has closed.
bool writes_a_file(const config::ExporterConfig& exporter);
bool is_exclusive(const config::ExporterConfig& exporter);
// `wanted`, to follow `before` in the same file: what is in it stays, as long as
// the fields are the same.
config::ExporterConfig continuing(const config::ExporterConfig& before, config::ExporterConfig wanted);
bool writes_to_stdout(const config::Config& config);

// What exporters tell of the process beside its records; none of it need be there.
struct ToldOfProcess {
    std::shared_ptr<const SelectorList> selectors{};
    std::shared_ptr<const ProcessFacts> facts{};
    std::uint32_t exporting_process = 0;  // IE 144, of this exporter
};
Result<std::unique_ptr<Exporter>> make_exporter(const config::Config& config, const config::ExporterConfig& exporter,
                                                Logger& logger, ToldOfProcess told = {});
Result<std::unique_ptr<ExportingProcess>> make_exporting_process(const config::Config& config,
                                                                 const config::ExporterConfig& exporter, Logger& logger,
                                                                 ToldOfProcess told = {});

std::unique_ptr<PacketSource> make_source(const CapturePlan& plan, Logger& logger);
// Of a group: the interfaces that it is to have, without those that it keeps.
Regrouping make_regrouping(const CapturePlan& plan);
// `source` becomes the input of the process numbered `number` at the observation point `point`.
std::unique_ptr<MeteringProcess> make_metering_process(const CapturePlan& plan, std::uint32_t point,
                                                       std::uint32_t number, const MeteringOptions& options,
                                                       std::unique_ptr<PacketSource> source,
                                                       std::vector<std::shared_ptr<RecordQueue>> outputs,
                                                       Logger& logger, PacketSelector selector = {});

}  // namespace nfstreamd::daemon
