// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/status_table.hpp"

#include <doctest/doctest.h>

#include <string>

#include "daemon/status.hpp"

namespace nfstreamd::ctl {
namespace {

std::string table_of(const daemon::DaemonStatus& status) {
    const auto table = status_table(daemon::status_json(status));
    REQUIRE_MESSAGE(table.has_value(), (table ? "" : table.error().message));
    return table.value();
}

TEST_CASE("status table: shows what the daemon wrote, and losses by their cause") {
    daemon::DaemonStatus status;
    status.version = "1.2.3";
    status.instance = "edge \"1\"";
    status.uptime_s = 3723;
    status.files = {"/etc/x.yaml", "/etc/conf.d/a.yaml"};
    status.reload = {2, 1, "rejected", "x.yaml:3:1: unknown key", 0};
    daemon::InterfaceStatus interface;
    interface.source.name = "eth0";
    interface.source.state = "waiting: no such device";
    interface.source.link_type = "EN10MB";
    interface.capture.frames = 1000;
    interface.capture.kernel_dropped = 40;
    interface.capture.interface_dropped = 2;
    interface.capture.unread = 9;
    interface.ignored = {{"not-ip", 7}, {"truncated", 0}};
    interface.packets = 993;
    interface.selector.options = {{SamplingMethod::kRandom, 10, 0}, {{"src_ip"}, 0.25, 0}};
    interface.sampled_out = 900;
    interface.hash_filtered = 75;
    interface.bad_checksum = 8, interface.offloaded_checksum = 9, interface.merged_segments = 10;
    interface.records = {{"idle", 5}, {"active", 1}};
    interface.idle_timeout_ms = 37'500;
    interface.clock_steps = 2;
    interface.shed = "dissection";
    interface.prefaulted_octets = 15, interface.huge_page_octets = 16, interface.longest_pause_us = 170;
    interface.overload = {{"times", 3}, {"flows_not_dissected", 70}, {"dissections_stopped", 0}, {"packets_shed", 80}};
    interface.discarded = {{"flows", 8}, {"packets", 9}};
    status.interfaces.push_back(interface);
    daemon::ExporterStatus exporter;
    exporter.name = "main";
    exporter.type = "ipfix";
    exporter.destination = "udp://192.0.2.5:4739";
    exporter.up = true;
    exporter.records = 6;
    exporter.filtered = 11;
    exporter.sampled_out = 12;
    exporter.dropped = {{"queue_full", 3}, {"failed", 4}};
    exporter.shortened = {{"strings", 0}, {"lists", 13}};
    exporter.redelivered = 14;
    exporter.losses = {16, 17, 18, 1'700'000'000'000, 1'700'000'001'000};
    exporter.spool.path = "/var/spool/nfstreamd/main";
    exporter.spool.records = 19, exporter.spool.octets = 20;
    exporter.spool.oldest_ms = 1'600'000'000'999;
    exporter.spool.counts[0].second = 22;
    exporter.last_error = "connection refused";
    status.exporters.push_back(exporter);

    const auto table = table_of(status);
    for (const char* part :
         {"nfstreamd 1.2.3  edge \"1\"  up 1:02:03",
          "/etc/x.yaml /etc/conf.d/a.yaml",
          "2 applied, 1 rejected",
          "unknown key",
          "state: waiting: no such device",
          "dropped: by the kernel 40, by the interface 2, unread in a ring that was closed 9\n",
          "ignored: not-ip 7\n",
          "records: idle 5, active 1",
          "idle timeout 37.5 s\n",
          "steps of the clock: 2\n",
          "0 octets in all, 15 of them prefaulted, 16 in huge pages, idle",
          "longest pause: 170 us\n",
          "load shed: dissection now, begun 3 times: flows_not_dissected 70, packets_shed 80\n",
          "discarded after max_nflows: flows 8, packets 9\n",
          "udp://192.0.2.5:4739",
          "lost: queue_full 3, failed 4",
          "shortened records: lists 13\n",
          "lost before export: 16 records of 17 packets, 18 octets, from 2023-11-14T22:13:20Z to "
          "2023-11-14T22:13:21Z\n",
          "spool: 19 records in 20 octets, the oldest of 2020-09-13T12:26:40Z; written 22; /var/spool/nfstreamd/main\n",
          "delivered again: 14\n",
          "left out: 11 records by filter, 12 by sampling",
          "selection: random, 1 packet of 10, 900 sampled out; by hash 0.25 of all packets, 75 filtered",
          "checksums: 8 bad, 9 left to the interface",
          "metered without their VNI, as too many are in use: 10",
          "last error: connection refused"})
        CHECK_MESSAGE(table.find(part) != std::string::npos, part);
    CHECK(table.find("eth0       down     1000       0       51        7      993") != std::string::npos);
}

TEST_CASE("status table: the interfaces of a group are shown below it") {
    daemon::DaemonStatus status;
    daemon::InterfaceStatus group;
    group.source.name = "tap";
    group.capture.late = 3;
    group.capture.duplicates = 4;
    MeteringProcess::Member member;
    member.source.name = "eth0";
    member.source.state = "up";
    member.capture.frames = 7;
    member.capture.kernel_dropped = 2;
    member.capture.unread = 3;
    group.members.push_back(member);
    status.interfaces.push_back(group);
    const auto table = table_of(status);
    for (const char* part :
         {"tap", "    eth0: up, 7 frames, 0 octets, 5 dropped\n", "    order: late 3, duplicates 4\n"})
        CHECK_MESSAGE(table.find(part) != std::string::npos, part);
}

TEST_CASE("status table: an empty daemon is shown, too") {
    const auto table = table_of({});
    CHECK(table.find("INTERFACE") != std::string::npos);
    CHECK(table.find("EXPORTER") != std::string::npos);
}

TEST_CASE("status table: an answer that is an error or no JSON is an error") {
    const auto error = status_table(R"({"error":"unknown command"})");
    REQUIRE_FALSE(error.has_value());
    CHECK(error.error().message == "unknown command");
    CHECK_FALSE(status_table("").has_value());
    CHECK_FALSE(status_table("{").has_value());
    CHECK_FALSE(status_table("{}").has_value());
}

}  // namespace
}  // namespace nfstreamd::ctl
