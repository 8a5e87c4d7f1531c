// SPDX-License-Identifier: Apache-2.0
#include "exporters/netflow/netflow9_format.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "exporters/session/collector_exporter.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/recording_transport.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using exporters::netflow::Netflow9Format;
using exporters::netflow::Netflow9Options;

namespace {

constexpr std::int64_t kStart = 1'700'000'000'000, kMillion = 1'000'000;

std::uint64_t number(const Bytes& bytes, std::size_t at, std::size_t octets) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < octets; ++i) value = value << 8 | bytes.at(at + i);
    return value;
}

FieldGroups groups() {
    return {.tunnel = false, .application = true};
}

Netflow9Options options(bool biflow = false) {
    Netflow9Options o;
    o.groups = groups();
    for (const char* name : {"src_ip", "dst_ip", "src_port", "dst_port", "protocol", "src2dst_packets",
                             "src2dst_ip_bytes", "dst2src_packets", "dst2src_ip_bytes", "src2dst_first_seen_ms",
                             "src2dst_last_seen_ms", "application_name", "tls_server_name", "src2dst_tcp_flags"})
        o.fields.push_back(find_field(name));
    o.source_id = 9;
    o.options.kinds = {};
    o.biflow = biflow;
    o.start_ms = kStart;
    return o;
}

