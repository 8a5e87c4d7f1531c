// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics/metrics_text.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#define BOOST_BIND_GLOBAL_PLACEHOLDERS
#include <boost/property_tree/json_parser.hpp>
#include <boost/property_tree/ptree.hpp>

namespace nfstreamd::daemon {
namespace {

using Tree = boost::property_tree::ptree;

// Every counter has a number of its own.
class Numbers {
public:
    std::uint64_t next() { return next_ += 7; }

private:
    std::uint64_t next_ = 1'000'000;
};

void fill(MeteringProcess::CaptureTotals& totals, Numbers& numbers) {
    for (auto* counter : {&totals.frames, &totals.octets, &totals.truncated, &totals.filtered, &totals.kernel_dropped,
                          &totals.interface_dropped, &totals.unread, &totals.opens, &totals.failures})
        *counter = numbers.next();
    totals.up = true;
}

void fill(NamedCounts& counts, Numbers& numbers) {
    for (auto& [name, count] : counts) count = numbers.next();
}

template <class Destination>
void fill_destination(Destination& destination, Numbers& numbers) {
    destination.up = true;
    for (auto* counter : {&destination.records, &destination.messages, &destination.octets, &destination.templates,
                          &destination.failures, &destination.connects})
        *counter = numbers.next();
}

InterfaceStatus interface(const std::string& name, Numbers& numbers) {
    InterfaceStatus status;
    status.input = name;
    status.source.name = name + "/1";
    status.source.ring_octets = numbers.next();
    fill(status.capture, numbers);
    status.ignored = {{"not-ip", numbers.next()}, {"fragment", numbers.next()}};
    status.records = {{"idle", numbers.next()}, {"active", numbers.next()}};
    status.discarded = {{"flows", numbers.next()}, {"packets", numbers.next()}};
    for (auto* counter :
         {&status.capture.late,    &status.capture.early, &status.capture.duplicates,  &status.packets,
          &status.octets,          &status.cut,           &status.not_metered.packets, &status.not_metered.octets,
          &status.sampled_out,     &status.hash_filtered, &status.bad_checksum,        &status.offloaded_checksum,
          &status.merged_segments, &status.flows_active,  &status.flows_created,       &status.max_flows,
          &status.flow_octets,     &status.table_octets,  &status.prefaulted_octets,   &status.huge_page_octets,
          &status.clock_steps})
        *counter = numbers.next();
    status.selector.options.sampling.rate = static_cast<std::uint32_t>(numbers.next());
    status.longest_pause_us = 2'500;
    status.idle_timeout_ms = 11'500;
    status.ring_fill_percent = 81;
    status.expiry_lag.counts = {5, 0, 3, 0, 0, 0, 0, 0, 0, 0, 2};
    status.expiry_lag.sum_ns = 500'000'000;
    status.shed = nfstreamd::name(ShedLevel::kDissection);
    fill(status.overload, numbers);
    fill(status.enrichment, numbers);
    return status;
}

ExporterStatus exporter(const std::string& name, Numbers& numbers) {
    ExporterStatus status;
    status.name = name, status.type = "ipfix", status.destination = "udp://127.0.0.1:4739";
    fill_destination(status, numbers);
    for (auto* counter :
         {&status.queue_depth, &status.queue_limit, &status.filtered, &status.sampled_out, &status.elsewhere,
          &status.in_hand, &status.redelivered, &status.losses.records, &status.losses.packets, &status.losses.octets,
          &status.spool.records, &status.spool.octets, &status.spool.segments})
        *counter = numbers.next();
    status.dropped = {{"queue_full", numbers.next()}, {"unreachable", numbers.next()}};
    status.shortened = {{"strings", numbers.next()}, {"lists", numbers.next()}};
    status.spool.path = "/var/spool";
    fill(status.spool.counts, numbers);
    return status;
}

DaemonStatus filled() {
    Numbers numbers;
    DaemonStatus status;
    status.version = "1.2.3", status.instance = "edge \"1\"\\\n\xff";
    status.started = 1'770'000'000;
    status.reload.applied = numbers.next(), status.reload.rejected = numbers.next();
    status.enrichment = {{"asn", "/a.mmdb", "mmdb", numbers.next(), numbers.next()}};
    status.applications = {{"DNS", {numbers.next(), numbers.next(), numbers.next()}},
                           {"TLS.Google", {numbers.next(), numbers.next(), numbers.next()}}};
    status.interfaces = {interface("eth0", numbers), interface("lo", numbers)};
    InterfaceStatus group = interface("tap", numbers);
    for (const char* name : {"tap0", "tap1"}) {
        auto& member = group.members.emplace_back();
        member.source.name = name;
        member.source.ring_octets = numbers.next();
        fill(member.capture, numbers);
    }
    status.interfaces.push_back(group);
    status.plugins = {
        {"slicer", {1, 2, numbers.next(), numbers.next(), numbers.next(), numbers.next(), "it is slow", {}}}};
    status.exporters = {exporter("main", numbers), exporter("other", numbers)};
    for (const char* destination : {"tcp://a:1", "tcp://b:1", "tcp://b:1"}) {
        auto& collector = status.exporters[1].collectors.emplace_back();
        collector.destination = destination;
        collector.dropped = numbers.next();
        fill_destination(collector, numbers);
    }
    FlowExtensionStatus model;
    for (auto* counter : {&model.disabled, &model.errors, &model.slow_calls}) *counter = numbers.next();
    auto& scores = model.scores.emplace();
    for (auto* counter : {&scores.scored, &scores.early, &scores.unscored}) *counter = numbers.next();
    auto& shadow = scores.shadow.emplace(ScoreStatus::Shadow{});
    for (auto* counter : {&shadow.disabled, &shadow.compared, &shadow.agreed}) *counter = numbers.next();
    status.plugins.push_back({"app", model});
    return status;
}

std::string text_of(const DaemonStatus& status, const PipelineTotals& totals = {}) {
    ShownCounters shown;
    return metrics_text(status, totals, {}, shown);
}

// series -> value
std::map<std::string, double> samples_of(const std::string& text) {
    std::map<std::string, double> samples;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('#')) continue;
        const auto space = line.rfind(' ');
        REQUIRE_MESSAGE(samples.emplace(line.substr(0, space), std::stod(line.substr(space + 1))).second, line);
    }
    return samples;
}

