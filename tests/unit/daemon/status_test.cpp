// SPDX-License-Identifier: Apache-2.0
#include "daemon/status.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <string>

#define BOOST_BIND_GLOBAL_PLACEHOLDERS
#include <boost/property_tree/json_parser.hpp>
#include <boost/property_tree/ptree.hpp>

#include "daemon/json_writer.hpp"

namespace nfstreamd::daemon {
namespace {

using Tree = boost::property_tree::ptree;

Tree parsed(const std::string& json) {
    std::istringstream input(json);
    Tree tree;
    REQUIRE_NOTHROW(boost::property_tree::read_json(input, tree));
    return tree;
}

TEST_CASE("JsonWriter: commas and nesting") {
    JsonWriter json;
    json.begin_object().member("a", 1).key("b").begin_array().value(true).value("x\"\n").begin_object().end_object();
    json.begin_array().end_array().end_array().member("c", std::string("y")).key("d").begin_object();
    json.member("e", false).end_object().end_object();
    CHECK(json.text() == R"({"a":1,"b":[true,"x\"\n",{},[]],"c":"y","d":{"e":false}})");
}

TEST_CASE("status: a document of an empty daemon is valid JSON") {
    const auto tree = parsed(status_json({}));
    CHECK(tree.get<std::string>("reload.result") == "none");
    CHECK(tree.get_child("interfaces").empty());
    CHECK(tree.get_child("exporters").empty());
}

