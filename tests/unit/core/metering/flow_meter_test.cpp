// SPDX-License-Identifier: Apache-2.0
#include "core/metering/flow_meter.hpp"

#include <doctest/doctest.h>

#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

TEST_CASE("FlowMeter: a flow that has counted as many packets as it can ends as active, none is lost") {
    const MeteringOptions options = plain_options();
    const ObservationPoint point{1, "files", true};
    MeterCounters counters;
    Received received;
    RecordPublisher publisher({received.queue()}, true);
    TunnelContexts tunnels(1);
    MeterContext context{options, point, counters, publisher, tunnels, nullptr, FlowHash({1, 2, 3, 4, 5, 6, 7, 8, 9})};
    context.timeouts.configure(options);
    CHECK(context.most_packets == 0xffffffff);
    context.most_packets = 5;
    FlowMeter<FlowKeyV4> meter(context);
    REQUIRE(meter.allocate());

    const Bytes there = udp_frame("10.0.0.1", "10.0.0.2"), back = udp_frame("10.0.0.2", "10.0.0.1", 2000, 1000);
    for (int i = 0; i < 12; ++i) {
        const Bytes& frame = i % 3 == 2 ? back : there;
        Packet packet;
        packet.timestamp = kStart + i * kMs;
        packet.ip = frame.data() + 14;
        packet.version = 4;
        packet.protocol = 17;
        packet.source_port = i % 3 == 2 ? 2000 : 1000;
        packet.destination_port = i % 3 == 2 ? 1000 : 2000;
        meter.add(packet);
        meter.probe();
        meter.update();
    }
    meter.expire_all(EndReason::kEndOfInput);
    publisher.end();
    const auto& records = received.records();
    REQUIRE(records.size() == 3);
    CHECK(records[0]->packets() == 5);
    CHECK(records[0]->end_reason == EndReason::kActive);
    CHECK(records[1]->packets() == 5);
    CHECK(records[1]->end_reason == EndReason::kActive);
    CHECK(records[1]->biflow_direction == BiflowDirection::kArbitrary);
    CHECK(records[2]->packets() == 2);
}