// Numbers that the test has chosen, by their path.
void collect(const Tree& tree, const std::string& path, std::map<std::string, double>& numbers) {
    if (tree.empty()) {
        if (const auto number = tree.get_value_optional<double>(); number && *number >= 1'000'000 && *number < 2e9)
            numbers[path] = *number;
    }
    int index = 0;
    for (const auto& [key, child] : tree)
        collect(child, path + "/" + (key.empty() ? std::to_string(index++) : key), numbers);
}

TEST_CASE("metrics_text: every counter of the status is a metric") {
    const DaemonStatus status = filled();
    std::set<double> values;
    for (const auto& [series, value] : samples_of(text_of(status))) values.insert(value);
    Tree tree;
    std::istringstream json(status_json(status));
    boost::property_tree::read_json(json, tree);
    std::map<std::string, double> numbers;
    collect(tree, "", numbers);
    CHECK(numbers.size() > 200);
    int missing = 0;
    for (const auto& named : numbers) {
        const auto& path = named.first;
        const auto& number = named.second;
        const bool by_member = path.starts_with("/interfaces/2/") && path.find("/members/") == std::string::npos;
        const bool by_collector = path.starts_with("/exporters/1/") && path.find("/collectors/") == std::string::npos;
        if (values.contains(number)) continue;
        // what its members or collectors have, each for itself
        CAPTURE(path);
        const std::string key = path.substr(path.rfind('/') + 1);
        const std::set<std::string> of_capture = {
            "ring_octets",       "frames", "octets", "truncated", "filtered", "kernel_dropped",
            "interface_dropped", "unread", "opens",  "failures"};
        const std::set<std::string> of_destination = {"messages", "octets", "templates", "connects", "failures"};
        const bool expected = (by_member && of_capture.contains(key)) || (by_collector && of_destination.contains(key));
        CHECK(expected);
        ++missing;
    }
    CHECK(missing < 20);
}

TEST_CASE("metrics_text: names, types and units are as Prometheus wants them") {
    const std::string text = text_of(filled());
    std::map<std::string, std::string> types;
    std::set<std::string> helped;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string hash, kind, name, rest;
        words >> hash >> kind >> name >> rest;
        if (hash != "#") continue;
        CAPTURE(line);
        if (kind == "HELP") {
            CHECK(helped.insert(name).second);
            CHECK(line.ends_with('.'));
            continue;
        }
        CHECK(kind == "TYPE");
        CHECK(types.emplace(name, rest).second);
        CHECK((name.starts_with("nfstreamd_") || name.starts_with("process_")));
        CHECK((rest == "counter") == name.ends_with("_total"));
        for (const char* unit : {"_octets", "_ms", "_us", "_ns", "_percent", "_milliseconds"})
            CHECK(name.find(unit) == std::string::npos);
    }
    CHECK(types.size() > 80);
    CHECK(types.size() == helped.size());
}

