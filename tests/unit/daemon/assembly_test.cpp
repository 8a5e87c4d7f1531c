// SPDX-License-Identifier: Apache-2.0
#include "daemon/assembly.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/captured_log.hpp"
#include "tests/support/exporter_settings.hpp"
#include "tests/support/files.hpp"

namespace nfstreamd::daemon {
namespace {

config::ExporterConfig csv(const std::string& path, std::vector<std::string> fields = {}) {
    config::ExporterConfig made{"a", "csv", test::default_settings("csv"), "f.yaml:1:1"};
    made.settings.set("path", path, "", true);
    made.settings.set("fields", std::move(fields), "", false);
    return made;
}

TEST_CASE("continuing: the same file with the same fields is appended to, any other begins anew") {
    CHECK(continuing(csv("/x"), csv("/x")).settings.boolean("append"));
    CHECK_FALSE(continuing(csv("/x"), csv("/y")).settings.boolean("append"));
    CHECK_FALSE(continuing(csv("/x"), csv("/x", {"src_ip"})).settings.boolean("append"));
    auto other = csv("/x");
    other.settings.set("schema", std::string("nfstream0"), "", true);
    CHECK_FALSE(continuing(csv("/x"), other).settings.boolean("append"));
    auto anonymous = csv("/x");
    anonymous.settings.set("columns_to_anonymize", std::vector<std::string>{"src_ip"}, "", true);
    CHECK_FALSE(continuing(csv("/x"), anonymous).settings.boolean("append"));
    CHECK(continuing(anonymous, anonymous).settings.boolean("append"));
    auto truncated = csv("/x");
    truncated.settings.set("anonymize.addresses", std::string("truncate"), "", true);
    CHECK_FALSE(continuing(csv("/x"), truncated).settings.boolean("append"));
    CHECK(continuing(truncated, truncated).settings.boolean("append"));
    auto json = csv("/x");
    json.type = "json";
    CHECK_FALSE(continuing(json, csv("/x")).settings.boolean("append"));
}

TEST_CASE("capture plans: one per interface, one for the files of an entry") {
    config::Config config;
    config.capture.resize(2);
    config.capture[0].interfaces = {"eth0", "lo"};
    config.capture[1].interfaces = {"eth1"};
    const auto live = capture_plans(config, 2);
    REQUIRE(live.size() == 3);
    CHECK(live[2].name == "eth1");
    CHECK_FALSE(live[2].offline());
    CHECK_FALSE(is_file_run(config));

    for (auto& capture : config.capture) capture.interfaces.clear();
    config.capture[0].pcap = {"a.pcap", "b.pcap"};
    config.capture[1].pcap = {"c.pcap"};
    const auto files = capture_plans(config);
    REQUIRE(files.size() == 2);
    CHECK(files[0].name == "files");
    CHECK(files[0].files.size() == 2);
    CHECK(files[1].name == "files2");
    CHECK(is_file_run(config));
}

TEST_CASE("capture plans: several meters have shares of one input, and names of their own") {
    config::Config config;
    config.capture.resize(2);
    config.capture[0].interfaces = {"eth0", "eth1"};
    config.capture[0].n_meters = 2;
    config.capture[1].interfaces = {"lo"};
    config.capture[1].n_meters = 1;
    const auto plans = capture_plans(config, 8);
    REQUIRE(plans.size() == 5);
    CHECK(plans[0].name == "eth0/0");
    CHECK(plans[1].name == "eth0/1");
    CHECK(plans[1].input == "eth0");
    CHECK(plans[1].share == FlowShare{1, 2});
    CHECK(plans[3].name == "eth1/1");
    CHECK(plans[4].name == "lo");
    CHECK(plans[4].share == FlowShare{0, 1});
}

TEST_CASE("meter count: by the processors for an interface, one of which is left free; as given for files") {
    config::Config config;
    config::CaptureConfig live;
    live.interfaces = {"eth0"};
    const auto live_meters = [&](unsigned wanted, unsigned processors) {
        live.n_meters = wanted;
        return meter_count(config, live, processors);
    };
    CHECK(live_meters(0, 1).count == 1);
    CHECK(live_meters(0, 8).count == 7);
    CHECK(live_meters(0, 8).problem.empty());
    CHECK(live_meters(3, 8).count == 3);
    CHECK(live_meters(7, 8).problem.empty());
    CHECK(live_meters(8, 8).count == 7);
    CHECK(live_meters(8, 8).problem.find("8 meters would contend for 8 processors") == 0);

    config::CaptureConfig files;
    files.pcap = {"/dev/null/absent.pcap"};
    CHECK(meter_count(config, files, 8).count == 1);
    files.n_meters = 4;
    CHECK(meter_count(config, files, 2).count == 4);
    CHECK(meter_count(config, files, 2).problem.empty());
    config.metering.compatibility = Generation::kNfstream0;
    CHECK(meter_count(config, files, 2).count == 1);
    CHECK_FALSE(meter_count(config, files, 2).problem.empty());
    config.metering.compatibility = Generation::kNfstream6;
    files.pcap.push_back("-");
    CHECK(meter_count(config, files, 2).count == 1);
    CHECK(meter_count(config, files, 2).problem == "standard input can be read only once: one meter reads it");
}

TEST_CASE("capture plans: the entries of a group are one, each member with the options of its entry") {
    config::Config config;
    config.capture.resize(3);
    config.capture[0].interfaces = {"eth0"};
    config.capture[0].options.bpf_filter = "tcp";
    config.capture[1].interfaces = {"lo"};
    config.capture[2].interfaces = {"eth1", "eth2"};
    for (const std::size_t i : {0u, 2u}) {
        config.capture[i].group = "tap";
        config.capture[i].merge.reorder_window = std::chrono::milliseconds(20);
    }
    const auto plans = capture_plans(config, 1);
    REQUIRE(plans.size() == 2);
    CHECK(plans[0].name == "tap");
    CHECK_FALSE(plans[0].offline());
    CHECK(plans[0].merge.reorder_window == std::chrono::milliseconds(20));
    REQUIRE(plans[0].members.size() == 3);
    CHECK(plans[0].members[0].name == "eth0");
    CHECK(plans[0].members[0].options.bpf_filter == "tcp");
    CHECK(plans[0].members[0].options.block_timeout == std::chrono::milliseconds(5));
    CHECK(plans[0].members[2].name == "eth2");
    CHECK(plans[0].members[2].options.bpf_filter.empty());
    CHECK(plans[1].name == "lo");
    CHECK(plans[1].members.empty());
    CHECK(plans[1].options.block_timeout == CaptureOptions{}.block_timeout);

    config.capture.resize(1);
    config.capture[0].interfaces.clear();
    config.capture[0].pcap = {"a.pcap", "b.pcap"};
    const auto files = capture_plans(config);
    REQUIRE(files.size() == 1);
    CHECK(files[0].offline());
    CHECK(files[0].name == "tap");
    CHECK(files[0].members.size() == 2);
}

TEST_CASE("capture plans: several meters of a group share the packets of each of its interfaces") {
    config::Config config;
    config.capture.resize(1);
    config.capture[0].interfaces = {"eth0", "eth1"};
    config.capture[0].group = "tap";
    config.capture[0].n_meters = 2;
    const auto plans = capture_plans(config, 8);
    REQUIRE(plans.size() == 2);
    CHECK(plans[1].name == "tap/1");
    CHECK(plans[1].input == "tap");
    CHECK(plans[1].share == FlowShare{1, 2});
    REQUIRE(plans[1].members.size() == 2);
    CHECK(plans[1].members[0].fanout.index == 1);
    CHECK(plans[1].members[0].fanout.group == plans[0].members[0].fanout.group);
    CHECK(plans[1].members[0].fanout.group != plans[1].members[1].fanout.group);
    CHECK(difference(plans[0], capture_plans(config, 8)[0]) == CaptureDifference::kNone);

    config.capture.resize(2);
    config.capture[1] = config.capture[0];
    for (auto& capture : config.capture) capture.interfaces.clear();
    config.capture[0].pcap = {"/dev/null/absent.pcap"};
    config.capture[1].pcap = {"-"};
    CHECK(capture_plans(config, 8).size() == 1);  // what can be read only once is read by one meter
}

#ifdef NFSTREAMD_WITH_IPFIX
TEST_CASE("make_exporting_process: a spool is exclusive, checked at once, not for files, and not of a file run") {
    const test::ScratchFolder folder;
    test::CapturedLog log;
    config::Config live;
    live.capture.resize(1);
    live.capture[0].interfaces = {"lo"};
    config::ExporterConfig exporter{"main", "ipfix", test::default_settings("ipfix"), "f.yaml:1:1"};
    exporter.settings.set("collectors", std::vector<std::string>{"tcp://127.0.0.1:4739"}, "", true);
    CHECK_FALSE(is_exclusive(exporter));
    const auto with_spool = [&](const std::string& directory) {
        exporter.settings.set("spool.directory", directory, "f.yaml:5:7", true);
    };

    with_spool(folder.path("a/b"));
    CHECK(is_exclusive(exporter));
    auto made = make_exporting_process(live, exporter, log.logger());
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().text()));
    CHECK(made.value()->spool_folder() == folder.path("a/b/main"));
    CHECK(std::filesystem::is_directory(folder.path("a/b/main")));

    with_spool(folder.file("file", "") + "/x");
    const auto unusable = make_exporting_process(live, exporter, log.logger());
    REQUIRE_FALSE(unusable.has_value());
    CHECK(unusable.error().where == "f.yaml:5:7");
    CHECK(unusable.error().message.find("spool.directory: ") == 0);

    config::Config files;
    files.capture.resize(1);
    files.capture[0].pcap = {"a.pcap"};
    CHECK_FALSE(log.contains("spool"));
    const auto of_files = make_exporting_process(files, exporter, log.logger());
    REQUIRE(of_files.has_value());
    CHECK(of_files.value()->spool_counters() == nullptr);
    CHECK(log.contains("<4>a run of capture files has no spool exporter=main"));

    exporter.settings.set("collectors", std::vector<std::string>{}, "", false);
    exporter.settings.set("path", folder.path("out.ipfix"), "", true);
    const auto of_a_path = make_exporting_process(live, exporter, log.logger());
    REQUIRE_FALSE(of_a_path.has_value());
    CHECK(of_a_path.error().text().find("f.yaml:5:7: spool: ") == 0);
}
#endif

}  // namespace
}  // namespace nfstreamd::daemon
