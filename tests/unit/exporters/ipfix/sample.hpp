// SPDX-License-Identifier: Apache-2.0
// Flow records with every member set, an exporter of them, and readers of what
// came out, for the tests of IPFIX.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/record/flow_record.hpp"
#include "exporters/ipfix/ipfix_format.hpp"
#include "exporters/ipfix/message_reader.hpp"
#include "exporters/session/collector_exporter.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/recording_transport.hpp"

namespace nfstreamd::test {

using exporters::CollectorExporter;
using exporters::CollectorOptions;
using exporters::ipfix::IpfixFormat;
using exporters::ipfix::IpfixOptions;
using exporters::ipfix::MessageReader;
using Lines = std::vector<std::map<std::string, std::string>>;

inline constexpr std::uint32_t kTestPen = 32473;  // RFC 5612: for documentation

inline IpAddress address(int version, std::uint8_t last) {
    IpAddress out;
    out.version = static_cast<std::uint8_t>(version);
    if (version == 4)
        out.bytes = {192, 0, 2, last};
    else
        out.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last};
    return out;
}

inline DirectionRecord direction(std::uint64_t seed) {
    DirectionRecord d;
    d.first = 1'700'000'000'123'456'789 + static_cast<TimestampNs>(seed) * 1'000'000;
    d.last = d.first + 5'000'000'000;
    d.packets = 10 + seed;
    d.octets = 5'000'000'000 + seed;  // more than 32 bits
    d.bytes = d.octets + 14 * d.packets;
    d.flow_label = 0xabcde;
    d.tcp_flags = static_cast<std::uint8_t>(0x1b + seed % 2);
    d.tos = 0xb8;
    d.ttl_min = 60;
    d.ttl_max = 64;
    d.icmp_type = 8;
    d.icmp_code = static_cast<std::uint8_t>(seed % 7);
    return d;
}

// Record number `n`; its texts are string literals, its blocks live as long as the program.
inline FlowRecord sample(std::uint64_t n, int version = 4, bool two_way = true) {
    static const StatisticsRecord statistics = [] {
        StatisticsRecord s;
        for (std::uint64_t i = 0; i < kTcpFlagCount; ++i) {
            s.forward.flag_packets[i] = 100 + i;
            s.reverse.flag_packets[i] = 200 + i;
        }
        return s;
    }();
    static const ApplicationRecord application = [] {
        ApplicationRecord a;
        a.name = "TLS.Google";
        a.category_name = "Web";
        a.requested_server_name = "b\u00fccher.example";
        a.client_fingerprint = "0123456789abcdef0123456789abcdef";
        a.server_fingerprint = "fedcba9876543210fedcba9876543210";
        a.user_agent = "agent \"quoted\"\t\\";
        a.content_type = "text/html";
        a.family = ApplicationFamily::kTls;
        a.confidence = 6;
        a.is_guessed = true;
        return a;
    }();
    FlowRecord r;
    r.id = n;
    r.source_address = address(version, 1);
    r.destination_address = address(version, 2);
    r.forward = direction(n);
    if (two_way) r.reverse = direction(n + 1);
    r.source_mac = {0x30, 0x52, 0xcb, 0x6c, 0x9c, 0x1b};
    r.destination_mac = {0x02, 0, 0, 0, 0, 0xff};
    r.source_port = 50000;
    r.destination_port = 443;
    r.vlan_id = 4000;
    r.protocol = 6;
    r.ip_version = static_cast<std::uint8_t>(version);
    r.tunnel_id = 2;
    r.end_reason = EndReason::kPlugin;
    r.biflow_direction = BiflowDirection::kInitiator;
    r.flow_direction = 1;
    r.observation_point = 77;
    r.ingress_interface = 3;
    r.egress_interface = 4;
    r.interface_name = "eth0";
    r.statistics = &statistics;
    r.application = &application;
    return r;
}

inline RecordBatch batch_of(std::uint64_t first, std::size_t count, int version = 4, bool two_way = true) {
    RecordBatch batch;
    for (std::size_t i = 0; i < count; ++i) batch.records.push_back(sample(first + i, version, two_way));
    return batch;
}

