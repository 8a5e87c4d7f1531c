// SPDX-License-Identifier: Apache-2.0
#include "daemon/performance_report.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <sstream>
#include <string>

#define BOOST_BIND_GLOBAL_PLACEHOLDERS
#include <boost/property_tree/json_parser.hpp>
#include <boost/property_tree/ptree.hpp>

namespace nfstreamd::daemon {
namespace {

using namespace std::chrono_literals;
using Tree = boost::property_tree::ptree;
using Clock = PerformanceReport::Clock;

Tree parsed(const std::string& json) {
    std::istringstream input(json);
    Tree tree;
    REQUIRE_NOTHROW(boost::property_tree::read_json(input, tree));
    return tree;
}

InterfaceStatus meter(const char* name, std::uint64_t packets) {
    InterfaceStatus status;
    status.source.name = name;
    status.packets = packets;
    status.ignored = {{"not-ip", 2}, {"truncated", 3}};
    status.records = {{"idle", 4}, {"active", 5}};
    return status;
}

TEST_CASE("PerformanceReport: nfstream's fields come first, in its order") {
    PipelineTotals totals;
    totals.records = 1;
    totals.packets = 2;
    totals.ignored = 3;
    totals.kernel_dropped = 4;
    totals.unread = 2;
    totals.capture_dropped = 11;
    totals.packets_left_out = 6;
    totals.packets_shed = 66;
    totals.records_left_out = 7;
    DaemonStatus status;
    status.interfaces = {meter("eth0", 20), meter("eth1", 30)};
    const auto start = Clock::now();
    PerformanceReport report(start);
    const auto line = report.line(totals, status, start + 1s, 1'770'000'000);
    CHECK(line.find("{\"flows_expired\":1,\"packets_processed\":2,\"packets_ignored\":3,"
                    "\"packets_dropped_filtered_by_kernel\":4,\"meters_packets_processing_balance\":[20,30],"
                    "\"time\":\"2026-02-02T02:40:00Z\",") == 0);
    CHECK(line.find('\n') == std::string::npos);
    const auto tree = parsed(line);
    CHECK(tree.get<int>("packets_dropped_by_interface") == 5);
    CHECK(tree.get<int>("packets_unread") == 2);
    CHECK(tree.get<int>("packets_left_out") == 6);
    CHECK(tree.get<int>("packets_shed") == 66);
    CHECK(tree.get<int>("records_left_out") == 7);
    const auto& eth0 = tree.get_child("meters").front().second;
    CHECK(eth0.get<std::string>("name") == "eth0");
    CHECK(eth0.get<int>("packets") == 20);
    CHECK(eth0.get<int>("ignored") == 5);
    CHECK(eth0.get<int>("records") == 9);
}

TEST_CASE("PerformanceReport: sums are since the start, rates since the line before") {
    PipelineTotals totals;
    const auto start = Clock::now();
    PerformanceReport report(start);
    totals.packets = 1000;
    totals.octets = 64'000;
    totals.flows_created = 10;
    auto tree = parsed(report.line(totals, {}, start + 10s, 0));
    CHECK(tree.get<int>("packets_per_second") == 100);
    CHECK(tree.get<int>("octets_per_second") == 6400);
    CHECK(tree.get<int>("flows_per_second") == 1);
    CHECK(tree.get<int>("interval_ms") == 10'000);
    totals.packets = 1500;
    totals.records = 7;
    totals.flows_active = 3;
    tree = parsed(report.line(totals, {}, start + 10s + 500ms, 0));
    CHECK(tree.get<int>("packets_processed") == 1500);
    CHECK(tree.get<int>("packets_per_second") == 1000);
    CHECK(tree.get<int>("records_per_second") == 14);
    CHECK(tree.get<int>("flows_active") == 3);
    CHECK(tree.get<int>("flows_per_second") == 0);
}

TEST_CASE("PerformanceReport: every exporter shows what it delivered, holds and lost") {
    DaemonStatus status;
    ExporterStatus exporter;
    exporter.name = "main";
    exporter.records = 1;
    exporter.queue_depth = 2;
    exporter.dropped = {{"queue_full", 3}, {"failed", 4}};
    status.exporters.push_back(exporter);
    PerformanceReport report(Clock::now());
    const auto tree = parsed(report.line({}, status, Clock::now(), 0));
    const auto& main = tree.get_child("exporters").front().second;
    CHECK(main.get<std::string>("name") == "main");
    CHECK(main.get<int>("records") == 1);
    CHECK(main.get<int>("queue_depth") == 2);
    CHECK(main.get<int>("dropped") == 7);
}

TEST_CASE("PerformanceReport: a reader that is stuck holds nothing up, lines stay whole, the missing are counted") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    PerformanceReport report(Clock::now());
    const std::string line(10'000, 'x');
    constexpr int kPrinted = 100;
    for (int i = 0; i < kPrinted; ++i) report.print(ends[1], line);
    std::string read;
    char buffer[4096];
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    const auto drain = [&] {
        for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
            read.append(buffer, static_cast<std::size_t>(n));
    };
    drain();
    report.print(ends[1], "last");
    drain();
    int whole = 0;
    std::istringstream lines(read);
    for (std::string got; std::getline(lines, got); ++whole) CHECK((got == line || got == "last"));
    CHECK(whole > 2);
    CHECK(read.ends_with("\nlast\n"));
    const auto tree = parsed(report.line({}, {}, Clock::now(), 0));
    CHECK(tree.get<int>("reports_skipped") == kPrinted + 1 - whole);
    ::close(ends[0]);
    ::close(ends[1]);
}

}  // namespace
}  // namespace nfstreamd::daemon
