// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/ipfix/ipfix_format.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "core/base/json_text.hpp"
#include "core/base/utf8.hpp"
#include "tests/unit/exporters/ipfix/sample.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace std::chrono_literals;

namespace {

struct ToText {
    std::string operator()(std::monostate) const { return ""; }
    std::string operator()(std::uint64_t v) const { return fmt::format("{}", v); }
    std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return fmt::format("{}", v); }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(std::string_view v) const {
        std::string out;
        append_json_string(out, v);
        return out;
    }
    std::string operator()(const IpAddress& v) const { return '"' + to_string(v) + '"'; }
    std::string operator()(const MacAddress& v) const { return '"' + to_string(v) + '"'; }
    std::string operator()(const Unsigned128&) const { return "no element has such a number"; }
    std::string operator()(std::span<const std::int32_t> list) const {  // the tail is not on the wire
        const auto end = std::find(list.begin(), list.end(), -1);
        return fmt::format("[{}]", fmt::join(list.begin(), end, ","));
    }
};

// The Sets of a message as (id, content octets).
std::vector<std::pair<unsigned, std::size_t>> sets_of(const Bytes& message) {
    std::vector<std::pair<unsigned, std::size_t>> sets;
    for (std::size_t at = 16; at < message.size();) {
        const std::size_t length = number_at(message, at + 2, 2);
        REQUIRE(length >= 4);
        REQUIRE(at + length <= message.size());
        sets.emplace_back(number_at(message, at, 2), length - 4);
        at += length;
    }
    return sets;
}

bool is_template(const Bytes& message) {
    return number_at(message, 16, 2) == 2;
}

}  // namespace