FlowRecord flow(std::uint64_t id, int version = 4) {
    static const ApplicationRecord application = [] {
        ApplicationRecord a;
        a.name = "TLS.Google";
        a.requested_server_name =
            "a-name-that-is-longer-than-its-field-\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc.example";
        a.family = ApplicationFamily::kTls;
        return a;
    }();
    FlowRecord record;
    record.id = id;
    record.source_address = {{192, 0, 2, 1}, static_cast<std::uint8_t>(version)};
    record.destination_address = {{198, 51, 100, 2}, static_cast<std::uint8_t>(version)};
    record.source_port = 50000;
    record.destination_port = 443;
    record.protocol = 6;
    record.forward = {.first = (kStart + 5000) * kMillion,
                      .last = (kStart + 9000) * kMillion,
                      .packets = 10,
                      .octets = 5'000'000'000};
    record.forward.tcp_flags = 0x1b;
    record.reverse = {.first = (kStart + 6000) * kMillion,
                      .last = (kStart + 9500) * kMillion,
                      .packets = 20,
                      .octets = 6'000'000'000};
    record.application = &application;
    return record;
}

struct Fixture {
    TransportLog log;
    CapturedLog lines;
    std::unique_ptr<exporters::CollectorExporter> exporter;

    explicit Fixture(const Netflow9Options& o) {
        auto format = Netflow9Format::make(o);
        if (!format) throw std::runtime_error(format.error().text());
        std::vector<std::unique_ptr<exporters::MessageTransport>> transports;
        transports.push_back(std::make_unique<RecordingTransport>(log, true));
        exporters::ExportClock clock;
        clock.wall = [] { return std::chrono::system_clock::time_point(std::chrono::milliseconds(kStart + 10'000)); };
        exporters::CollectorOptions collectors;
        collectors.session.send_octets = 0;
        exporter = std::make_unique<exporters::CollectorExporter>(
            "test", std::move(format.value()), std::move(transports), collectors, lines.logger(), clock);
        REQUIRE(exporter->open());
    }
    void send(std::vector<FlowRecord> records) {
        RecordBatch batch;
        batch.records = std::move(records);
        std::size_t consumed = 0;
        REQUIRE(exporter->write(batch, 0, consumed));
        REQUIRE(exporter->flush());
    }
};

using Template = std::vector<std::pair<unsigned, std::size_t>>;  // field type and length
using Record = std::map<unsigned, Bytes>;

// Reads by the letter of RFC 3954, with nothing of ours.
struct Read {
    std::map<unsigned, Template> templates;
    std::vector<Record> records;

    explicit Read(const std::vector<Bytes>& messages) {
        std::uint64_t sequence = 0;
        for (const Bytes& m : messages) {
            CHECK(number(m, 0, 2) == 9);
            CHECK(number(m, 12, 4) == sequence++);
            CHECK(number(m, 16, 4) == 9);
            std::size_t counted = 0;
            for (std::size_t at = 20; at < m.size();) {
                const std::size_t id = number(m, at, 2), length = number(m, at + 2, 2);
                CHECK(length % 4 == 0);
                REQUIRE(length > 4);
                REQUIRE(at + length <= m.size());
                counted += id == 0 ? templates_in(m, at + 4, at + length) : data_in(m, id, at + 4, at + length);
                at += length;
            }
            CHECK(number(m, 2, 2) == counted);
        }
    }
    std::size_t templates_in(const Bytes& m, std::size_t at, std::size_t end) {
        std::size_t count = 0;
        for (; at + 4 <= end; ++count) {
            Template& fields = templates[number(m, at, 2)];
            fields.clear();
            std::size_t n = number(m, at + 2, 2);
            for (at += 4; n > 0; --n, at += 4) fields.emplace_back(number(m, at, 2), number(m, at + 2, 2));
        }
        return count;
    }
    std::size_t data_in(const Bytes& m, std::size_t id, std::size_t at, std::size_t end) {
        REQUIRE(templates.count(static_cast<unsigned>(id)) == 1);
        std::size_t length = 0, count = 0;
        for (const auto& field : templates[static_cast<unsigned>(id)]) length += field.second;
        for (; end - at >= length; ++count) {
            Record& record = records.emplace_back();
            for (const auto& [type, octets] : templates[static_cast<unsigned>(id)]) {
                record[type] = Bytes(m.begin() + static_cast<std::ptrdiff_t>(at),
                                     m.begin() + static_cast<std::ptrdiff_t>(at + octets));
                at += octets;
            }
        }
        CHECK(end - at < 4);
        for (; at < end; ++at) CHECK(m[at] == 0);
        return count;
    }
};

std::uint64_t value(const Record& record, unsigned type) {
    return number(record.at(type), 0, record.at(type).size());
}

std::string text(const Record& record, unsigned type) {
    const Bytes& octets = record.at(type);
    std::string out(octets.begin(), octets.end());
    return out.substr(0, out.find('\0'));
}

}  // namespace

TEST_CASE("NetFlow 9: each direction is a record, times both in uptime and absolute, strings of fixed length") {
    for (const int version : {4, 6}) {
        Fixture f(options());
        f.send({flow(1, version), flow(2, version)});
        const Read read(f.log.messages);
        CHECK(read.templates.size() == 2);
        REQUIRE(read.records.size() == 4);
        const Record &there = read.records[0], &back = read.records[1];
        CHECK(there.at(version == 4 ? 8 : 27).size() == (version == 4 ? 4 : 16));
        CHECK(number(there.at(version == 4 ? 8 : 27), 0, 4) == 0xc0000201);
        CHECK(number(back.at(version == 4 ? 8 : 27), 0, 4) == 0xc6336402);
        CHECK(value(there, 1) == 5'000'000'000);
        CHECK(value(back, 1) == 6'000'000'000);
        CHECK(value(there, 2) == 10);
        CHECK(value(there, 22) == 5000);
        CHECK(value(there, 21) == 9000);
        CHECK(value(back, 21) == 9500);
        CHECK(value(there, 152) == kStart + 5000);
        CHECK(value(there, 6) == 0x1b);
        CHECK(there.count(23) == 0);
        CHECK(text(there, 96) == "TLS.Google");
        CHECK(there.at(57472 + 188).size() == 48);
        CHECK(text(there, 57472 + 188).starts_with("a-name-that-is-longer"));
        CHECK(text(there, 57472 + 188).size() == 47);  // whole characters only
        for (const Bytes& m : f.log.messages) {
            CHECK(number(m, 4, 4) == 10'000);
            CHECK(number(m, 8, 4) == kStart / 1000 + 10);
        }
    }
}

TEST_CASE("NetFlow 9: with biflow one record has the other direction as OUT fields, and ends with the later one") {
    Fixture f(options(true));
    f.send({flow(1)});
    const Read read(f.log.messages);
    REQUIRE(read.records.size() == 1);
    CHECK(value(read.records[0], 23) == 6'000'000'000);
    CHECK(value(read.records[0], 24) == 20);
    CHECK(value(read.records[0], 21) == 9500);
}

TEST_CASE("NetFlow 9: messages are full, fit their limit, and count in the sequence one each") {
    Netflow9Options o = options();
    o.max_message = 700;
    Fixture f(o);
    std::vector<FlowRecord> records;
    for (std::uint64_t id = 1; id <= 100; ++id) records.push_back(flow(id, id % 3 == 0 ? 6 : 4));
    f.send(std::move(records));
    const Read read(f.log.messages);
    CHECK(read.records.size() == 200);
    for (const Bytes& m : f.log.messages) CHECK(m.size() <= 700);
    CHECK(f.exporter->counters().records.get() == 100);
}

TEST_CASE("NetFlow 9: fields that do not fit, or that it has not got, are errors") {
    Netflow9Options o = options();
    o.max_message = 300;
    CHECK_FALSE(Netflow9Format::make(o));
    o = options();
    o.fields = {find_field("expiration_id")};
    const auto made = Netflow9Format::make(o);
    REQUIRE_FALSE(made);
    CHECK(made.error().message.find("none of them") != std::string::npos);
}
