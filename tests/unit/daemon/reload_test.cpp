// SPDX-License-Identifier: Apache-2.0
#include "daemon/reload.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/enrichment/enrichment_tables.hpp"
#include "daemon/assembly.hpp"

namespace nfstreamd::daemon {
namespace {

using Names = std::vector<std::string>;
using namespace std::chrono_literals;

config::ExporterConfig exporter(std::string name, std::string path = "/x", std::string type = "csv") {
    config::ExporterConfig made{std::move(name), std::move(type), {}, "f.yaml:1:1"};
    made.settings.set("path", path, "f.yaml:2:2", true);
    return made;
}

config::CaptureConfig capture(Names interfaces, std::string filter = "") {
    config::CaptureConfig made;
    made.interfaces = std::move(interfaces);
    made.options.bpf_filter = std::move(filter);
    made.n_meters = 1;
    return made;
}

config::Config base() {
    config::Config config;
    config.instance = "probe";
    config.capture = {capture({"eth0", "eth1"})};
    config.exporters = {exporter("a"), exporter("b", "/y")};
    return config;
}

void check_nothing_changes(const ReloadPlan& plan) {
    CHECK(plan.interfaces_added.empty());
    CHECK(plan.interfaces_removed.empty());
    CHECK(plan.interfaces_changed.empty());
    CHECK(plan.interfaces_reopened.empty());
    CHECK(plan.exporters_added.empty());
    CHECK(plan.exporters_removed.empty());
    CHECK(plan.exporters_replaced.empty());
    CHECK(plan.needs_restart.empty());
    CHECK_FALSE(plan.metering_changed);
    CHECK_FALSE(plan.log_changed);
    CHECK_FALSE(plan.control_changed);
    CHECK_FALSE(plan.report_changed);
}

TEST_CASE("reload diff: the same configuration changes nothing") {
    check_nothing_changes(diff(base(), base()));
    check_nothing_changes(diff({}, {}));
}

TEST_CASE("reload diff: places and order in the file are no change") {
    auto wanted = base();
    wanted.capture = {capture({"eth1"}), capture({"eth0"})};
    wanted.exporters = {exporter("b", "/y"), exporter("a")};
    for (auto& e : wanted.exporters) e.settings.set("path", e.settings.string("path"), "g.yaml:9:9", true);
    wanted.files = {"g.yaml"};
    check_nothing_changes(diff(base(), wanted));
}

TEST_CASE("reload diff: interfaces are added and removed by name") {
    auto wanted = base();
    wanted.capture = {capture({"eth1", "eth2"}), capture({"lo"}, "udp")};
    const auto plan = diff(base(), wanted);
    CHECK(plan.interfaces_added == Names{"eth2", "lo"});
    CHECK(plan.interfaces_removed == Names{"eth0"});
    CHECK(plan.interfaces_reopened.empty());
    CHECK_FALSE(plan.exporters_changed());
}

TEST_CASE("reload diff: another number of meters replaces all meters of the interface") {
    auto running = base(), wanted = base();
    // whatever the machine: several capture files stand for an interface with several meters
    for (auto* config : {&running, &wanted}) {
        config->capture = {capture({"eth0"}), config::CaptureConfig{}};
        config->capture[1].pcap = {"/a.pcap"};
        config->capture[1].n_meters = 3;
    }
    check_nothing_changes(diff(running, wanted));
    wanted.capture[1].n_meters = 2;
    auto plan = diff(running, wanted);
    CHECK(plan.interfaces_added == Names{"files/0", "files/1"});
    CHECK(plan.interfaces_removed == Names{"files/2", "files/0", "files/1"});
    CHECK(plan.interfaces_reopened.empty());
    wanted.capture[1].n_meters = 1;
    plan = diff(running, wanted);
    CHECK(plan.interfaces_added == Names{"files"});
    CHECK(plan.interfaces_removed == Names{"files/0", "files/1", "files/2"});
}

TEST_CASE("reload diff: an option of a capture is taken in place, or needs another ring, of its interfaces alone") {
    const auto plan_of = [](auto change) {
        auto wanted = base();
        wanted.capture = {capture({"eth0"}), capture({"eth1"})};
        change(wanted.capture[1].options);
        return diff(base(), wanted);
    };
    const auto reopened = [&](auto change) {
        const auto plan = plan_of(change);
        CHECK(plan.interfaces_changed.empty());
        return plan.interfaces_reopened;
    };
    const auto changed = [&](auto change) {
        const auto plan = plan_of(change);
        CHECK(plan.interfaces_reopened.empty());
        return plan.interfaces_changed;
    };
    check_nothing_changes(plan_of([](CaptureOptions&) {}));
    CHECK(changed([](CaptureOptions& o) { o.bpf_filter = "udp"; }) == Names{"eth1"});
    CHECK(changed([](CaptureOptions& o) { o.checksum = ChecksumMode::kIgnore; }) == Names{"eth1"});
    CHECK(changed([](CaptureOptions& o) { o.required = true; }) == Names{"eth1"});
    CHECK(reopened([](CaptureOptions& o) { o.promiscuous_mode = false; }) == Names{"eth1"});
    CHECK(reopened([](CaptureOptions& o) { o.snapshot_length = 96; }) == Names{"eth1"});
    CHECK(reopened([](CaptureOptions& o) { o.socket_buffer_size = 1 << 20; }) == Names{"eth1"});
    CHECK(reopened([](CaptureOptions& o) { o.timestamp_type = "host"; }) == Names{"eth1"});
    CHECK(reopened([](CaptureOptions& o) { o.timestamp_precision = TimestampPrecision::kNano; }) == Names{"eth1"});
    CHECK(reopened([](CaptureOptions& o) {
              o.bpf_filter = "udp";
              o.snapshot_length = 96;
          }) == Names{"eth1"});
}

TEST_CASE("reload diff: other packet selection is taken by the capture that has it") {
    auto wanted = base();
    wanted.capture = {capture({"eth0"}), capture({"eth1"})};
    wanted.capture[0].selection.sampling.rate = 10;
    wanted.capture[1].selection.hash = {{"src_ip"}, 0.5, 1};
    CHECK(diff(base(), wanted).interfaces_changed == Names{"eth0", "eth1"});
    CHECK(diff(base(), wanted).interfaces_reopened.empty());
    CHECK(diff(base(), wanted).needs_restart.empty());
    wanted.capture[1].selection = {};
    CHECK(diff(base(), wanted).interfaces_changed == Names{"eth0"});
    CHECK_FALSE(diff(base(), wanted).exporters_changed());
}

TEST_CASE("reload diff: interfaces that a pattern matches come and go") {
    auto running = base();
    running.capture = {capture({"eth*", "lo"})};
    CHECK(match_interfaces(running, {"eth1", "lo", "wlan0"}));
    CHECK(captured_interfaces(running.capture[0]) == Names{"lo", "eth1"});
    auto wanted = running;
    CHECK(match_interfaces(wanted, {"lo", "eth2"}));
    const auto plan = diff(running, wanted);
    CHECK(plan.interfaces_added == Names{"eth2"});
    CHECK(plan.interfaces_removed == Names{"eth1"});
    CHECK(plan.interfaces_differ());
    running.capture[0].group = wanted.capture[0].group = "tap";
    CHECK(diff(running, wanted).interfaces_reopened == Names{"tap"});
    CHECK(diff(running, wanted).interfaces_added.empty());
}

TEST_CASE("match_interfaces: each interface once, the first pattern has it, a name goes before all patterns") {
    auto config = base();
    config.capture = {capture({"e*"}), capture({"eth[0-9]", "en?"}), capture({"eth5"})};
    CHECK(match_interfaces(config, {"eth0", "eth5", "en0", "wlan0", "enx"}));
    CHECK(config.capture[0].matches == Names{"eth0", "en0", "enx"});
    CHECK(config.capture[1].matches.empty());
    CHECK(captured_interfaces(config.capture[2]) == Names{"eth5"});
    CHECK(capture_plans(config).size() == 4);
    CHECK(match_interfaces(config, {}));
    CHECK(config.capture[0].matches.empty());
    config.capture = {capture({"eth0"})};
    CHECK_FALSE(match_interfaces(config, {"eth0"}));
}

TEST_CASE("reload diff: a group is one capture, opened anew when its members or its windows change") {
    const auto grouped = [](auto change) {
        auto running = base();
        running.capture[0].group = "tap";
        auto wanted = running;
        change(wanted.capture);
        return diff(running, wanted);
    };
    check_nothing_changes(grouped([](auto&) {}));
    CHECK(grouped([](auto& c) { c[0].interfaces.push_back("eth2"); }).interfaces_reopened == Names{"tap"});
    CHECK(grouped([](auto& c) { c[0].interfaces.pop_back(); }).interfaces_reopened == Names{"tap"});
    CHECK(grouped([](auto& c) { c[0].options.bpf_filter = "udp"; }).interfaces_changed == Names{"tap"});
    CHECK(grouped([](auto& c) { c[0].options.snapshot_length = 99; }).interfaces_reopened == Names{"tap"});
    CHECK(grouped([](auto& c) { c[0].merge.reorder_window = 20ms; }).interfaces_reopened == Names{"tap"});
    CHECK(grouped([](auto& c) { c[0].merge.deduplicate = 20ms; }).interfaces_changed == Names{"tap"});
    const auto dissolved = grouped([](auto& c) { c[0].group.clear(); });
    CHECK(dissolved.interfaces_removed == Names{"tap"});
    CHECK(dissolved.interfaces_added == Names{"eth0", "eth1"});
}

TEST_CASE("reload diff: the performance report is set at once") {
    auto wanted = base();
    wanted.performance_report = 5s;
    const auto plan = diff(base(), wanted);
    CHECK(plan.report_changed);
    CHECK(plan.needs_restart.empty());
    CHECK_FALSE(plan.metering_changed);
    CHECK(keep_until_restart(base(), wanted).performance_report == 5s);
}

TEST_CASE("reload diff: exporters are added, removed and replaced by name") {
    auto wanted = base();
    wanted.exporters = {exporter("b", "/z"), exporter("c")};
    const auto plan = diff(base(), wanted);
    CHECK(plan.exporters_added == Names{"c"});
    CHECK(plan.exporters_removed == Names{"a"});
    CHECK(plan.exporters_replaced == Names{"b"});
    CHECK(plan.exporters_changed());
}

TEST_CASE("reload diff: another type under the same name is a replacement") {
    auto wanted = base();
    wanted.exporters[0] = exporter("a", "/x", "json");
    const auto plan = diff(base(), wanted);
    CHECK(plan.exporters_replaced == Names{"a"});
    CHECK(plan.exporters_added.empty());
    CHECK(plan.exporters_removed.empty());
}

TEST_CASE("reload diff: a renamed exporter is one removed and one added") {
    auto wanted = base();
    wanted.exporters[0].name = "z";
    const auto plan = diff(base(), wanted);
    CHECK(plan.exporters_added == Names{"z"});
    CHECK(plan.exporters_removed == Names{"a"});
    CHECK(plan.exporters_replaced.empty());
}

TEST_CASE("reload diff: another enterprise number replaces every exporter that stays") {
    auto wanted = base();
    wanted.private_enterprise_number = 32473;
    wanted.exporters.push_back(exporter("c"));
    const auto plan = diff(base(), wanted);
    CHECK(plan.exporters_replaced == Names{"a", "b"});
    CHECK(plan.exporters_added == Names{"c"});
}

TEST_CASE("reload diff: timeouts are taken at once") {
    using Change = void (*)(MeteringOptions&);
    for (const Change change : {
             Change{[](MeteringOptions& o) { o.idle_timeout = 7s; }},
             Change{[](MeteringOptions& o) { o.active_timeout = 7s; }},
             Change{[](MeteringOptions& o) { o.idle_tcp = 7s; }},
             Change{[](MeteringOptions& o) { o.idle_udp = 7s; }},
             Change{[](MeteringOptions& o) { o.idle_icmp = 7s; }},
             Change{[](MeteringOptions& o) { o.idle_other = 7s; }},
             Change{[](MeteringOptions& o) { o.tcp_end = 7s; }},
             Change{[](MeteringOptions& o) { o.pressure_from = 7; }},
             Change{[](MeteringOptions& o) { o.pressure_idle_timeout = 7s; }},
         }) {
        auto wanted = base();
        change(wanted.metering);
        const auto plan = diff(base(), wanted);
        CHECK(plan.metering_changed);
        CHECK(plan.needs_restart.empty());
        CHECK_FALSE(plan.exporters_changed());
    }
}

TEST_CASE("reload diff: rules of nDPI change by path and by content, and are nothing without dissection") {
    auto wanted = base();
    wanted.metering.ndpi.protocols = "/p";
    CHECK(diff(base(), wanted).rules_changed);
    CHECK(diff(base(), wanted).text().find("nDPI rules ~1, ") != std::string::npos);
    auto changed = wanted;
    changed.metering.ndpi.content = 7;
    CHECK(diff(wanted, changed).rules_changed);
    CHECK(diff(wanted, changed).needs_restart.empty());
    CHECK_FALSE(diff(wanted, wanted).rules_changed);
    CHECK(diff(wanted, wanted).text().find("nDPI") == std::string::npos);
    auto running = base();
    running.metering.n_dissections = 0;
    wanted.metering.n_dissections = 0;
    CHECK_FALSE(diff(running, wanted).rules_changed);
}

TEST_CASE("reload diff: tables of enrichment are live; exporters change when their fields come or go") {
    auto wanted = base();
    wanted.metering.enrichment.networks = "/n";
    auto plan = diff(base(), wanted);
    CHECK(plan.enrichment_changed);
    CHECK(plan.needs_restart.empty());
    CHECK(plan.exporters_replaced == Names{"a", "b"});
    CHECK(plan.text().find("enrichment ~1, ") != std::string::npos);
    CHECK(diff(wanted, base()).exporters_replaced == Names{"a", "b"});
    auto other = wanted;
    other.metering.enrichment.cache_size = 7;
    plan = diff(wanted, other);
    CHECK(plan.enrichment_changed);
    CHECK_FALSE(plan.exporters_changed());
    CHECK_FALSE(diff(wanted, wanted).enrichment_changed);
    CHECK(diff(wanted, wanted).text().find("enrichment") == std::string::npos);
}

TEST_CASE("reload: tables that have not changed are those in use") {
    auto running = base(), wanted = base();
    running.metering.enrichment.tables = std::make_shared<EnrichmentTables>();
    wanted.metering.enrichment.tables = std::make_shared<EnrichmentTables>();
    const auto in_use = running.metering.enrichment.tables;
    CHECK(keep_until_restart(running, wanted).metering.enrichment.tables == in_use);
    wanted.metering.enrichment.networks = "/n";
    CHECK(keep_until_restart(running, wanted).metering.enrichment.tables != in_use);
}

TEST_CASE("reload diff: what is built into the flow cache needs a restart, and only that is named") {
    auto wanted = base();
    wanted.metering.max_flows = 4096;
    wanted.metering.max_nflows = 10;
    wanted.metering.accounting_mode = 3;
    wanted.metering.decode_tunnels = false;
    wanted.metering.fragments = FragmentMode::kAll;
    wanted.metering.n_dissections = 0;
    wanted.metering.l7_details = true;
    wanted.metering.statistical_analysis = true;
    wanted.metering.splt_analysis = 10;
    wanted.metering.compatibility = Generation::kNfstream0;
    wanted.metering.nfstream3_records = true;
    const auto plan = diff(base(), wanted);
    CHECK(plan.needs_restart == Names{"metering.max_flows", "metering.max_nflows", "metering.accounting_mode",
                                      "metering.decode_tunnels", "metering.fragments", "metering.n_dissections",
                                      "metering.l7_details", "metering.statistical_analysis", "metering.splt_analysis",
                                      "metering.compatibility", "exporters.schema"});
    CHECK_FALSE(plan.metering_changed);
    wanted = base();
    wanted.metering.splt_analysis = 10;
    CHECK(diff(base(), wanted).needs_restart == Names{"metering.splt_analysis"});
}

TEST_CASE("reload diff: log and control socket") {
    auto wanted = base();
    wanted.log.level = LogLevel::kDebug;
    CHECK(diff(base(), wanted).log_changed);
    wanted = base();
    wanted.log.format = LogFormat::kJson;
    CHECK(diff(base(), wanted).log_changed);
    wanted = base();
    wanted.control.socket = "";
    CHECK(diff(base(), wanted).control_changed);
}

TEST_CASE("reload: settings that need a restart keep their value, all others are taken") {
    auto wanted = base();
    wanted.instance = "other";
    wanted.metering.max_flows = 4096;
    wanted.metering.splt_analysis = 10;
    wanted.metering.idle_timeout = 7s;
    wanted.exporters.push_back(exporter("c"));
    wanted.log.level = LogLevel::kError;
    const auto effective = keep_until_restart(base(), wanted);
    CHECK(effective.metering.max_flows == base().metering.max_flows);
    CHECK(effective.metering.splt_analysis == 0);
    CHECK(effective.metering.idle_timeout == 7s);
    CHECK(effective.instance == "other");
    CHECK(effective.exporters.size() == 3);
    CHECK(effective.log.level == LogLevel::kError);
    // they are named again by the next reload of the same file
    CHECK(diff(effective, wanted).needs_restart == Names{"metering.max_flows", "metering.splt_analysis"});
    CHECK(diff(effective, wanted).exporters_added.empty());
}

TEST_CASE("reload: what is in effect afterwards differs from what is wanted by nothing but restarts") {
    auto wanted = base();
    wanted.metering.fragments = FragmentMode::kAll;
    wanted.metering.active_timeout = 9s;
    wanted.capture = {capture({"eth5"}, "tcp")};
    auto plan = diff(keep_until_restart(base(), wanted), wanted);
    CHECK(plan.needs_restart == Names{"metering.fragments"});
    plan.needs_restart.clear();
    check_nothing_changes(plan);
}

TEST_CASE("reload plan: as text for the log") {
    CHECK(ReloadPlan{}.text() == "exporters +0 -0 ~0, interfaces +0 -0 ~0, restart needed: none");
    ReloadPlan plan;
    plan.exporters_added = {"a", "b"};
    plan.exporters_replaced = {"c"};
    plan.interfaces_removed = {"d"};
    plan.needs_restart = {"metering.max_flows", "metering.fragments"};
    CHECK(plan.text() ==
          "exporters +2 -0 ~1, interfaces +0 -1 ~0, restart needed: metering.max_flows metering.fragments");
}

}  // namespace
}  // namespace nfstreamd::daemon
