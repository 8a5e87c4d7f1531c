// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/findings.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "daemon/status.hpp"

namespace nfstreamd::ctl {
namespace {

using namespace std::chrono_literals;

config::CaptureConfig capture_of(std::vector<std::string> interfaces, const std::string& where) {
    config::CaptureConfig capture;
    capture.interfaces = std::move(interfaces);
    capture.where = where;
    return capture;
}

Link device(std::uint32_t index, const std::string& name) {
    Link link;
    link.index = index;
    link.name = name;
    link.mtu = 1500;
    link.up = true;
    return link;
}

// A host on which nothing is wrong, eth0 captured.
HostFacts sound_host() {
    HostFacts facts;
    facts.socket = "/run/x.sock";
    facts.config_file = "x.yaml";
    facts.loaded.config.emplace();
    facts.loaded.config->metering.max_flows = 1000;
    facts.loaded.config->capture.push_back(capture_of({"eth0"}, "x.yaml:2:5"));
    facts.links = {device(1, "eth0")};
    facts.may_capture = true;
    facts.memory = facts.memory_available = std::uint64_t{8} << 30;
    return facts;
}

void run_with(HostFacts& facts, const daemon::DaemonStatus& status) {
    facts.daemon.running = true;
    facts.daemon.user = 100;
    auto tree = parse_answer(daemon::status_json(status));
    REQUIRE(tree.has_value());
    facts.daemon.status = tree.value();
}

// Of one check; each must say what to do.
std::vector<Finding> found(const HostFacts& facts, const std::string& check) {
    std::vector<Finding> some;
    for (const auto& finding : examine(facts)) {
        CHECK_FALSE(finding.fix.empty());
        CHECK_FALSE(finding.where.empty());
        if (finding.check == check) some.push_back(finding);
    }
    return some;
}

bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("doctor: finds nothing where nothing is wrong") {
    auto facts = sound_host();
    CHECK(examine(facts).empty());
    run_with(facts, {});
    CHECK(examine(facts).empty());
}

TEST_CASE("doctor: offloads that change packets, with the command that ends them") {
    auto facts = sound_host();
    facts.links[0].offloads = {"gro", "tso"};
    const auto some = found(facts, "offloads");
    REQUIRE(some.size() == 1);
    CHECK(some[0].severity == Severity::kWarning);
    CHECK(some[0].fix == "ethtool -K eth0 gro off tso off");
    facts.links[0].offloads = {"gso"};
    CHECK(found(facts, "offloads").at(0).severity == Severity::kNote);  // of what it sends alone
}

TEST_CASE("doctor: parent and child, near and far, unless they are one deduplicated group") {
    auto facts = sound_host();
    Link slave = device(1, "eth0");
    slave.master = 2;
    Link bond = device(2, "bond0");
    bond.kind = "bond";
    Link vlan = device(3, "bond0.5");
    vlan.kind = "vlan";
    vlan.lower = 2;
    facts.links = {slave, bond, vlan, device(4, "eth1")};
    facts.loaded.config->capture = {capture_of({"eth0"}, "x:2"), capture_of({"bond0.5"}, "x:3"),
                                    capture_of({"eth1"}, "x:4")};
    CHECK(found(facts, "duplicates").empty());  // they meet below, and neither sees all of the other
    facts.loaded.config->capture.push_back(capture_of({"bond0"}, "x:5"));
    const auto some = found(facts, "duplicates");
    REQUIRE(some.size() == 2);
    CHECK(says(some[0].what, "eth0 is a part of bond bond0"));
    CHECK(says(some[0].fix, "x:5, x:2"));
    CHECK(says(some[1].what, "vlan bond0.5 lies on bond0"));
    for (auto& capture : facts.loaded.config->capture) capture.group = "tap";
    CHECK(says(found(facts, "duplicates").at(0).fix, "set `deduplicate: 100ms` for group 'tap'"));
    for (auto& capture : facts.loaded.config->capture) capture.merge.deduplicate = 100ms;
    CHECK(found(facts, "duplicates").empty());
}

TEST_CASE("doctor: snapshot length against MTU, a missing interface, one that is down") {
    auto facts = sound_host();
    facts.links[0].mtu = 9000;
    CHECK(found(facts, "snapshot-length").at(0).fix == "set `snapshot_length: 9022` at x.yaml:2:5");
    facts.links[0].up = false;
    CHECK(found(facts, "interface").at(0).fix == "ip link set dev eth0 up");
    facts.links.clear();
    CHECK(says(found(facts, "interface").at(0).what, "no such interface"));
}

TEST_CASE("doctor: what a running daemon lost and shed") {
    auto facts = sound_host();
    daemon::DaemonStatus status;
    daemon::InterfaceStatus interface;
    interface.source.name = "eth0";
    interface.capture.frames = 75;
    interface.capture.kernel_dropped = 25;
    interface.capture.interface_dropped = 3;
    interface.capture.unread = 6;
    interface.clock_steps = 2;
    interface.max_flows = 1000;
    interface.overload[0].second = 4;
    interface.records = {{"lack-of-resources", 9}};
    status.interfaces.push_back(interface);
    daemon::ExporterStatus exporter;
    exporter.name = "main";
    exporter.dropped = {{"queue_full", 6}, {"failed", 0}};
    exporter.last_error = "connection refused";
    status.exporters.push_back(exporter);
    run_with(facts, status);
    CHECK(says(found(facts, "ring-drops").at(0).what, "25 packets dropped as the capture ring was full, 25.000 %"));
    CHECK(says(found(facts, "ring-drops").at(0).fix, "socket_buffer_size: 64MiB"));
    CHECK(found(facts, "device-drops").size() == 1);
    CHECK(says(found(facts, "unread").at(0).what, "6 packets were in a capture ring"));
    CHECK(found(facts, "overload").size() == 1);
    CHECK(found(facts, "clock").size() == 1);
    CHECK(says(found(facts, "flow-table").at(0).fix, "above 1000"));
    CHECK(says(found(facts, "lost-records").at(0).what, "6 records were lost: queue_full 6"));
    CHECK(says(found(facts, "exporter").at(0).what, "connection refused"));
    CHECK(examine(facts).front().severity == Severity::kError);
}

TEST_CASE("doctor: capabilities, users and the control socket") {
    auto facts = sound_host();
    facts.may_capture = false;
    CHECK(says(found(facts, "capability").at(0).fix, "setcap cap_net_raw"));
    facts.may_capture = true;
    facts.service_installed = true;
    CHECK(found(facts, "service-user").at(0).fix == "systemd-sysusers");
    facts.service_user = facts.service_group = 990;
    facts.config_facts = {true, false, 0640, 0, 0, 0, 0};
    CHECK(found(facts, "config-permission").at(0).fix == "chown root:nfstreamd x.yaml && chmod 0640 x.yaml");
    facts.config_facts.group = 990;
    CHECK(found(facts, "config-permission").empty());
    facts.socket_file = {true, false, 0666, 0, 0, 0, 0};
    CHECK(found(facts, "control-socket").at(0).fix == "chmod 0660 /run/x.sock");
    facts.socket_file.mode = 0660;
    facts.daemon.why_not = {ErrorCode::kPermission, "denied", ""};
    CHECK(says(found(facts, "control-socket").at(0).fix, "usermod"));
    run_with(facts, {});
    facts.daemon.capabilities = 0;
    CHECK(says(found(facts, "capability").at(0).what, "without CAP_NET_RAW"));
    facts.daemon.capabilities = 1 << 13;
    CHECK(found(facts, "capability").empty());
}

TEST_CASE("doctor: collectors, spool, clock and memory") {
    auto facts = sound_host();
    facts.destinations = {
        {"main", "192.0.2.5:4739", "x.yaml:9:5", "nobody listens at port 4739 (ICMP: refused)", false},
        {"main", "127.0.0.1:4739", "x.yaml:9:5", "", true}};
    facts.receive_buffer_max = 212'992;
    CHECK(found(facts, "collector").size() == 1);
    CHECK(found(facts, "receive-buffer").size() == 1);
    facts.service_user = facts.service_group = 990;
    facts.spools = {{"main",
                     "/var/spool/x",
                     "x.yaml:11:5",
                     std::uint64_t{1} << 30,
                     {true, true, 0755, 0, 0, std::uint64_t{9} << 30, std::uint64_t{90} << 30},
                     "/var/spool"}};
    const auto some = found(facts, "spool");
    REQUIRE(some.size() == 1);
    CHECK(some[0].fix == "install -d -o nfstreamd -g nfstreamd -m 0750 /var/spool/x");
    facts.spools[0].folder.user = 990;
    CHECK(found(facts, "spool").empty());
    facts.spools[0].folder.free_octets = 1 << 20;
    CHECK(says(found(facts, "spool").at(0).what, "1 MiB left"));
    facts.clock.synchronised = false;
    facts.clock.jump = 3s;
    CHECK(found(facts, "clock").size() == 2);
    facts.loaded.config->metering.max_flows = 100'000'000;
    CHECK(says(found(facts, "memory").at(0).fix, "metering.max_flows"));
}

TEST_CASE("doctor: a configuration that cannot be loaded is a finding for each error") {
    auto facts = sound_host();
    facts.loaded.config.reset();
    facts.loaded.errors = {{"x.yaml:1:1", "a", "unknown key"}, {"x.yaml:2:1", "b", "unknown key"}};
    CHECK(found(facts, "configuration").size() == 2);
    const auto text = findings_text(examine(facts), facts);
    CHECK(says(text, "error: x.yaml: x.yaml:1:1: a: unknown key\n    fix: edit it"));
    CHECK(says(text, "2 found"));
    const auto json = parse_answer(findings_json(examine(facts), facts));
    REQUIRE(json.has_value());
    CHECK(json.value().get_child("findings").size() == 2);
}

}  // namespace nfstreamd::ctl
