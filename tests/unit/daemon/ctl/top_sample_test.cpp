// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/top_sample.hpp"

#include <doctest/doctest.h>

#include "daemon/status.hpp"

namespace nfstreamd::ctl {
namespace {

using namespace std::chrono_literals;

DaemonCounters counters_of(const daemon::DaemonStatus& status) {
    auto counters = parse_counters(daemon::status_json(status));
    REQUIRE_MESSAGE(counters.has_value(), (counters ? "" : counters.error().message));
    return std::move(counters.value());
}

daemon::DaemonStatus status_with(std::uint64_t packets, std::uint64_t lost) {
    daemon::DaemonStatus status;
    status.started = 1'700'000'000;
    daemon::InterfaceStatus interface;
    interface.source.name = "eth0";
    interface.capture.up = true;
    interface.capture.kernel_dropped = packets / 20;
    interface.capture.unread = packets / 20;
    interface.packets = packets;
    interface.octets = 100 * packets;
    interface.flows_created = packets / 2;
    interface.flows_active = 7;
    interface.max_flows = 1000;
    status.interfaces.push_back(interface);
    daemon::ExporterStatus exporter;
    exporter.name = "main";
    exporter.records = packets / 4;
    exporter.dropped = {{"queue_full", lost}, {"failed", lost}};
    status.exporters.push_back(exporter);
    return status;
}

}  // namespace

TEST_CASE("top: rates are differences over the time between") {
    const auto before = counters_of(status_with(1000, 0)), now = counters_of(status_with(3000, 5));
    const auto rates = rates_between(before, now, 2s);
    CHECK(rates.packets == doctest::Approx(1000));
    CHECK(rates.bits == doctest::Approx(8 * 100'000));
    CHECK(rates.flows == doctest::Approx(500));
    CHECK(rates.drops == doctest::Approx(100));
    CHECK(rates.records == doctest::Approx(250));
    CHECK(rates.lost == doctest::Approx(5));
    CHECK(rates.interfaces.at(0).now.flows_active == 7);
}

TEST_CASE("top: a daemon that started again, and a new interface, have no rates yet") {
    auto status = status_with(3000, 0);
    const auto before = counters_of(status_with(1000, 0));
    status.started += 60;
    CHECK(rates_between(before, counters_of(status), 2s).packets == 0);
    status = status_with(3000, 0);
    status.interfaces[0].source.name = "eth1";
    CHECK(rates_between(before, counters_of(status), 2s).packets == 0);
    CHECK(rates_between(before, counters_of(status_with(10, 0)), 2s).packets == 0);  // counters never run back
}

TEST_CASE("top: activity is read, and nonsense is an error") {
    const auto activity = parse_activity(
        R"({"window_ms":2000,"complete":true,"flows":3,"active_flows":2,"talker_error_bits_per_s":0,)"
        R"("talkers":[{"address":"10.0.0.1","sent_bits_per_s":800,"received_bits_per_s":80,"sent_packets_per_s":4,)"
        R"("received_packets_per_s":1,"flows":2}],"applications":[{"name":"DNS","bits_per_s":9,"packets_per_s":2,"flows":1}]})");
    REQUIRE(activity.has_value());
    CHECK(activity.value().window == 2s);
    CHECK(activity.value().talkers.at(0).sent_bits == 800);
    CHECK(activity.value().applications.at(0).name == "DNS");
    CHECK_FALSE(parse_activity("{}").has_value());
    CHECK_FALSE(parse_counters("{").has_value());
    CHECK(parse_counters(R"({"error":"no"})").error().message == "no");
}

}  // namespace nfstreamd::ctl
