// SPDX-License-Identifier: Apache-2.0
#include "daemon/assembly.hpp"

#include <fmt/format.h>
#include <fnmatch.h>
#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "core/capture/fanout.hpp"
#include "core/metering/field_groups.hpp"
#include "exporters/anonymize/anonymizing_exporter.hpp"
#include "exporters/registry.hpp"
#include "exporters/session/collector_settings.hpp"

namespace nfstreamd::daemon {
namespace {

// All records of this process are of one observation domain; its metering
// processes are told apart by observationPointId.
constexpr std::uint32_t kObservationDomain = 1;

// A file run loses nothing by being early, but must end when a collector does
// not come back. A file that cannot be written will not get better by waiting.
constexpr std::chrono::milliseconds kFileRunRetry{200}, kFileRunMostRetry{2000}, kCollectorPatience{10'000},
    kPathPatience{1};

constexpr std::string_view kRetryInterval = "retry_interval";
constexpr std::string_view kPath = "path", kAppend = "append", kFields = "fields", kSchema = "schema",
                           kAnonymized = "columns_to_anonymize", kAnonymizationKey = "anonymization_key",
                           kSpoolDirectory = "spool.directory";

bool has_setting(const exporters::ExporterType& type, std::string_view name) {
    return std::any_of(type.settings.begin(), type.settings.end(),
                       [name](const config::SettingSpec& spec) { return spec.name == name; });
}

std::string schema_of(const config::ExporterConfig& exporter) {
    const auto* type = exporters::find_exporter_type(exporter.type);
    return type && has_setting(*type, kSchema) ? exporter.settings.string(kSchema) : std::string();
}

std::shared_ptr<const exporters::AnonymizationPlan> plan_of(const exporters::AnonymizationOptions& options) {
    if (!options.on()) return nullptr;
    return std::make_shared<const exporters::AnonymizationPlan>(options);
}

// Whether both hide the same; settings at fault are like no others.
bool same_anonymization(const config::Settings& before, const config::Settings& wanted) {
    const auto one = exporters::anonymization_options(before), other = exporters::anonymization_options(wanted);
    return one && other && one.value() == other.value();
}

// The first file that can be read only once: standard input, a pipe.
std::string pipe_among(const std::vector<std::string>& files) {
    for (const auto& file : files) {
        struct stat status {};
        if (file == "-") return "standard input";
        if (::stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) return file;
    }
    return {};
}

bool is_pattern(const std::string& interface) {
    return interface.find_first_of("*?[") != std::string::npos;
}

void add_plans(std::vector<CapturePlan>& plans, const CapturePlan& whole, unsigned meters) {
    if (meters == 1 && whole.offline()) return plans.push_back(whole);
    const auto share_of = [&](const std::string& interface, const CaptureOptions& options) {
        return whole.offline() ? nullptr : make_fanout_group(interface, options, meters);
    };
    std::vector<std::shared_ptr<FanoutGroup>> fanouts;  // of the members
    for (const auto& member : whole.members) fanouts.push_back(share_of(member.name, member.options));
    const auto fanout = whole.members.empty() ? share_of(whole.input, whole.options) : nullptr;
    for (unsigned i = 0; i < meters; ++i) {
        CapturePlan& plan = plans.emplace_back(whole);
        if (meters > 1) plan.name = fmt::format("{}/{}", whole.input, i);
        plan.share = {i, meters};
        plan.fanout = {fanout, i};
        for (std::size_t m = 0; m < fanouts.size(); ++m) plan.members[m].fanout = {fanouts[m], i};
    }
}

void add_members(CapturePlan& group, const config::CaptureConfig& capture) {
    auto options = capture.options;
    options.block_timeout = block_timeout(capture.merge);
    for (const auto& interface : captured_interfaces(capture)) group.members.push_back({interface, options});
    for (const auto& file : capture.pcap) {
        group.members.push_back({file, capture.options});
        group.files.push_back(file);
    }
}

std::unique_ptr<PacketSource> make_merged_source(const CapturePlan& plan, Logger& logger) {
    constexpr int kVectorsPerPoll = 4;  // of each file so much waits for the others
    std::vector<std::unique_ptr<PacketSource>> members;
    int snapshot_length = std::numeric_limits<int>::max();
    for (const auto& member : plan.members) {
        members.push_back(plan.offline() ? make_file_source({member.name}, member.options, logger, kVectorsPerPoll)
                                         : make_live_source(member.name, member.options, logger, member.fanout));
        snapshot_length = std::min(snapshot_length, member.options.snapshot_length);
    }
    return plan.offline() ? make_merged_files(std::move(members), plan.merge, snapshot_length)
                          : make_merged_links(std::move(members), plan.merge, snapshot_length);
}

SpoolOptions spool_of(const config::ExporterConfig& exporter) {
    const auto* type = exporters::find_exporter_type(exporter.type);
    return type && type->network ? exporters::spool_options(exporter.settings) : SpoolOptions{};
}

// A file run waits for its collector, so that there is nothing to spool.
Result<SpoolOptions> spool_to_use(const config::Config& config, const config::ExporterConfig& exporter,
                                  Logger& logger) {
    SpoolOptions spool = spool_of(exporter);
    if (spool.directory.empty()) return spool;
    if (is_file_run(config)) {
        logger.warning("a run of capture files has no spool", {{"exporter", exporter.name}});
        return SpoolOptions{};
    }
    if (auto usable = SpoolFolder(spool.directory, exporter.name).check(); !usable)
        return Error{usable.error().code, "spool.directory: " + usable.error().text(),
                     exporter.settings.where(kSpoolDirectory)};
    return spool;
}

}  // namespace

std::vector<std::string> captured_interfaces(const config::CaptureConfig& capture) {
    std::vector<std::string> names;
    std::copy_if(capture.interfaces.begin(), capture.interfaces.end(), std::back_inserter(names),
                 std::not_fn(is_pattern));
    names.insert(names.end(), capture.matches.begin(), capture.matches.end());
    return names;
}

bool match_interfaces(config::Config& config, const std::vector<std::string>& present) {
    std::set<std::string> taken;
    bool some = false;
    for (const auto& capture : config.capture) taken.insert(capture.interfaces.begin(), capture.interfaces.end());
    for (auto& capture : config.capture) {
        capture.matches.clear();
        for (const auto& pattern : capture.interfaces) {
            if (!is_pattern(pattern)) continue;
            some = true;
            for (const auto& interface : present)
                if (::fnmatch(pattern.c_str(), interface.c_str(), 0) == 0 && taken.insert(interface).second)
                    capture.matches.push_back(interface);
        }
    }
    return some;
}

std::vector<std::string> present_interfaces() {
    std::vector<std::string> names;
    const std::unique_ptr<struct if_nameindex, decltype(&::if_freenameindex)> all(::if_nameindex(),
                                                                                  &::if_freenameindex);
    if (!all) return names;
    for (const auto* one = all.get(); one->if_name != nullptr; ++one) names.emplace_back(one->if_name);
    return names;
}

unsigned processors_at_start() {
    static const unsigned count = std::thread::hardware_concurrency();
    return count;
}

// Live, nfstream's rule: one processor is left to the rest.
MeterCount meter_count(const config::Config& config, const config::CaptureConfig& capture, unsigned processors) {
    if (!capture.pcap.empty()) {
        if (capture.n_meters <= 1) return {};
        if (config.metering.compatibility == Generation::kNfstream0)
            return {1, "nfstream 0.x ends flows when any flow begins: one meter reads the files"};
        if (const auto pipe = pipe_among(capture.pcap); !pipe.empty())
            return {1, fmt::format("{} can be read only once: one meter reads it", pipe)};
        return {capture.n_meters, {}};
    }
    const unsigned most = std::max(processors, 2u) - 1;
    if (capture.n_meters <= most) return {capture.n_meters == 0 ? most : capture.n_meters, {}};
    return {most, fmt::format("{} meters would contend for {} processors: there will be {}", capture.n_meters,
                              processors, most)};
}

std::vector<CapturePlan> capture_plans(const config::Config& config, unsigned processors) {
    std::vector<CapturePlan> inputs;
    std::vector<unsigned> meters;               // of each input
    std::map<std::string, std::size_t> groups;  // to inputs
    const auto add_input = [&](CapturePlan whole, unsigned count) {
        inputs.push_back(std::move(whole));
        meters.push_back(count);
    };
    std::size_t file_inputs = 0;
    for (const auto& capture : config.capture) {
        const unsigned count = meter_count(config, capture, processors).count;
        if (!capture.group.empty()) {
            const auto [group, fresh] = groups.try_emplace(capture.group, inputs.size());
            if (fresh)
                add_input({.name = capture.group,
                           .input = capture.group,
                           .merge = capture.merge,
                           .selection = capture.selection},
                          count);
            add_members(inputs[group->second], capture);
            meters[group->second] = std::min(meters[group->second], count);  // less for a pipe
            continue;
        }
        for (const auto& interface : captured_interfaces(capture))
            add_input(
                {.name = interface, .input = interface, .options = capture.options, .selection = capture.selection},
                count);
        if (capture.pcap.empty()) continue;
        // entries have options of their own, so each is an input of its own
        const auto name = ++file_inputs == 1 ? std::string("files") : fmt::format("files{}", file_inputs);
        add_input({.name = name,
                   .input = name,
                   .files = capture.pcap,
                   .options = capture.options,
                   .selection = capture.selection},
                  count);
    }
    std::vector<CapturePlan> plans;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto group = groups.find(inputs[i].name);
        const bool is_group = group != groups.end() && group->second == i;
        if (!is_group || !inputs[i].members.empty())  // a group that nothing matches
            add_plans(plans, inputs[i], meters[i]);
    }
    return plans;
}

std::vector<Link> links_of(CapturePlan& plan) {
    std::vector<Link> links;
    if (plan.offline()) return links;
    for (auto& member : plan.members) links.push_back({member.name, member.options, member.fanout});
    if (plan.members.empty()) links.push_back({plan.input, plan.options, plan.fanout});
    return links;
}

std::string left_name(unsigned member, std::uint64_t unread, const std::string& ring) {
    return fmt::format("capture/{}/{}/{}", member, unread, ring);
}

void use_left_captures(std::vector<CapturePlan>& plans, const std::vector<std::pair<std::string, int>>& left) {
    std::map<std::string, std::vector<FanoutGroup::Left>> by_ring;
    for (const auto& [name, descriptor] : left) {
        FanoutGroup::Left one{0, descriptor, 0};
        int length = 0;
        if (std::sscanf(name.c_str(), "capture/%u/%" SCNu64 "/%n", &one.member, &one.unread, &length) == 2 &&
            length > 0)
            by_ring[name.substr(static_cast<std::size_t>(length))].push_back(one);
        else
            ::close(descriptor);
    }
    for (auto& plan : plans)
        for (const auto& link : links_of(plan))
            if (auto found = by_ring.extract(link.fanout.index == 0 ? link.fanout.group->ring_name() : std::string()))
                link.fanout.group->use_left(std::move(found.mapped()));
    for (const auto& [ring, unused] : by_ring)
        for (const auto& one : unused) ::close(one.descriptor);
}

CaptureDifference difference(const CapturePlan& a, const CapturePlan& b) {
    const bool same_members = std::equal(a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
                                         [](const auto& one, const auto& other) { return one.name == other.name; });
    if (a.files != b.files || a.share != b.share || !same_members || a.merge.reorder_window != b.merge.reorder_window ||
        !same_ring(a.options, b.options))
        return CaptureDifference::kReopen;
    bool same = a.options == b.options && a.selection == b.selection && a.merge == b.merge;
    for (std::size_t i = 0; i < a.members.size(); ++i) {
        if (!same_ring(a.members[i].options, b.members[i].options)) return CaptureDifference::kReopen;
        same = same && a.members[i].options == b.members[i].options;
    }
    return same ? CaptureDifference::kNone : CaptureDifference::kLive;
}

bool is_file_run(const config::Config& config) {
    return std::any_of(config.capture.begin(), config.capture.end(), [](const auto& c) { return !c.pcap.empty(); });
}

bool writes_a_file(const config::ExporterConfig& exporter) {
    const auto* type = exporters::find_exporter_type(exporter.type);
    if (!type) return false;
    return type->writes_path && has_setting(*type, kPath) && !exporter.settings.string(kPath).empty();
}

bool is_exclusive(const config::ExporterConfig& exporter) {
    const auto* type = exporters::find_exporter_type(exporter.type);
    return (type && type->exclusive) || writes_a_file(exporter) || !spool_of(exporter).directory.empty();
}

config::ExporterConfig continuing(const config::ExporterConfig& before, config::ExporterConfig wanted) {
    const auto* type = exporters::find_exporter_type(wanted.type);
    const auto same = [&](std::string_view list) {
        return !has_setting(*type, list) || before.settings.strings(list) == wanted.settings.strings(list);
    };
    // other pseudonyms for the same values begin a file of their own
    const bool same_key = !has_setting(*type, kAnonymizationKey) || before.type != wanted.type ||
                          before.settings.string(kAnonymizationKey) == wanted.settings.string(kAnonymizationKey);
    const bool same_file = before.type == wanted.type && writes_a_file(before) && writes_a_file(wanted) &&
                           before.settings.string(kPath) == wanted.settings.string(kPath) &&
                           before.settings.strings(kFields) == wanted.settings.strings(kFields) &&
                           schema_of(before) == schema_of(wanted) && same(kAnonymized) && same_key &&
                           same_anonymization(before.settings, wanted.settings);
    if (same_file && has_setting(*type, kAppend))
        wanted.settings.set(std::string(kAppend), true, wanted.settings.where(kAppend), true);
    return wanted;
}

bool writes_to_stdout(const config::Config& config) {
    return std::any_of(config.exporters.begin(), config.exporters.end(), [](const auto& exporter) {
        return writes_a_file(exporter) && exporter.settings.string(kPath) == "-";
    });
}

Result<std::unique_ptr<Exporter>> make_exporter(const config::Config& config, const config::ExporterConfig& exporter,
                                                Logger& logger, ToldOfProcess told) {
    const auto* type = exporters::find_exporter_type(exporter.type);
    if (!type)
        return Error{ErrorCode::kInvalidArgument, fmt::format("unknown exporter type '{}'", exporter.type),
                     exporter.where};
    if (!spool_of(exporter).directory.empty() && writes_a_file(exporter))
        return Error{ErrorCode::kInvalidArgument, "spool: a file needs none, leave it or `path` out",
                     exporter.settings.where(kSpoolDirectory)};
    const auto anonymization = exporters::anonymization_options(exporter.settings);
    if (!anonymization) return anonymization.error();
    config::Settings settings = exporter.settings;
    if (is_file_run(config) && type->network) settings.set(std::string(kSpoolDirectory), std::string(), "", false);
    auto made = type->make({.name = exporter.name,
                            .settings = settings,
                            .groups = field_groups(config.metering),
                            .private_enterprise_number = config.private_enterprise_number,
                            .observation_domain = kObservationDomain,
                            .logger = logger,
                            .selectors = std::move(told.selectors),
                            .facts = std::move(told.facts),
                            .exporting_process = told.exporting_process,
                            .anonymization = plan_of(anonymization.value())});
    if (!made) return made;
    return exporters::anonymized(std::move(made.value()), anonymization.value());
}

Result<std::unique_ptr<ExportingProcess>> make_exporting_process(const config::Config& config,
                                                                 const config::ExporterConfig& exporter, Logger& logger,
                                                                 ToldOfProcess told) {
    auto made = make_exporter(config, exporter, logger, std::move(told));
    if (!made) return made.error();
    auto selector = exporters::make_record_selector(exporter.settings, field_groups(config.metering), exporter.share);
    if (!selector) return selector.error();
    auto options = exporters::exporting_options(exporter.settings);
    if (has_setting(*exporters::find_exporter_type(exporter.type), kRetryInterval) &&
        exporters::has_stream(exporter.settings))
        options.retry_min = options.retry_max = exporter.settings.duration(kRetryInterval);
    if (is_file_run(config)) {
        options.wait_for_room = true;
        options.retry_min = kFileRunRetry;
        options.retry_max = kFileRunMostRetry;
        options.give_up_after = writes_a_file(exporter) ? kPathPatience : kCollectorPatience;
    }
    auto spool = spool_to_use(config, exporter, logger);
    if (!spool) return spool.error();
    options.spool = std::move(spool.value());
    return std::make_unique<ExportingProcess>(exporter.name, exporter.type, std::move(made.value()), options, logger,
                                              std::move(selector.value()));
}

std::unique_ptr<PacketSource> make_source(const CapturePlan& plan, Logger& logger) {
    if (!plan.members.empty()) return make_merged_source(plan, logger);
    return plan.offline() ? make_file_source(plan.files, plan.options, logger)
                          : make_live_source(plan.input, plan.options, logger, plan.fanout);
}

Regrouping make_regrouping(const CapturePlan& plan) {
    Regrouping made;
    made.merge = plan.merge;
    made.snapshot_length = std::numeric_limits<int>::max();
    for (const auto& member : plan.members) {
        made.interfaces.push_back(member.name);
        made.snapshot_length = std::min(made.snapshot_length, member.options.snapshot_length);
    }
    return made;
}

std::unique_ptr<MeteringProcess> make_metering_process(const CapturePlan& plan, std::uint32_t point,
                                                       std::uint32_t number, const MeteringOptions& options,
                                                       std::unique_ptr<PacketSource> source,
                                                       std::vector<std::shared_ptr<RecordQueue>> outputs,
                                                       Logger& logger, PacketSelector selector) {
    return std::make_unique<MeteringProcess>(ObservationPoint{point, plan.name, plan.offline(), plan.share, number},
                                             options, std::move(source), std::move(outputs), logger,
                                             std::move(selector));
}

}  // namespace nfstreamd::daemon