TEST_CASE("IPFIX: every field of a flow comes back as it was") {
    for (const int mode : {0, 1, 2, 3})
        for (const int version : {4, 6})
            for (const bool two_way : {true, false}) {
                CAPTURE(mode);
                CAPTURE(version);
                CAPTURE(two_way);
                IpfixOptions options = all_fields();
                options.groups = all_groups(mode);
                options.fields = ipfix_fields(options.groups, kTestPen);
                ExporterFixture f(options);
                RecordBatch batch = batch_of(41, 1, version, two_way);
                FlowRecord& record = batch.records[0];
                const std::vector<std::int32_t> directions{0, 1, 0, -1}, sizes{60, 1500, 0, -1}, gaps{0, 90'000, 3, -1};
                const SequenceRecord sequence{directions, sizes, gaps};
                record.sequence = &sequence;
                if (mode == 1 && version == 4) {
                    record.forward.bytes = record.forward.octets;
                    record.reverse.bytes = record.reverse.octets;
                }
                REQUIRE(f.exporter->open());
                REQUIRE(f.write(batch));
                REQUIRE(f.exporter->flush());

                exporters::ipfix::ReaderCounters counters;
                const Lines lines = read_all(f.log.messages, &counters);
                CHECK(counters.malformed == 0);
                REQUIRE(lines.size() == 1);
                std::size_t compared = 0;
                for (const InformationElement* field : options.fields) {
                    if (ipfix_element(*field, version, options.groups, kTestPen).id == 0) continue;
                    if (!two_way && (field->side == IeSide::kReverse || field->side == IeSide::kBoth)) continue;
                    if (field->type == IeType::kOctetArray) continue;  // its octets are more than the number
                    CAPTURE(field->column);
                    REQUIRE(lines[0].count(std::string(field->column)) == 1);
                    CHECK(lines[0].at(std::string(field->column)) == std::visit(ToText{}, field->value(record)));
                    ++compared;
                }
                CHECK(compared >= 40);
                for (const std::string key :
                     {"src2dst_bytes", "dst2src_packets", "dst2src_bytes", "bidirectional_packets",
                      "bidirectional_bytes", "bidirectional_first_seen_ms", "bidirectional_last_seen_ms",
                      "bidirectional_duration_ms"}) {
                    CAPTURE(key);
                    const auto* field = find_field(key);
                    REQUIRE(field != nullptr);
                    CHECK(lines[0].at(key) == std::visit(ToText{}, field->value(record)));
                }
            }
}

TEST_CASE("IPFIX: the header tells version, length, time of sending, sequence and domain") {
    ExporterFixture f;
    REQUIRE(f.exporter->open());
    const std::size_t first_data = f.log.messages.size();
    f.wall_seconds += 5;
    REQUIRE(f.write(batch_of(1, 40)));
    f.wall_seconds += 5;
    REQUIRE(f.exporter->flush());
    REQUIRE(f.log.messages.size() > 3);
    std::uint32_t sequence = 0;
    for (std::size_t i = 0; i < f.log.messages.size(); ++i) {
        const Bytes& message = f.log.messages[i];
        CHECK(number_at(message, 0, 2) == 10);
        CHECK(number_at(message, 2, 2) == message.size());
        CHECK(number_at(message, 8, 4) == sequence);
        CHECK(number_at(message, 12, 4) == 9);
        std::vector<Bytes> with_templates(f.log.messages.begin(),
                                          f.log.messages.begin() + static_cast<std::ptrdiff_t>(first_data));
        with_templates.push_back(message);
        sequence += static_cast<std::uint32_t>(read_all(with_templates).size());
    }
    CHECK(sequence == 40);
    CHECK(number_at(f.log.messages.front(), 4, 4) == 1'700'000'000);
    CHECK(number_at(f.log.messages[first_data], 4, 4) == 1'700'000'005);
    CHECK(number_at(f.log.messages.back(), 4, 4) == 1'700'000'010);
    CHECK(f.exporter->counters().records.get() == 40);
    CHECK(f.exporter->counters().data_records.get() == 40);
    CHECK(f.exporter->counters().messages.get() == f.log.messages.size());
    std::size_t octets = 0;
    for (const Bytes& message : f.log.messages) octets += message.size();
    CHECK(f.exporter->counters().octets.get() == octets);
}

// Ids of the template records in the messages; nothing else is in them.
std::vector<unsigned> template_ids(const std::vector<Bytes>& messages) {
    std::vector<unsigned> ids;
    for (const Bytes& message : messages) {
        for (const auto& [id, size] : sets_of(message)) CHECK(id == 2);
        for (std::size_t at = 16; at < message.size();) {
            const std::size_t set_end = at + number_at(message, at + 2, 2);
            for (std::size_t record = at + 4; record < set_end;) {
                ids.push_back(number_at(message, record, 2));
                std::size_t fields = number_at(message, record + 2, 2);
                CHECK(fields > 20);
                for (record += 4; fields > 0; --fields) record += (number_at(message, record, 2) & 0x8000) ? 8 : 4;
            }
            at = set_end;
        }
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

TEST_CASE("IPFIX: templates go first, alone, with ids of their own and no withdrawal") {
    const auto ids_of = [](const IpfixOptions& options) {
        ExporterFixture f(options, false);
        REQUIRE(f.exporter->open());
        REQUIRE(f.log.messages.size() >= 1);
        return template_ids(f.log.messages);
    };
    const IpfixOptions options = all_fields();
    const auto ids = ids_of(options);
    CHECK(ids.size() == 4);
    CHECK(ids.front() >= 256);
    CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
    CHECK(ids_of(options) == ids);  // in every run

    IpfixOptions other_domain = options, other_fields = options;
    other_domain.observation_domain = 10;
    other_fields.fields.pop_back();
    for (const auto& others : {ids_of(other_domain), ids_of(other_fields)}) {
        std::vector<unsigned> common;
        std::set_intersection(ids.begin(), ids.end(), others.begin(), others.end(), std::back_inserter(common));
        CHECK(common.empty());
    }
}

TEST_CASE("IPFIX: templates are sent again over UDP when their time has come, by a flush as by a write") {
    ExporterFixture f;
    REQUIRE(f.exporter->open());
    const std::size_t at_start = f.log.messages.size();
    CHECK(f.exporter->counters().templates.get() == at_start);
    const std::size_t once = at_start / 2;  // RFC 5153, section 6.1: twice at the start of a session over datagrams
    CHECK(at_start == 2 * once);
    for (std::size_t i = 0; i < once; ++i)
        CHECK(template_ids({f.log.messages[i]}) == template_ids({f.log.messages[once + i]}));
    f.now += 59s;
    REQUIRE(f.exporter->flush());
    CHECK(f.log.messages.size() == at_start);
    f.now += 1s;
    REQUIRE(f.exporter->flush());
    CHECK(f.log.messages.size() == at_start + once);
    f.now += 60s;
    REQUIRE(f.write(batch_of(1, 1)));
    CHECK(f.log.messages.size() == at_start + 2 * once);
    for (const Bytes& message : f.log.messages) CHECK(is_template(message));

    ExporterFixture stream(all_fields(), false);
    REQUIRE(stream.exporter->open());
    stream.now += 1h;
    REQUIRE(stream.exporter->flush());
    CHECK(stream.log.messages.size() == once);
}

TEST_CASE("IPFIX: no message has an empty Set or passes its limit, whatever is mixed") {
    for (const std::uint16_t limit : {464, 600, 1372, 8192}) {
        CAPTURE(limit);
        IpfixOptions options = all_fields(limit);
        if (limit < 1000) {
            options.groups.statistics = options.groups.application = false;
            options.fields = ipfix_fields(options.groups, 0);
            options.private_enterprise_number = 0;
        }
        ExporterFixture f(options);
        REQUIRE(f.exporter->open());
        std::uint32_t random = 1;
        for (int i = 0; i < 400; ++i) {
            random = random * 1664525 + 1013904223;
            REQUIRE(f.write(batch_of(static_cast<std::uint64_t>(i), 1, random >> 31 ? 4 : 6, (random >> 30 & 1) != 0)));
            if ((random >> 24 & 31) == 0) REQUIRE(f.exporter->flush());
        }
        REQUIRE(f.exporter->flush());
        for (const Bytes& message : f.log.messages) {
            CHECK(message.size() <= limit);
            const auto sets = sets_of(message);
            CHECK(!sets.empty());
            for (const auto& [id, size] : sets) CHECK(size > 0);
        }
        exporters::ipfix::ReaderCounters counters;
        const Lines lines = read_all(f.log.messages, &counters);
        CHECK(lines.size() == 400);
        CHECK(counters.sequence_gaps == 0);
        CHECK(counters.malformed == 0);
        CHECK(f.exporter->counters().records.get() == 400);
    }
}

TEST_CASE("IPFIX: strings of any length are cut so that the record fits, and stay valid UTF-8") {
    for (const std::size_t length : {0, 1, 254, 255, 256, 1000, 5000, 70000}) {
        CAPTURE(length);
        ExporterFixture f;
        std::string text;
        while (text.size() + 2 <= length) text += "\u00fc";
        text.resize(length, 'x');
        ApplicationRecord application;
        application.requested_server_name = text;
        application.name = "TLS";
        RecordBatch batch = batch_of(1, 1);
        batch.records[0].application = &application;
        REQUIRE(f.exporter->open());
        REQUIRE(f.write(batch));
        REQUIRE(f.exporter->flush());
        CHECK(f.log.messages.back().size() <= 1372);
        const Lines lines = read_all(f.log.messages);
        REQUIRE(lines.size() == 1);
        CHECK(lines[0].at("application_name") == "\"TLS\"");
        const std::string got = lines[0].at("requested_server_name");
        const std::string_view inner = std::string_view(got).substr(1, got.size() - 2);
        CHECK(inner == utf8_prefix(text, inner.size()));
        if (length <= 256) CHECK(inner.size() == length);
        if (length >= 5000) {
            CHECK(inner.size() > 500);
            CHECK(f.lines.contains("strings cut"));
            CHECK(f.exporter->counters().cut_strings.get() == 1);
        }
        CHECK(f.exporter->counters().cut_lists.get() == 0);
        CHECK(f.exporter->counters().dropped_oversize.get() == 0);
    }
}

TEST_CASE("IPFIX: lists of 255 packets are cut to the datagram, counted, and said once") {
    ExporterFixture f;
    const std::vector<std::int32_t> numbers(255, 1);
    const SequenceRecord sequence{numbers, numbers, numbers};
    RecordBatch batch = batch_of(1, 10);
    for (FlowRecord& record : batch.records) record.sequence = &sequence;
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(batch));
    REQUIRE(f.exporter->flush());
    const Lines lines = read_all(f.log.messages);
    REQUIRE(lines.size() == 10);
    for (const auto& line : lines) {
        CHECK(line.at("application_name") == "\"TLS.Google\"");
        CHECK(line.at("splt_direction").size() > 2 * 20);
    }
    for (const Bytes& message : f.log.messages) CHECK(message.size() <= 1372);
    CHECK(f.exporter->counters().cut_lists.get() == 10);
    CHECK(f.exporter->counters().cut_strings.get() == 0);
    CHECK(f.exporter->counters().records.get() == 10);
    CHECK(f.lines.count("lists cut") == 1);
}

TEST_CASE("IPFIX: both halves of a flow have its first packets, each from its own side") {
    IpfixOptions options = all_fields(8192);
    options.biflow = false;
    ExporterFixture f(options, false);
    const std::vector<std::int32_t> directions{0, 1, 1, -1}, numbers{0, 5, 7, -1};
    const SequenceRecord sequence{directions, numbers, numbers};
    RecordBatch batch = batch_of(1, 1);
    batch.records[0].sequence = &sequence;
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(batch));
    REQUIRE(f.exporter->flush());
    const Lines lines = read_all(f.log.messages);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].at("splt_direction") == "[0,1,1]");
    CHECK(lines[1].at("splt_direction") == "[1,0,0]");
    for (const auto& line : lines) {
        CHECK(line.at("splt_piat_ms") == "[0,5,7]");
        CHECK(line.at("splt_ps") == "[0,5,7]");
        CHECK(line.count("bidirectional_stddev_piat_ms") == 1);
    }
}

TEST_CASE("IPFIX: bytes that are no UTF-8 are left out of strings") {
    ExporterFixture f;
    ApplicationRecord application;
    application.user_agent =
        "a\xff\xc3"
        "b\u00fc";
    RecordBatch batch = batch_of(1, 1);
    batch.records[0].application = &application;
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(batch));
    REQUIRE(f.exporter->flush());
    const Lines lines = read_all(f.log.messages);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].at("user_agent") == "\"ab\u00fc\"");
}

