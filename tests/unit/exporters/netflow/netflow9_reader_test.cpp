// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/netflow/netflow9_reader.hpp"

#include <doctest/doctest.h>

#include "tests/unit/exporters/netflow/packet_builder.hpp"

using namespace nfstreamd::test;

namespace {

// Template 256: packets, octets, first, last, out octets and packets, ntop's L7_PROTO.
NetflowBuilder flow_template(std::uint32_t sequence, std::uint32_t source_id = 0) {
    auto packet = netflow9(sequence, 100'000, source_id);
    packet.begin_set(0).u16(256).u16(7).u16(2).u16(4).u16(1).u16(4).u16(22).u16(4).u16(21).u16(4);
    packet.u16(23).u16(4).u16(24).u16(4).u16(57590).u16(2).end_set();
    return packet;
}
NetflowBuilder flow_data(std::uint32_t sequence, std::uint32_t first = 99'000, std::uint32_t last = 99'500,
                         std::uint32_t uptime = 100'000, std::uint32_t source_id = 0) {
    auto packet = netflow9(sequence, uptime, source_id);
    packet.begin_set(256).u32(3).u32(300).u32(first).u32(last).u32(200).u32(2).u16(91).end_set();
    return packet;
}

}  // namespace

TEST_CASE("Netflow9Reader: a record becomes the line that IPFIX would give") {
    LineReader r;
    r.feed(flow_template(0));
    r.feed(flow_data(1));
    REQUIRE(r.lines.size() == 1);  // two octets of padding are no record
    CHECK(
        r.last_has("\"src2dst_packets\":3,\"src2dst_ip_bytes\":300,\"src2dst_first_seen_ms\":1699999999000,"
                   "\"src2dst_last_seen_ms\":1699999999500,\"dst2src_ip_bytes\":200,\"dst2src_packets\":2,"));
    CHECK(
        r.last_has("\"bidirectional_packets\":5,\"bidirectional_bytes\":500,\"bidirectional_first_seen_ms\":"
                   "1699999999000,\"bidirectional_last_seen_ms\":1699999999500,\"bidirectional_duration_ms\":500}"));
    CHECK(r.reader.counters().malformed == 0);
    CHECK(r.reader.counters().messages == 2);
    CHECK(r.reader.counters().templates == 1);
}

TEST_CASE("Netflow9Reader: an uptime that has wrapped is a moment before the header's") {
    LineReader r;
    r.feed(flow_template(0));
    r.feed(flow_data(1, 0xffffffffU - 999, 500, 1000));  // 2 s and 0.5 s before, across zero
    CHECK(r.last_has("\"src2dst_first_seen_ms\":1699999998000,\"src2dst_last_seen_ms\":1699999999500"));
    r.feed(flow_data(2, 1000, 1100, 1050));  // the end may be a little after the header was made
    CHECK(r.last_has("\"src2dst_last_seen_ms\":1700000000050"));
}

TEST_CASE("Netflow9Reader: sequence numbers count packets, for each source id") {
    LineReader r;
    r.feed(flow_template(7));
    r.feed(flow_template(1, 9));
    r.feed(flow_data(8));
    r.feed(flow_data(2, 1, 2, 3, 9));
    CHECK(r.reader.counters().sequence_gaps == 0);
    r.feed(flow_data(12));
    CHECK(r.reader.counters().sequence_gaps == 1);
    CHECK(r.reader.counters().lost_messages == 3);
    CHECK(r.reader.counters().lost_records == 0);
    CHECK(r.lines.size() == 3);
}

TEST_CASE("Netflow9Reader: options templates have scopes of their own kinds") {
    LineReader r;
    auto packet = netflow9(0);
    packet.begin_set(1).u16(257).u16(8).u16(8).u16(1).u16(4).u16(2).u16(2).u16(34).u16(4).u16(82).u16(6).end_set();
    packet.begin_set(257).u32(0).u16(5).u32(100);
    for (const char c : std::string_view("eth0\0\0", 6)) packet.u8(static_cast<unsigned char>(c));
    packet.end_set();
    r.feed(packet);
    REQUIRE(r.lines.size() == 1);
    CHECK(r.last_has("{\"scopeSystem\":0,\"scopeInterface\":5,\"samplingInterval\":100,"));
    CHECK(r.last_has("\"_options\":true,\"_scope\":[\"scopeSystem\",\"scopeInterface\"]}"));
    CHECK(r.reader.counters().options_records == 1);
}

TEST_CASE("Netflow9Reader: what is cut, too short or of a wrong id is counted and ends nothing else") {
    LineReader r;
    r.feed(flow_template(0));
    const auto whole = flow_data(1);
    auto cut = whole;
    cut.bytes.resize(cut.bytes.size() - 5);
    r.feed(cut);
    CHECK(r.reader.counters().malformed == 1);
    cut.bytes.resize(12);
    r.feed(cut);
    CHECK(r.reader.counters().malformed == 2);
    auto reserved = netflow9(2);
    r.feed(reserved.begin_set(77).u32(1).end_set());
    auto bad_template = netflow9(3);
    r.feed(bad_template.begin_set(0).u16(100).u16(1).u16(2).u16(4).end_set());
    auto bad_scope = netflow9(4);
    r.feed(bad_scope.begin_set(1).u16(300).u16(4).u16(4).u16(9).u16(4).u16(34).u16(4).end_set());
    auto empty = netflow9(5);
    r.feed(empty.begin_set(0).u16(300).u16(1).u16(2).u16(0).end_set());
    CHECK(r.reader.counters().malformed == 6);
    auto unknown = netflow9(6);
    r.feed(unknown.begin_set(999).u32(1).end_set());
    CHECK(r.reader.counters().sets_without_template == 1);
    CHECK(r.lines.empty());
    r.feed(whole);
    CHECK(r.lines.size() == 1);
}

TEST_CASE("Netflow9Reader: sessions of v9 and IPFIX from one sender are apart") {
    LineReader r;
    r.feed(flow_template(0));
    const std::vector<std::uint8_t> ipfix{0, 10, 0, 24, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 1, 0, 0, 8, 0, 0, 0, 1};
    r.reader.feed_datagram(ipfix, "a");
    CHECK(r.lines.empty());
    CHECK(r.reader.counters().sets_without_template == 1);
    r.feed(flow_data(1));
    CHECK(r.reader.counters().sequence_gaps == 0);
}
#endif