inline FieldGroups all_groups(int accounting_mode = 0) {
    return {.tunnel = true, .statistics = true, .splt = true, .application = true, .accounting_mode = accounting_mode};
}

inline IpfixOptions all_fields(std::uint16_t max_message = 1372) {
    IpfixOptions options;
    options.groups = all_groups();
    options.private_enterprise_number = kTestPen;
    options.fields = ipfix_fields(options.groups, kTestPen);
    options.observation_domain = 9;
    options.max_message = max_message;
    options.options.kinds = {};
    return options;
}

// An exporter on a RecordingTransport with a clock that stands until it is moved.
struct ExporterFixture {
    TransportLog log;
    CapturedLog lines;
    std::chrono::steady_clock::time_point now{};
    std::int64_t wall_seconds = 1'700'000'000;
    std::unique_ptr<CollectorExporter> exporter;

    // `send_octets` 0: each message leaves as soon as it is complete.
    explicit ExporterFixture(const IpfixOptions& options = all_fields(), bool datagram = true,
                             std::size_t send_octets = 0) {
        exporters::ExportClock clock;
        clock.wall = [this] { return std::chrono::system_clock::time_point(std::chrono::seconds(wall_seconds)); };
        clock.steady = [this] { return now; };
        auto format = IpfixFormat::make(options, "test", lines.logger());
        if (!format) throw std::runtime_error(format.error().text());
        std::vector<std::unique_ptr<exporters::MessageTransport>> transports;
        transports.push_back(std::make_unique<RecordingTransport>(log, datagram));
        CollectorOptions collectors;
        collectors.session.send_octets = send_octets;
        exporter = std::make_unique<CollectorExporter>("test", std::move(format.value()), std::move(transports),
                                                       collectors, lines.logger(), clock);
    }

    Status write(const RecordBatch& batch, std::size_t from = 0) {
        consumed = from;
        return exporter->write(batch, from, consumed);
    }
    std::size_t consumed = 0;
};

inline std::uint32_t number_at(const Bytes& bytes, std::size_t at, int octets) {
    std::uint32_t value = 0;
    for (int i = 0; i < octets; ++i) value = value << 8 | bytes.at(at + static_cast<std::size_t>(i));
    return value;
}

// Keys and raw values of a line of JSON, one level deep.
inline std::map<std::string, std::string> parse_line(std::string_view line) {
    std::map<std::string, std::string> out;
    std::string key, value;
    bool in_text = false, in_key = true;
    int depth = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (in_text) {
            (in_key ? key : value) += c;
            if (c == '\\') (in_key ? key : value) += line[++i];
            if (c == '"') in_text = false;
            continue;
        }
        if ((c == '}' || c == ']') && --depth == 0) break;
        if (c == '"') in_text = true;
        if (depth == 1 && c == ':') {
            in_key = false;
        } else if (depth == 1 && c == ',') {
            out[key.substr(1, key.size() - 2)] = value;
            key.clear();
            value.clear();
            in_key = true;
        } else if (depth > 0) {
            (in_key ? key : value) += c;
        }
        if (c == '{' || c == '[') ++depth;
    }
    if (!key.empty()) out[key.substr(1, key.size() - 2)] = value;
    return out;
}

inline Lines read_all(const std::vector<Bytes>& messages, exporters::ipfix::ReaderCounters* counters = nullptr,
                      std::uint32_t pen = kTestPen) {
    Lines lines;
    MessageReader reader([&](std::string_view line) { lines.push_back(parse_line(line)); }, pen);
    for (const Bytes& message : messages) reader.feed_datagram(message, "test");
    if (counters != nullptr) *counters = reader.counters();
    return lines;
}

inline std::uint64_t sum(const Lines& lines, const std::string& key) {
    std::uint64_t total = 0;
    for (const auto& line : lines) total += std::stoull(line.at(key));
    return total;
}

}  // namespace nfstreamd::test