TEST_CASE("IPFIX: a value that its shorter element cannot hold is the greatest, never a remainder") {
    ExporterFixture f;
    StatisticsRecord statistics;
    statistics.forward.flag_packets[kSyn] = 4'294'967'296;
    statistics.reverse.flag_packets[kFin] = 4'294'967'295;
    RecordBatch batch = batch_of(1, 1);
    batch.records[0].statistics = &statistics;
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(batch));
    REQUIRE(f.exporter->flush());
    const Lines lines = read_all(f.log.messages);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].at("src2dst_syn_packets") == "4294967295");
    CHECK(lines[0].at("dst2src_fin_packets") == "4294967295");
    CHECK(lines[0].at("expiration_id") == "-1");
    CHECK(lines[0].at("src2dst_bytes") == "5000000155");
}

TEST_CASE("IPFIX: uniflow records add up to the biflow") {
    for (const int version : {4, 6}) {
        ExporterFixture biflow;
        IpfixOptions options = all_fields();
        options.biflow = false;
        ExporterFixture uniflow(options);
        for (ExporterFixture* f : {&biflow, &uniflow}) {
            REQUIRE(f->exporter->open());
            REQUIRE(f->write(batch_of(1, 20, version, true)));
            REQUIRE(f->write(batch_of(21, 10, version, false)));
            REQUIRE(f->exporter->flush());
        }
        exporters::ipfix::ReaderCounters counters;
        const Lines two = read_all(biflow.log.messages), one = read_all(uniflow.log.messages, &counters);
        CHECK(two.size() == 30);
        CHECK(one.size() == 50);
        CHECK(counters.sequence_gaps == 0);
        for (const std::string name : {"packets", "bytes", "ip_bytes", "syn_packets"}) {
            CAPTURE(name);
            std::uint64_t reverse = 0;
            for (const auto& line : two)
                if (line.count("dst2src_" + name) != 0) reverse += std::stoull(line.at("dst2src_" + name));
            CHECK(sum(one, "src2dst_" + name) == sum(two, "src2dst_" + name) + reverse);
        }
        for (const auto& line : one) CHECK(line.at("dst2src_packets") == "0");
        CHECK(one[1].at("src_ip") == two[0].at("dst_ip"));
        CHECK(one[1].at("src2dst_syn_packets") == two[0].at("dst2src_syn_packets"));
        CHECK(uniflow.exporter->counters().records.get() == 30);
        CHECK(uniflow.exporter->counters().data_records.get() == 50);
    }
}