TEST_CASE("status: every counter is there under its name") {
    DaemonStatus status;
    status.version = "1.2.3";
    status.instance = "a \"b\"\xff";  // not UTF-8 either
    status.started = 1'770'000'000;
    status.files = {"x.yaml", "y.yaml"};
    status.reload.rejected = 2;
    for (const char* name : {"eth0", "lo"}) {
        InterfaceStatus interface;
        interface.source.name = name;
        interface.source.timestamp_precision = "nano";
        interface.capture.frames = 18'446'744'073'709'551'615u;
        interface.capture.kernel_dropped = 3;
        interface.ignored = {{"not-ip", 4}};
        interface.packets = 5;
        interface.bad_checksum = 11, interface.offloaded_checksum = 12, interface.merged_segments = 13;
        interface.max_flows = 6;
        interface.records = {{"idle", 7}};
        interface.selector = {3, 1, 4, {{SamplingMethod::kRandom, 10, 99}, {{"src_ip"}, 0.25, 5}}};
        interface.sampled_out = 900;
        interface.hash_filtered = 75;
        interface.idle_timeout_ms = 11'500;
        interface.clock_steps = 12;
        interface.source.ring_octets = 33'554'432;
        interface.selector.options.overload_rate = 20;
        interface.ring_fill_percent = 81;
        interface.prefaulted_octets = 15, interface.huge_page_octets = 16, interface.longest_pause_us = 17;
        interface.shed = "dissection";
        interface.overload = {{"times", 3}, {"packets_shed", 8}};
        interface.discarded = {{"flows", 13}, {"packets", 14}};
        interface.capture.late = 11;
        interface.capture.early = 12;
        interface.capture.duplicates = 13;
        MeteringProcess::Member member;
        member.source.name = "member0";
        member.capture.up = true;
        member.capture.frames = 14;
        interface.members.push_back(member);
        status.interfaces.push_back(interface);
    }
    status.applications = {{"DNS", {1, 2, 300}}, {"TLS.Google", {4, 5, 6000}}};
    ExporterStatus exporter;
    exporter.name = "main";
    exporter.up = true;
    exporter.queue_depth = 8;
    exporter.filtered = 11;
    exporter.sampled_out = 12;
    exporter.shortened = {{"strings", 13}, {"lists", 14}};
    exporter.dropped = {{"queue_full", 9}, {"undelivered", 10}};
    exporter.in_hand = 13, exporter.redelivered = 14;
    exporter.losses = {16, 17, 18, 1'700'000'000'000, 1'700'000'001'000};
    exporter.spool.path = "/var/spool/nfstreamd/main";
    exporter.spool.records = 19, exporter.spool.octets = 20, exporter.spool.segments = 21;
    exporter.spool.oldest_ms = 1'600'000'000'999;
    exporter.spool.counts = {{"written", 22}, {"recovered", 23}};
    exporter.last_error = "tab\tand \\ back";
    status.exporters.push_back(exporter);

    const auto tree = parsed(status_json(status));
    CHECK(tree.get<std::string>("version") == "1.2.3");
    CHECK(tree.get<std::string>("instance") == "a \"b\"\xef\xbf\xbd");
    CHECK(tree.get<std::string>("started") == "2026-02-02T02:40:00Z");
    CHECK(tree.get_child("files").size() == 2);
    CHECK(tree.get<int>("reload.rejected") == 2);
    const auto& applications = tree.get_child("applications");
    REQUIRE(applications.size() == 2);
    CHECK(applications.front().second.get<std::string>("name") == "TLS.Google");  // most octets first
    CHECK(applications.front().second.get<int>("flows") == 4);
    CHECK(applications.front().second.get<int>("packets") == 5);
    CHECK(applications.back().second.get<int>("octets") == 300);
    const auto& interfaces = tree.get_child("interfaces");
    REQUIRE(interfaces.size() == 2);
    const auto& interface = interfaces.front().second;
    CHECK(interface.get<std::string>("name") == "eth0");
    CHECK(interface.get<std::uint64_t>("frames") == 18'446'744'073'709'551'615u);
    CHECK(interface.get<int>("kernel_dropped") == 3);
    CHECK(interface.get<int>("ignored.not-ip") == 4);
    CHECK(interface.get<int>("metered.packets") == 5);
    CHECK(interface.get<int>("metered.bad_checksum") == 11);
    CHECK(interface.get<int>("metered.offloaded_checksum") == 12);
    CHECK(interface.get<int>("metered.merged_segments") == 13);
    CHECK(interface.get<int>("max_flows") == 6);
    CHECK(interface.get<int>("records.idle") == 7);
    CHECK(interface.get<int>("selection.selector_id") == 3);
    CHECK(interface.get<std::string>("selection.method") == "random");
    CHECK(interface.get<int>("selection.rate") == 10);
    CHECK(interface.get<int>("selection.sampled_out") == 900);
    CHECK(interface.get<std::string>("selection.hash_fraction") == "0.25");
    CHECK(interface.get<int>("selection.hash_filtered") == 75);
    CHECK(interface.get<int>("idle_timeout_ms") == 11'500);
    CHECK(interface.get<int>("clock_steps") == 12);
    CHECK(interface.get<int>("ring_octets") == 33'554'432);
    CHECK(interface.get<int>("selection.overload_rate") == 20);
    CHECK(interface.get<int>("overload.ring_fill_percent") == 81);
    CHECK(interface.get<int>("prefaulted_octets") == 15);
    CHECK(interface.get<int>("huge_page_octets") == 16);
    CHECK(interface.get<int>("longest_pause_us") == 17);
    CHECK(interface.get<std::string>("overload.shed") == "dissection");
    CHECK(interface.get<int>("overload.times") == 3);
    CHECK(interface.get<int>("overload.packets_shed") == 8);
    CHECK(interface.get<int>("discarded.flows") == 13);
    CHECK(interface.get<int>("discarded.packets") == 14);
    CHECK(interface.get<std::string>("timestamp_precision") == "nano");
    CHECK(interface.get<int>("late") == 11);
    CHECK(interface.get<int>("early") == 12);
    CHECK(interface.get<int>("duplicates") == 13);
    const auto& member = interface.get_child("members").front().second;
    CHECK(member.get<std::string>("name") == "member0");
    CHECK(member.get<bool>("up"));
    CHECK(member.get<int>("frames") == 14);
    const auto& main = tree.get_child("exporters").front().second;
    CHECK(main.get<bool>("up"));
    CHECK(main.get<int>("queue_depth") == 8);
    CHECK(main.get<int>("filtered") == 11);
    CHECK(main.get<int>("sampled_out") == 12);
    CHECK(main.get<int>("in_hand") == 13);
    CHECK(main.get<int>("redelivered") == 14);
    CHECK(main.get<int>("lost_before_export.records") == 16);
    CHECK(main.get<int>("lost_before_export.packets") == 17);
    CHECK(main.get<int>("lost_before_export.octets") == 18);
    CHECK(main.get<std::string>("lost_before_export.first") == "2023-11-14T22:13:20Z");
    CHECK(main.get<std::string>("lost_before_export.last") == "2023-11-14T22:13:21Z");
    CHECK(main.get<std::string>("spool.path") == "/var/spool/nfstreamd/main");
    CHECK(main.get<int>("spool.records") == 19);
    CHECK(main.get<int>("spool.octets") == 20);
    CHECK(main.get<int>("spool.segments") == 21);
    CHECK(main.get<std::string>("spool.oldest") == "2020-09-13T12:26:40Z");
    CHECK(main.get<int>("spool.written") == 22);
    CHECK(main.get<int>("spool.recovered") == 23);
    CHECK(main.get<int>("dropped.queue_full") == 9);
    CHECK(main.get<int>("dropped.undelivered") == 10);
    CHECK(main.get<int>("shortened.strings") == 13);
    CHECK(main.get<int>("shortened.lists") == 14);
    CHECK(main.get<std::string>("last_error") == "tab\tand \\ back");
}

}  // namespace
}  // namespace nfstreamd::daemon