TEST_CASE("metrics_text: labels, values and units") {
    auto status = filled();
    status.interfaces[0].capture.kernel_dropped = 9'007'199'254'740'992;
    const auto samples = samples_of(text_of(status));
    const auto value = [&](const std::string& series) {
        const auto found = samples.find(series);
        REQUIRE_MESSAGE(found != samples.end(), series);
        return found->second;
    };
    const std::string eth0 = R"({interface="eth0",meter="eth0/1")";
    CHECK(value("nfstreamd_interface_up" + eth0 + "}") == 1);
    CHECK(value("nfstreamd_capture_dropped_packets_total" + eth0 + ",reason=\"kernel\"}") == 9'007'199'254'740'992);
    CHECK(value("nfstreamd_plugin_instances{plugin=\"slicer\"}") == 1);
    CHECK(value("nfstreamd_plugin_disabled{plugin=\"slicer\"}") == 2);
    CHECK(value("nfstreamd_idle_timeout_seconds" + eth0 + "}") == 11.5);
    CHECK(value("nfstreamd_meter_longest_pause_seconds" + eth0 + "}") == 0.0025);
    CHECK(value("nfstreamd_capture_ring_fill_ratio" + eth0 + "}") == 0.81);
    CHECK(value("nfstreamd_overload_level" + eth0 + "}") == 2);
    CHECK(value("nfstreamd_flow_expiry_lag_seconds_bucket" + eth0 + ",le=\"0.01\"}") == 5);
    CHECK(value("nfstreamd_flow_expiry_lag_seconds_bucket" + eth0 + ",le=\"30\"}") == 8);
    CHECK(value("nfstreamd_flow_expiry_lag_seconds_bucket" + eth0 + ",le=\"+Inf\"}") == 10);
    CHECK(value("nfstreamd_flow_expiry_lag_seconds_count" + eth0 + "}") == 10);
    CHECK(value("nfstreamd_flow_expiry_lag_seconds_sum" + eth0 + "}") == 0.5);
    CHECK(value("nfstreamd_capture_packets_total{interface=\"tap0\",meter=\"tap/1\"}") ==
          static_cast<double>(status.interfaces[2].members[0].capture.frames));
    CHECK(value("nfstreamd_probe_info{name=\"edge \\\"1\\\"\\\\\\n\xEF\xBF\xBD\"}") == 1);
    CHECK(value("process_start_time_seconds") == 1'770'000'000);
    CHECK(value("nfstreamd_config_last_reload_success_timestamp_seconds") == 1'770'000'000);
    CHECK(value("nfstreamd_export_records_total{exporter=\"main\",collector=\"udp://127.0.0.1:4739\"}") ==
          static_cast<double>(status.exporters[0].records));
    CHECK(value("nfstreamd_collector_dropped_records_total{exporter=\"other\",collector=\"tcp://b:1 #2\"}") ==
          static_cast<double>(status.exporters[1].collectors[2].dropped));
    CHECK(value("nfstreamd_dpi_flows_total{protocol=\"TLS.Google\"}") ==
          static_cast<double>(status.applications["TLS.Google"].flows));
    CHECK(value("nfstreamd_model_shadow_agreed_flows_total{model=\"app\"}") ==
          static_cast<double>(status.plugins[1].counts.scores->shadow->agreed));
    CHECK_FALSE(samples.contains("nfstreamd_model_scored_flows_total{model=\"slicer\"}"));
}

TEST_CASE("metrics_text: the last reload") {
    DaemonStatus status;
    status.started = 1000;
    const auto value = [&](const char* series) { return samples_of(text_of(status)).at(series); };
    CHECK(value("nfstreamd_config_last_reload_successful") == 1);  // none yet: what it began with is in use
    status.reload.result = "rejected";
    CHECK(value("nfstreamd_config_last_reload_successful") == 0);
    CHECK(value("nfstreamd_config_last_reload_success_timestamp_seconds") == 1000);
    status.reload.result = "applied", status.reload.applied_time = 2000;
    CHECK(value("nfstreamd_config_last_reload_successful") == 1);
    CHECK(value("nfstreamd_config_last_reload_success_timestamp_seconds") == 2000);
}

TEST_CASE("metrics_text: a counter never shows less than before, unless another exporter has taken its place") {
    ShownCounters shown;
    DaemonStatus status = filled();
    const auto records = [&] {
        return samples_of(metrics_text(status, {}, {}, shown))
            .at("nfstreamd_exporter_records_total{exporter=\"main\"}");
    };
    status.exporters[0].id = 1, status.exporters[0].records = 100;
    CHECK(records() == 100);
    status.exporters[0].records = 93;  // seven turned out lost
    CHECK(records() == 100);
    CHECK(records() == 100);
    status.exporters[0].records = 101;
    CHECK(records() == 101);
    status.exporters[0].id = 5, status.exporters[0].records = 2;
    CHECK(records() == 2);
}

TEST_CASE("process_usage: tells of this process") {
    const auto usage = process_usage();
    CHECK(usage.resident_octets > 1'000'000);
    CHECK(usage.virtual_octets >= usage.resident_octets);
    CHECK(usage.open_files >= 3);
    CHECK(usage.open_files < usage.max_files);
    CHECK(usage.threads >= 1);
    CHECK(usage.cpu_seconds > 0);
}

}  // namespace
}  // namespace nfstreamd::daemon