TEST_CASE("IPFIX: a tunnel comes back as it was, and turned round in the uniflow of the other direction") {
    TunnelRecord tunnel;
    tunnel.source_address = {{192, 0, 2, 1}, 4};
    tunnel.destination_address = {{0x20, 1, 0xd, 0xb8}, 6};
    tunnel.key = 0xdeadbeef, tunnel.reverse_key = 7, tunnel.kind = "gtp", tunnel.depth = 2;
    for (const bool biflow : {true, false}) {
        IpfixOptions options = all_fields();
        options.biflow = biflow;
        const auto selected = select_fields({"default", "encapsulation"}, options.fields, options.groups);
        REQUIRE(selected);
        options.fields = selected.value();
        ExporterFixture f(options);
        RecordBatch batch = batch_of(1, 1);
        batch.records[0].tunnel = &tunnel;
        REQUIRE(f.exporter->open());
        REQUIRE(f.write(batch));
        REQUIRE(f.exporter->flush());
        const Lines lines = read_all(f.log.messages);
        REQUIRE(lines.size() == (biflow ? 1 : 2));
        CHECK(lines[0].at("outer_src_ip") == "\"192.0.2.1\"");
        CHECK(lines[0].at("outer_dst_ip") == "\"2001:db8::\"");
        CHECK(lines[0].at("tunnel_key") == "3735928559");
        CHECK(lines[0].at("tunnel_type") == "\"gtp\"");
        CHECK(lines[0].at("tunnel_depth") == "2");
        if (biflow) {
            CHECK(lines[0].at("tunnel_reverse_key") == "7");
        } else {
            CHECK(lines[1].at("outer_src_ip") == "\"2001:db8::\"");
            CHECK(lines[1].at("outer_dst_ip") == "\"192.0.2.1\"");
            CHECK(lines[1].at("tunnel_key") == "7");
        }
    }
}

