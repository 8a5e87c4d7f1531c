// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/ipfix/message_reader.hpp"

#include <doctest/doctest.h>

#include "tests/unit/exporters/ipfix/sample.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using exporters::ipfix::ReaderCounters;

namespace {

// Octets written by hand, so that the reader is tested against the RFC and not
// against our encoder.
struct MessageBuilder {
    Bytes bytes = Bytes(16, 0);
    std::size_t set = 0;

    MessageBuilder& u8(unsigned v) {
        bytes.push_back(static_cast<std::uint8_t>(v));
        return *this;
    }
    MessageBuilder& u16(unsigned v) { return u8(v >> 8).u8(v & 0xff); }
    MessageBuilder& u32(std::uint32_t v) { return u16(v >> 16).u16(v & 0xffff); }
    MessageBuilder& text(std::string_view v) {
        bytes.insert(bytes.end(), v.begin(), v.end());
        return *this;
    }
    MessageBuilder& begin_set(unsigned id) {
        set = bytes.size();
        return u16(id).u16(0);
    }
    MessageBuilder& end_set() {
        put(set + 2, static_cast<unsigned>(bytes.size() - set));
        return *this;
    }
    Bytes done(std::uint32_t sequence = 0, std::uint32_t domain = 0) {
        put(0, 10);
        put(2, static_cast<unsigned>(bytes.size()));
        put(8, sequence >> 16);
        put(10, sequence & 0xffff);
        put(12, domain >> 16);
        put(14, domain & 0xffff);
        return bytes;
    }
    void put(std::size_t at, unsigned v) {
        bytes[at] = static_cast<std::uint8_t>(v >> 8);
        bytes[at + 1] = static_cast<std::uint8_t>(v);
    }
};

// Template 300: packetDeltaCount in two octets, octetDeltaCount in four.
Bytes small_template(std::uint32_t sequence = 0, std::uint32_t domain = 0) {
    return MessageBuilder().begin_set(2).u16(300).u16(2).u16(2).u16(2).u16(1).u16(4).end_set().done(sequence, domain);
}
Bytes small_data(unsigned packets, std::uint32_t sequence, std::uint32_t domain = 0) {
    return MessageBuilder().begin_set(300).u16(packets).u32(1000).end_set().done(sequence, domain);
}

struct Reader {
    std::vector<std::string> lines;
    MessageReader reader{[this](std::string_view line) { lines.emplace_back(line); }};
};

}  // namespace

TEST_CASE("MessageReader: a record becomes one object with the table's columns and what follows from them") {
    Reader r;
    r.reader.feed_datagram(small_template(), "a");
    r.reader.feed_datagram(small_data(7, 0), "a");
    REQUIRE(r.lines.size() == 1);
    CHECK(r.lines[0] ==
          "{\"src2dst_packets\":7,\"src2dst_ip_bytes\":1000,\"src2dst_bytes\":1000,\"dst2src_packets\":0,"
          "\"dst2src_bytes\":0,\"bidirectional_packets\":7,\"bidirectional_bytes\":1000}");
}

TEST_CASE("MessageReader: a name that travels under its protocol's element is requested_server_name too") {
    Reader r;
    // template 300: packetDeltaCount, nProbe's TLS server name, IANA's HTTP host
    r.reader.feed_datagram(MessageBuilder()
                               .begin_set(2)
                               .u16(300)
                               .u16(3)
                               .u16(2)
                               .u16(1)
                               .u16(0x8000 | 188)
                               .u16(65535)
                               .u32(35632)
                               .u16(460)
                               .u16(65535)
                               .end_set()
                               .done(),
                           "a");
    r.reader.feed_datagram(
        MessageBuilder().begin_set(300).u8(1).u8(0).u8(5).text("a.org").u8(2).u8(0).u8(0).end_set().done(), "a");
    REQUIRE(r.lines.size() == 2);
    CHECK(r.lines[0].find("\"http_host\":\"a.org\"") != std::string::npos);
    CHECK(r.lines[0].find("\"requested_server_name\":\"a.org\"") != std::string::npos);
    CHECK(r.lines[1].find("\"requested_server_name\":\"\"") != std::string::npos);
    CHECK(r.lines[0].find("client_fingerprint") == std::string::npos);
}

