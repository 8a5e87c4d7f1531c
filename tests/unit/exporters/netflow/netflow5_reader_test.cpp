// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/netflow/netflow5_reader.hpp"

#include <doctest/doctest.h>

#include "tests/unit/exporters/netflow/packet_builder.hpp"

using namespace nfstreamd::test;

TEST_CASE("Netflow5Reader: a record becomes the line that IPFIX would give") {
    LineReader r;
    auto packet = netflow5(1, 0);
    add_v5_record(packet, 99'000, 99'500);
    r.feed(packet);
    REQUIRE(r.lines.size() == 1);
    CHECK(r.last_has("{\"src_ip\":\"192.0.2.1\",\"dst_ip\":\"192.0.2.2\","));
    CHECK(
        r.last_has("\"src2dst_packets\":10,\"src2dst_ip_bytes\":1000,\"src2dst_first_seen_ms\":1699999999250,"
                   "\"src2dst_last_seen_ms\":1699999999750,\"src_port\":50000,\"dst_port\":443,"));
    CHECK(r.last_has("\"protocol\":6"));
    CHECK(r.last_has("\"engineType\":1,\"engineId\":2"));
    CHECK(r.last_has("\"bidirectional_packets\":10"));
    CHECK_FALSE(r.last_has("sampling"));
    CHECK_FALSE(r.last_has("padding"));
}

TEST_CASE("Netflow5Reader: the sampling word is in each record when there is sampling") {
    LineReader r;
    auto packet = netflow5(1, 0, 100'000, 0x8000 | 1000);
    add_v5_record(packet, 1, 2);
    r.feed(packet);
    CHECK(r.last_has("\"samplingAlgorithm\":2,\"samplingInterval\":1000"));
}

TEST_CASE("Netflow5Reader: an uptime that has wrapped is a moment before the header's") {
    LineReader r;
    auto packet = netflow5(1, 0, 1000);
    add_v5_record(packet, 0xffffffffU - 999, 500);
    r.feed(packet);
    CHECK(r.last_has("\"src2dst_first_seen_ms\":1699999998250,\"src2dst_last_seen_ms\":1699999999750"));
}

TEST_CASE("Netflow5Reader: sequence numbers count flows") {
    LineReader r;
    std::uint32_t sequence = 40;
    for (int i = 0; i < 3; ++i, sequence += 2) {
        auto packet = netflow5(2, sequence);
        add_v5_record(packet, 1, 2);
        add_v5_record(packet, 3, 4);
        r.feed(packet);
    }
    CHECK(r.reader.counters().sequence_gaps == 0);
    auto late = netflow5(1, sequence + 5);
    add_v5_record(late, 1, 2);
    r.feed(late);
    CHECK(r.reader.counters().sequence_gaps == 1);
    CHECK(r.reader.counters().lost_records == 5);
    CHECK(r.lines.size() == 7);
}

TEST_CASE("Netflow5Reader: a packet of another length than its count says is thrown away") {
    LineReader r;
    for (const unsigned count : {0u, 2u, 31u}) {
        auto packet = netflow5(count, 0);
        add_v5_record(packet, 1, 2);
        r.feed(packet);
    }
    auto cut = netflow5(1, 0);
    add_v5_record(cut, 1, 2);
    cut.bytes.pop_back();
    r.feed(cut);
    cut.bytes.resize(10);
    r.feed(cut);
    CHECK(r.lines.empty());
    CHECK(r.reader.counters().malformed == 5);
}
#endif