TEST_CASE("IPFIX: after a failure the records that were taken go over the new session, each once") {
    ExporterFixture f(all_fields(), false);
    const RecordBatch batch = batch_of(1, 100);
    REQUIRE(f.exporter->open());
    f.log.accept = 3;
    std::size_t from = 0;
    int failures = 0;
    while (true) {
        const Status status = f.write(batch, from);
        if (status) break;
        ++failures;
        CHECK(f.exporter->counters().up.get() == 0);
        CHECK(f.consumed >= from);
        from = f.consumed;
        f.log.accept = 6;
        REQUIRE(f.exporter->open());
    }
    CHECK(failures > 2);
    f.log.accept = SIZE_MAX;
    REQUIRE(f.exporter->flush());
    CHECK(f.exporter->counters().records.get() == 100);
    CHECK(f.exporter->counters().failures.get() == static_cast<std::uint64_t>(failures));
    CHECK(f.exporter->counters().connects.get() == static_cast<std::uint64_t>(failures) + 1);

    const Lines lines = read_all(f.log.messages);
    std::map<std::string, int> seen;
    for (const auto& line : lines) ++seen[line.at("id")];
    CHECK(seen.size() == 100);
    for (const auto& [id, times] : seen) CHECK(times == 1);
    for (const std::size_t start : f.log.session_starts) {
        REQUIRE(start < f.log.messages.size());
        CHECK(is_template(f.log.messages[start]));
        CHECK(number_at(f.log.messages[start], 8, 4) == 0);
    }
}