TEST_CASE("MessageReader: values are written by their abstract types") {
    Reader r;
    MessageBuilder m;
    m.begin_set(2).u16(256).u16(11);
    m.u16(95).u16(65535);                  // applicationId: octets
    m.u16(82).u16(65535);                  // interfaceName: text
    m.u16(276).u16(1);                     // dataRecordsReliability: boolean
    m.u16(322).u16(4);                     // observationTimeSeconds
    m.u16(324).u16(8);                     // observationTimeMicroseconds
    m.u16(320).u16(8);                     // absoluteError: float64
    m.u16(311).u16(4);                     // samplingProbability: float64 in four octets
    m.u16(27).u16(16);                     // sourceIPv6Address
    m.u16(56).u16(6);                      // sourceMacAddress
    m.u16(0x8000 | 77).u16(3).u32(12345);  // of nobody we know
    m.u16(434).u16(2);                     // mibObjectValueInteger: signed in two octets
    m.end_set().begin_set(256);
    m.u8(2).u16(0xbeef);
    m.u8(255).u16(4).text("e\"\n\xff");
    m.u8(1);
    m.u32(1'700'000'000);
    m.u32(1'700'000'000 + 2'208'988'800U).u32(0x80000000);
    m.u32(0x3ff80000).u32(0);
    m.u32(0x3f000000);
    m.u32(0x20010db8).u32(0).u32(0).u32(5);
    m.u16(1).u16(2).u16(3);
    m.u8(1).u8(2).u8(3);
    m.u16(0xfffe);
    r.reader.feed_datagram(m.end_set().done(), "a");
    REQUIRE(r.lines.size() == 1);
    CHECK(r.lines[0] ==
          "{\"application_id\":\"beef\",\"interface_name\":\"e\\\"\\n\xEF\xBF\xBD\",\"dataRecordsReliability\":true,"
          "\"observationTimeSeconds\":1700000000000,\"observationTimeMicroseconds\":1700000000500,"
          "\"absoluteError\":1.5,\"samplingProbability\":0.5,\"src_ip\":\"2001:db8::5\","
          "\"src_mac\":\"00:01:00:02:00:03\",\"_12345_77\":\"010203\",\"mibObjectValueInteger\":-2}");
}

TEST_CASE("MessageReader: lists become arrays, options records are marked, padding is no record") {
    Reader r;
    MessageBuilder m;
    m.begin_set(2).u16(256).u16(2).u16(291).u16(65535).u16(4).u16(1).end_set();
    m.begin_set(3).u16(257).u16(2).u16(1).u16(144).u16(4).u16(41).u16(8).u16(0).end_set();  // 2 octets of padding
    m.begin_set(256).u8(11).u8(3).u16(7).u16(2).u16(80).u16(443).u16(53).u8(17).u8(0).end_set();
    m.begin_set(257).u32(1).u32(0).u32(99).u16(0).end_set();
    r.reader.feed_datagram(m.done(), "a");
    REQUIRE(r.lines.size() == 2);
    CHECK(r.lines[0] == "{\"basicList\":[80,443,53],\"protocol\":17}");
    CHECK(r.lines[1] ==
          "{\"exportingProcessId\":1,\"exportedMessageTotalCount\":99,\"_options\":true,\"_scope\":["
          "\"exportingProcessId\"]}");
    CHECK(r.reader.counters().options_records == 1);
    CHECK(r.reader.counters().templates == 2);
    CHECK(r.reader.counters().malformed == 0);
}

TEST_CASE("MessageReader: templates are known per source and observation domain") {
    Reader r;
    r.reader.feed_datagram(small_template(), "a");
    r.reader.feed_datagram(small_data(1, 0), "b");
    r.reader.feed_datagram(small_data(1, 0, 5), "a");
    CHECK(r.lines.empty());
    CHECK(r.reader.counters().sets_without_template == 2);
    r.reader.feed_datagram(small_data(1, 0), "a");
    CHECK(r.lines.size() == 1);
}

TEST_CASE("MessageReader: gaps in the sequence are counted with the records that are missing") {
    Reader r;
    r.reader.feed_datagram(small_template(10), "a");
    r.reader.feed_datagram(small_data(1, 10), "a");
    r.reader.feed_datagram(small_data(1, 11), "a");
    CHECK(r.reader.counters().sequence_gaps == 0);
    r.reader.feed_datagram(small_data(1, 15), "a");
    CHECK(r.reader.counters().sequence_gaps == 1);
    CHECK(r.reader.counters().lost_records == 3);
}

TEST_CASE("MessageReader: a withdrawal takes a template away, over UDP against the rules") {
    const Bytes withdrawal = MessageBuilder().begin_set(2).u16(300).u16(0).end_set().done();
    const Bytes all = MessageBuilder().begin_set(2).u16(2).u16(0).end_set().done();
    Reader r;
    for (const Bytes& m : {small_template(), small_data(1, 0), withdrawal, small_data(1, 1)})
        r.reader.feed_datagram(m, "a");
    CHECK(r.lines.size() == 1);
    CHECK(r.reader.counters().udp_withdrawals == 1);
    CHECK(r.reader.counters().sets_without_template == 1);
    for (const Bytes& m : {small_template(), small_data(1, 0), all, small_data(2, 1)})
        CHECK(r.reader.feed_stream(m, "b"));
    CHECK(r.lines.size() == 2);
    CHECK(r.reader.counters().sets_without_template == 2);
    CHECK(r.reader.counters().udp_withdrawals == 1);
    CHECK(r.reader.counters().malformed == 0);
}

TEST_CASE("MessageReader: withdrawing all options templates leaves the others") {
    Reader r;
    CHECK(r.reader.feed_stream(small_template(), "a"));
    CHECK(r.reader.feed_stream(
        MessageBuilder().begin_set(3).u16(400).u16(2).u16(1).u16(144).u16(4).u16(41).u16(8).end_set().done(), "a"));
    CHECK(r.reader.feed_stream(MessageBuilder().begin_set(3).u16(3).u16(0).end_set().done(), "a"));
    CHECK(r.reader.feed_stream(small_data(1, 0), "a"));
    CHECK(r.reader.feed_stream(MessageBuilder().begin_set(400).u32(1).u32(0).u32(9).end_set().done(1), "a"));
    CHECK(r.lines.size() == 1);
    CHECK(r.reader.counters().sets_without_template == 1);
}

namespace {
// Options template 400: scope enterprise number and id, then type and name of an element; one record of it.
Bytes element_type(std::uint32_t pen, unsigned id, unsigned type, std::string_view name, std::uint32_t sequence = 0) {
    MessageBuilder m;
    m.begin_set(3).u16(400).u16(4).u16(2).u16(346).u16(4).u16(303).u16(2).u16(339).u16(1).u16(341).u16(65535).end_set();
    m.begin_set(400).u32(pen).u16(id).u8(type).u8(static_cast<unsigned>(name.size())).text(name).end_set();
    return m.done(sequence);
}
// Template 300: an element of RFC 5612's number in two octets, its reverse one, and a list of it.
Bytes enterprise_template(std::uint32_t sequence = 0) {
    MessageBuilder m;
    m.begin_set(2).u16(300).u16(3);
    m.u16(0x8000 | 7).u16(2).u32(32473).u16(0x8000 | 0x4007).u16(2).u32(32473).u16(291).u16(65535);
    return m.end_set().done(sequence);
}
Bytes enterprise_data(std::uint32_t sequence) {
    MessageBuilder m;
    m.begin_set(300).u16(258).u16(3).u8(13).u8(3).u16(0x8000 | 7).u16(2).u32(32473).u16(1).u16(2);
    return m.end_set().done(sequence);
}
}  // namespace

TEST_CASE("MessageReader: elements told by type records have their names and types from then on") {
    Reader r;
    r.reader.feed_datagram(enterprise_template(), "a");
    r.reader.feed_datagram(enterprise_data(0), "a");
    r.reader.feed_datagram(element_type(32473, 7, 2, "speed", 1), "a");
    r.reader.feed_datagram(enterprise_data(2), "a");
    r.reader.feed_datagram(enterprise_template(3), "a");
    r.reader.feed_datagram(enterprise_data(3), "a");
    REQUIRE(r.lines.size() == 4);
    CHECK(r.lines[0] == "{\"_32473_7\":\"0102\",\"_32473_16391\":\"0003\",\"basicList\":[\"0001\",\"0002\"]}");
    CHECK(r.lines[2] == "{\"speed\":258,\"reverse_speed\":3,\"basicList\":[1,2]}");
    CHECK(r.lines[3] == r.lines[2]);
    r.reader.feed_datagram(enterprise_template(), "b");  // another session has not been told
    r.reader.feed_datagram(enterprise_data(0), "b");
    CHECK(r.lines.back() == r.lines[0]);
    CHECK(r.reader.counters().sequence_gaps == 0);
}

TEST_CASE("MessageReader: type records cannot rename what is known, nor grow without bound") {
    Reader r;
    r.reader.feed_datagram(small_template(), "a");
    r.reader.feed_datagram(element_type(0, 2, 13, "nonsense"), "a");
    r.reader.feed_datagram(small_data(7, 1), "a");
    CHECK(r.lines.back().find("\"src2dst_packets\":7") != std::string::npos);
    for (unsigned id = 0; id < 1000; ++id) r.reader.feed_datagram(element_type(1000, id, 2, "n", id), "b");
    MessageBuilder m;
    m.begin_set(2).u16(300).u16(2).u16(0x8000 | 400).u16(2).u32(1000).u16(0x8000 | 900).u16(2).u32(1000).end_set();
    m.begin_set(300).u16(1).u16(2).end_set();
    r.reader.feed_datagram(m.done(), "b");
    CHECK(r.lines.back() == "{\"n\":1,\"_1000_900\":\"0002\"}");
}

TEST_CASE("MessageReader: lists of records, of one template and of several, become arrays of objects") {
    Reader r;
    MessageBuilder m;
    m.begin_set(2).u16(300).u16(2).u16(4).u16(1).u16(96).u16(65535);
    m.u16(301).u16(1).u16(7).u16(2);
    m.u16(256).u16(2).u16(292).u16(65535).u16(293).u16(65535).end_set();
    m.begin_set(256);
    m.u8(12).u8(3).u16(300).u8(6).u8(3).text("TLS").u8(17).u8(2).text("ab");
    m.u8(17).u8(0).u16(300).u16(4 + 6).u8(1).u8(4).text("ICMP").u16(301).u16(4 + 2).u16(80);
    r.reader.feed_datagram(m.end_set().done(), "a");
    REQUIRE(r.lines.size() == 1);
    CHECK(r.lines[0] ==
          "{\"subTemplateList\":[{\"protocol\":6,\"application_name\":\"TLS\"},{\"protocol\":17,"
          "\"application_name\":\"ab\"}],\"subTemplateMultiList\":[{\"protocol\":1,\"application_name\":\"ICMP\"},"
          "{\"src_port\":80}]}");
}

TEST_CASE("MessageReader: biflows become columns of both directions") {
    Reader r;
    MessageBuilder m;
    m.begin_set(2).u16(300).u16(4).u16(2).u16(2).u16(1).u16(4);
    m.u16(0x8000 | 2).u16(2).u32(29305).u16(0x8000 | 1).u16(4).u32(29305).end_set();
    m.begin_set(300).u16(3).u32(300).u16(2).u32(200).end_set();
    r.reader.feed_datagram(m.done(), "a");
    REQUIRE(r.lines.size() == 1);
    CHECK(r.lines[0].find("\"dst2src_packets\":2,\"dst2src_ip_bytes\":200") != std::string::npos);
    CHECK(r.lines[0].find("\"bidirectional_packets\":5,\"bidirectional_bytes\":500") != std::string::npos);
}

TEST_CASE("MessageReader: NetFlow in a stream is refused with the reason") {
    Reader r;
    for (const unsigned version : {5u, 9u}) {
        const std::string source = std::to_string(version);
        CHECK_FALSE(r.reader.feed_stream(Bytes{0, static_cast<std::uint8_t>(version), 0, 1, 0, 0}, source));
        CHECK(r.reader.counters().last_malformed.find("NetFlow v" + source) != std::string::npos);
    }
}

TEST_CASE("MessageReader: a stream may come in any pieces, and what is no IPFIX ends it") {
    Reader r;
    Bytes stream = small_template();
    for (unsigned i = 0; i < 5; ++i) {
        const Bytes data = small_data(i, i);
        stream.insert(stream.end(), data.begin(), data.end());
    }
    for (const std::uint8_t byte : stream) REQUIRE(r.reader.feed_stream({&byte, 1}, "a"));
    CHECK(r.lines.size() == 5);
    CHECK(r.reader.counters().sequence_gaps == 0);
    const Bytes garbage{'G', 'E', 'T', ' ', '/'};
    CHECK_FALSE(r.reader.feed_stream(garbage, "a"));
    CHECK_FALSE(r.reader.feed_stream(stream, "a"));
    CHECK(r.lines.size() == 5);
    CHECK(r.reader.counters().malformed == 1);
    CHECK(r.reader.counters().last_malformed.find("a: ") == 0);
    r.reader.end_stream("a");
    CHECK(r.reader.feed_stream(stream, "a"));
    CHECK(r.lines.size() == 10);
    CHECK(r.reader.feed_stream(std::span(stream).first(10), "a"));
    r.reader.end_stream("a");
    CHECK(r.reader.counters().malformed == 2);
}

TEST_CASE("MessageReader: a template whose records have no length is refused") {
    Reader r;
    r.reader.feed_datagram(MessageBuilder().begin_set(2).u16(300).u16(1).u16(95).u16(0).end_set().done(), "a");
    r.reader.feed_datagram(small_data(1, 0), "a");
    CHECK(r.lines.empty());
    CHECK(r.reader.counters().malformed == 1);
    CHECK(r.reader.counters().sets_without_template == 1);
}

TEST_CASE("MessageReader: a list inside a list inside a list does not go on for ever") {
    Reader r;
    MessageBuilder m;
    m.begin_set(2).u16(256).u16(1).u16(292).u16(65535).end_set();  // a subTemplateList of itself
    m.begin_set(256);
    for (int depth = 40; depth > 0; --depth) m.u8(static_cast<unsigned>(4 * depth - 1)).u8(3).u16(256);
    m.end_set();
    r.reader.feed_datagram(m.done(), "a");
    REQUIRE(r.lines.size() == 1);
    CHECK(r.lines[0].size() < 1000);
}

TEST_CASE("MessageReader: thousands of sources and templates do not make it grow without bound") {
    Reader r;
    for (int i = 0; i < 3000; ++i) r.reader.feed_datagram(small_template(), std::to_string(i));
    r.reader.feed_datagram(small_data(1, 0), "0");  // long forgotten
    CHECK(r.lines.empty());
    r.reader.feed_datagram(small_data(1, 0), "2999");
    CHECK(r.lines.size() == 1);

    Reader wide;
    MessageBuilder m;
    m.begin_set(2).u16(300).u16(4000);
    for (unsigned i = 0; i < 4000; ++i) m.u16(4).u16(1);
    m.end_set();
    const Bytes message = m.done();
    for (std::uint32_t i = 0; i < 200; ++i) wide.reader.feed_datagram(message, std::to_string(i));
    CHECK(wide.reader.counters().templates < 200);
    CHECK(wide.reader.counters().malformed > 0);
}

TEST_CASE("MessageReader: mutated messages never break it") {
    ExporterFixture f;
    const std::vector<std::int32_t> directions{0, 1, 1, 0}, numbers{0, 7, 1500, 3};
    const SequenceRecord sequence{directions, numbers, numbers};
    RecordBatch biflows = batch_of(1, 6, 4), uniflows = batch_of(7, 6, 6, false);
    for (RecordBatch* batch : {&biflows, &uniflows})
        for (FlowRecord& record : batch->records) record.sequence = &sequence;
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(biflows));
    REQUIRE(f.write(uniflows));
    REQUIRE(f.exporter->flush());
    std::vector<Bytes> seeds = f.log.messages;
    seeds.push_back(small_template());
    seeds.push_back(small_data(1, 0));
    std::uint64_t random = 42;
    const auto next = [&](std::uint64_t below) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        return (random >> 33) % below;
    };
    std::size_t lines = 0;
    MessageReader reader([&](std::string_view line) { lines += line.size() > 1; }, kTestPen);
    for (int i = 0; i < 8000; ++i) {
        if (i % 50 == 0)
            for (const Bytes& seed : f.log.messages) reader.feed_datagram(seed, "a");
        Bytes message = seeds[next(seeds.size())];
        for (std::uint64_t n = next(4) + 1; n > 0; --n) {
            const std::size_t at = next(message.size());
            switch (next(4)) {
                case 0:
                    message[at] = static_cast<std::uint8_t>(next(256));
                    break;
                case 1:
                    message[at] = next(2) != 0 ? 0xff : 0;
                    break;
                case 2:
                    message.resize(at + 1);
                    break;
                default:
                    message.insert(message.begin() + static_cast<std::ptrdiff_t>(at), message[at]);
                    break;
            }
        }
        if (next(4) != 0 && message.size() >= 4) {  // mostly past the first check
            message[0] = 0;
            message[1] = 10;
            message[2] = static_cast<std::uint8_t>(message.size() >> 8);
            message[3] = static_cast<std::uint8_t>(message.size());
        }
        reader.feed_datagram(message, "a");
        const std::string source = "s" + std::to_string(i % 7);
        if (!reader.feed_stream(message, source)) reader.end_stream(source);
    }
    CHECK(lines > 1000);
    CHECK(reader.counters().malformed > 1000);
    const std::uint64_t before = reader.counters().records;
    for (const Bytes& seed : f.log.messages) reader.feed_datagram(seed, "fresh");
    CHECK(reader.counters().records == before + 12);
}
#endif