TEST_CASE("IPFIX: what cannot be sent any more at close is counted") {
    ExporterFixture f(all_fields(), false);
    REQUIRE(f.exporter->open());
    f.log.accept = 2;
    const RecordBatch batch = batch_of(1, 100);
    REQUIRE_FALSE(f.write(batch));
    const std::size_t taken = f.consumed;
    CHECK(taken > 0);
    CHECK(taken < 100);
    f.exporter->close();
    const auto& counters = f.exporter->counters();
    CHECK(counters.dropped_failed.get() > 0);
    CHECK(counters.records.get() + counters.dropped_failed.get() == taken);
    CHECK_FALSE(f.write(batch));
    CHECK(f.consumed == 0);
}

TEST_CASE("IPFIX: a busy receiver is no failure and loses nothing") {
    ExporterFixture f(all_fields(), false);
    REQUIRE(f.exporter->open());
    f.log.send_errors = {ErrorCode::kBusy, ErrorCode::kBusy};
    const RecordBatch batch = batch_of(1, 100);
    std::size_t from = 0;
    int busy = 0;
    while (true) {
        const Status status = f.write(batch, from);
        if (status) break;
        CHECK(status.error().code == ErrorCode::kBusy);
        from = f.consumed;
        ++busy;
    }
    CHECK(busy == 2);
    REQUIRE(f.exporter->flush());
    CHECK(f.exporter->counters().failures.get() == 0);
    CHECK(f.exporter->counters().records.get() == 100);
    CHECK(read_all(f.log.messages).size() == 100);
}

TEST_CASE("IPFIX: a message too long for the path is counted and leaves a gap in the sequence") {
    ExporterFixture f;
    REQUIRE(f.exporter->open());
    f.log.send_errors = {ErrorCode::kInvalidArgument};
    REQUIRE(f.write(batch_of(1, 100)));
    REQUIRE(f.exporter->flush());
    const auto& counters = f.exporter->counters();
    CHECK(counters.dropped_oversize.get() > 0);
    CHECK(counters.records.get() + counters.dropped_oversize.get() == 100);
    const std::size_t first_data = f.exporter->counters().templates.get();
    CHECK(number_at(f.log.messages.at(first_data), 8, 4) == counters.dropped_oversize.get());
}

TEST_CASE("IPFIX: a refused datagram takes its records back, and the templates soon go again") {
    ExporterFixture f;
    REQUIRE(f.exporter->open());
    const std::uint64_t templates = f.exporter->counters().templates.get();
    REQUIRE(f.write(batch_of(1, 1)));
    REQUIRE(f.exporter->flush());
    REQUIRE(f.write(batch_of(2, 2)));
    f.log.refused = {templates};  // the message behind the templates
    REQUIRE(f.exporter->flush());
    CHECK(f.exporter->counters().dropped_unreachable.get() == 1);
    CHECK(f.exporter->counters().records.get() == 2);
    CHECK(f.exporter->counters().templates.get() == templates);
    f.now += 1s;
    REQUIRE(f.exporter->flush());
    CHECK(f.exporter->counters().templates.get() == templates + templates / 2);  // twice at the beginning
}

TEST_CASE("IPFIX: fields that cannot fit a message are an error before anything is sent") {
    CapturedLog lines;
    const auto made = IpfixFormat::make(all_fields(200), "test", lines.logger());
    REQUIRE_FALSE(made);
    CHECK(made.error().code == ErrorCode::kInvalidArgument);
    CHECK(made.error().message.find("mtu") != std::string::npos);
}

TEST_CASE("IPFIX: a collector that stalls does not hold up the end") {
    ExporterFixture f(all_fields(), false);
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(batch_of(1, 1)));
    f.log.send_errors.assign(10, ErrorCode::kBusy);
    CHECK_FALSE(f.exporter->flush());
    f.exporter->close();
    CHECK(f.log.last_limit <= std::chrono::seconds(1));
    CHECK(f.exporter->counters().dropped_failed.get() == 1);
}

TEST_CASE("IPFIX: complete messages gather while more comes, and leave at a pause, the one begun with a flush") {
    ExporterFixture f(all_fields(), true, 20'000);
    REQUIRE(f.exporter->open());
    const std::size_t templates = f.log.messages.size();
    REQUIRE(f.write(batch_of(1, 20)));
    CHECK(f.log.messages.size() == templates);
    REQUIRE(f.exporter->pause());
    const std::size_t complete = f.log.messages.size();
    CHECK(complete > templates + 2);
    CHECK(f.exporter->counters().records.get() < 20);
    REQUIRE(f.exporter->pause());
    CHECK(f.log.messages.size() == complete);
    REQUIRE(f.write(batch_of(21, 100)));
    CHECK(f.log.sends.back() > 10);
    REQUIRE(f.exporter->flush());
    CHECK(f.exporter->counters().records.get() == 120);
    exporters::ipfix::ReaderCounters counters;
    CHECK(read_all(f.log.messages, &counters).size() == 120);
    CHECK(counters.sequence_gaps == 0);
}

TEST_CASE("IPFIX: many messages of which some cannot go or are refused are each counted once") {
    ExporterFixture f(all_fields(), true, 1 << 20);
    REQUIRE(f.exporter->open());
    const std::uint64_t templates = f.exporter->counters().templates.get();
    REQUIRE(f.write(batch_of(1, 60)));
    f.log.send_errors = {ErrorCode::kInvalidArgument, ErrorCode::kBusy};
    CHECK_FALSE(f.exporter->pause());
    const std::uint64_t too_long = f.exporter->counters().dropped_oversize.get();
    CHECK(too_long > 0);
    f.log.refused = {templates + 1, templates + 2};
    REQUIRE(f.exporter->flush());
    const auto& counters = f.exporter->counters();
    CHECK(counters.dropped_oversize.get() == too_long);
    CHECK(counters.dropped_unreachable.get() > 0);
    CHECK(counters.records.get() + counters.dropped_unreachable.get() + too_long == 60);
    exporters::ipfix::ReaderCounters read;
    CHECK(read_all(f.log.messages, &read).size() == 60 - too_long);
    CHECK(number_at(f.log.messages.at(static_cast<std::size_t>(templates)), 8, 4) == too_long);
}

TEST_CASE("IPFIX: templates that come due go before the data that waits") {
    ExporterFixture f(all_fields(), true, 1 << 20);
    REQUIRE(f.exporter->open());
    const std::size_t templates = f.log.messages.size();
    REQUIRE(f.write(batch_of(1, 30)));
    f.now += 60s;
    REQUIRE(f.exporter->flush());
    const std::size_t all_templates = templates + templates / 2;  // twice at the beginning
    REQUIRE(f.log.messages.size() > all_templates);
    for (std::size_t i = 0; i < f.log.messages.size(); ++i)
        CHECK(is_template(f.log.messages[i]) == (i < all_templates));
}
#endif
