// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/ipfix/record_encoder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>

#include "core/base/utf8.hpp"
#include "tests/support/random_records.hpp"
#include "tests/unit/exporters/ipfix/random_record.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using exporters::ipfix::FieldPlan;
using exporters::ipfix::kVariableLength;
using exporters::ipfix::RecordEncoder;
using exporters::ipfix::RecordLayout;
using exporters::ipfix::RecordTexts;

namespace {

// The octets of a value by the words of RFC 7011, 6.1 and 6.2, without a plan.
struct ToOctets {
    const FieldPlan& plan;
    const FlowRecord& record;

    Bytes number(std::uint64_t v) const {
        Bytes out(plan.length);
        for (std::size_t i = 0; i < out.size(); ++i) out[out.size() - 1 - i] = static_cast<std::uint8_t>(v >> 8 * i);
        return out;
    }
    Bytes operator()(std::monostate) const {
        if (plan.is_list()) return (*this)(std::span<const std::int32_t>{});
        return plan.length == kVariableLength ? (*this)(std::string_view{}) : Bytes(plan.length, 0);
    }
    Bytes operator()(std::uint64_t v) const {
        const std::uint64_t most = plan.length == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * plan.length) - 1;
        return number(std::min(v, most));
    }
    Bytes operator()(std::int64_t v) const { return number(static_cast<std::uint64_t>(v)); }
    Bytes operator()(double v) const { return number(std::bit_cast<std::uint64_t>(v)); }
    Bytes operator()(bool v) const { return {static_cast<std::uint8_t>(v ? 1 : 2)}; }
    Bytes operator()(std::string_view v) const {
        std::string clean(v.size(), '\0');
        clean.resize(copy_valid_utf8(v, clean.data()));
        return with_prefix({clean.begin(), clean.end()});
    }
    Bytes operator()(const IpAddress& v) const {
        if (v.version == 4 && plan.length == 16) {
            Bytes out(16, 0);
            out[10] = out[11] = 0xff;
            std::copy_n(v.bytes.begin(), 4, out.begin() + 12);
            return out;
        }
        return {v.bytes.begin(), v.bytes.begin() + plan.length};
    }
    Bytes operator()(const MacAddress& v) const { return {v.begin(), v.end()}; }
    // RFC 6313, 4.5.1; entries by what the elements mean.
    Bytes operator()(std::span<const std::int32_t> list) const {
        Bytes out{3};
        put(out, plan.entry_ie.id | 0x8000U, 2);
        put(out, plan.entry_length, 2);
        put(out, plan.entry_ie.pen, 4);
        const bool answered_first = record.reverse.packets != 0 && record.reverse.first < record.forward.first;
        auto time = static_cast<std::uint64_t>((answered_first ? record.reverse : record.forward).first / 1'000'000);
        for (const std::int32_t n : list) {
            if (n == -1) break;
            time += static_cast<std::uint64_t>(n);
            if (plan.field->column == "splt_direction") put(out, n == 0 ? 1 : 0xff, 1);
            if (plan.field->column == "splt_ps") put(out, static_cast<std::uint64_t>(n), 2);
            if (plan.field->column == "splt_piat_ms") put(out, time, 8);
        }
        return with_prefix(out);
    }
    static void put(Bytes& out, std::uint64_t value, int octets) {
        while (octets-- > 0) out.push_back(static_cast<std::uint8_t>(value >> 8 * octets));
    }
    static Bytes with_prefix(const Bytes& value) {
        Bytes out;
        if (value.size() >= 255) {
            out = {255, static_cast<std::uint8_t>(value.size() >> 8)};
        }
        out.push_back(static_cast<std::uint8_t>(value.size()));
        out.insert(out.end(), value.begin(), value.end());
        return out;
    }
    Bytes operator()(const Unsigned128&) const { return {}; }
};

Bytes expected(const RecordLayout& layout, const FlowRecord& record) {
    Bytes out;
    for (const FieldPlan& plan : layout.fields()) {
        Bytes field = std::visit(ToOctets{plan, record}, plan.field->value(record));
        if (plan.field->column == "application_id") {
            const std::uint64_t id = std::get<std::uint64_t>(plan.field->value(record));
            field = {20, 0, 0, 0x8b, 0x30, 0, static_cast<std::uint8_t>(id >> 8), static_cast<std::uint8_t>(id)};
        }
        out.insert(out.end(), field.begin(), field.end());
    }
    return out;
}

Bytes encoded(const RecordEncoder& encoder, const FlowRecord& record, std::size_t limit = 65535) {
    RecordTexts texts;
    const auto measured = encoder.measure(record, limit, texts);
    Bytes out(measured.length + 8, 0x55);
    std::uint8_t* end = encoder.write(record, texts, out.data());
    CHECK(static_cast<std::size_t>(end - out.data()) == measured.length);
    CHECK(std::all_of(out.end() - 8, out.end(), [](auto octet) { return octet == 0x55; }));
    out.resize(measured.length);
    return out;
}

}  // namespace

TEST_CASE("RecordEncoder: whatever a record holds, the plan writes what the readers of the table say") {
    const IpfixOptions all = every_field(65535);
    for (const int version : {4, 6})
        for (const bool biflow : {true, false}) {
            const RecordLayout layout(all.fields, version, biflow, all.groups, kTestPen);
            const RecordEncoder encoder(layout);
            for (std::uint32_t seed = 0; seed < 100; ++seed) {
                CAPTURE(seed);
                const RandomRecord random(seed, version);
                REQUIRE(encoded(encoder, random.record) == expected(layout, random.record));
                const ReversedFlow reversed(random.record);
                REQUIRE(encoded(encoder, reversed.record) == expected(layout, reversed.record));
            }
        }
}

TEST_CASE("RecordEncoder: applicationId in the forms that collectors read") {
    const FieldGroups groups = every_field(65535).groups;
    RecordLayout layout({find_field("application_id"), find_field("l7_protocol")}, 4, true, groups, kTestPen);
    ApplicationRecord application;
    application.master_protocol = 91;
    application.app_protocol = 300;
    FlowRecord record;
    record.application = &application;
    CHECK(encoded(RecordEncoder(layout), record) == Bytes{20, 0, 0, 0x8b, 0x30, 0, 1, 44, 1, 44});
    layout.set_application_id(exporters::ApplicationIdForm::kUser4);
    CHECK(encoded(RecordEncoder(layout), record) == Bytes{6, 0, 1, 44, 1, 44});
    layout.set_application_id(exporters::ApplicationIdForm::kUser5);
    CHECK(encoded(RecordEncoder(layout), record) == Bytes{6, 0, 0, 1, 44, 1, 44});
    application.app_protocol = 0;  // nothing is known of what it carries
    CHECK(encoded(RecordEncoder(layout), record) == Bytes{6, 0, 0, 0, 91, 0, 91});
}

TEST_CASE("RecordEncoder: strings may stand between fields of fixed length, and first, and alone") {
    const FieldGroups groups = every_field(65535).groups;
    const std::vector<FieldSelection> selections = {
        {find_field("application_name"), find_field("src_port"), find_field("user_agent"),
         find_field("tls_server_name"), find_field("dst_ip"), find_field("id")},
        {find_field("src_ip"), find_field("interface_name"), find_field("protocol")},
        {find_field("application_name")},
        {find_field("flow_end_reason")}};
    for (const FieldSelection& fields : selections) {
        const RecordLayout layout(fields, 4, true, groups, kTestPen);
        const RecordEncoder encoder(layout);
        for (std::uint32_t seed = 0; seed < 20; ++seed) {
            const RandomRecord random(seed, 4);
            CHECK(encoded(encoder, random.record) == expected(layout, random.record));
        }
    }
}

TEST_CASE(
    "RecordEncoder: a value too large for its octets is the greatest that fits, a reduced one has its own octets") {
    FieldGroups groups = every_field(65535).groups;
    StatisticsRecord statistics;
    TunnelRecord tunnel;
    FlowRecord record = sample(1);
    record.statistics = &statistics;
    record.tunnel = &tunnel;
    const RecordLayout layout({find_field("src2dst_syn_packets"), find_field("tunnel_key")}, 4, true, groups, kTestPen);
    const RecordEncoder encoder(layout);
    for (const std::uint64_t value : {std::uint64_t{0xffff'fffe}, std::uint64_t{0xffff'ffff}, std::uint64_t{1} << 32}) {
        statistics.forward.flag_packets[kSyn] = tunnel.key = value;
        const std::uint8_t last = value == 0xffff'fffe ? 0xfe : 0xff;
        CHECK(encoded(encoder, record) == Bytes{0xff, 0xff, 0xff, last, 0xff, 0xff, 0xff, last});
    }
}

TEST_CASE("RecordEncoder: outer addresses have 16 octets whatever the flow's version, IPv4 is mapped into IPv6") {
    const FieldGroups groups = all_groups();
    TunnelRecord tunnel;
    tunnel.source_address = {{192, 0, 2, 1}, 4};
    tunnel.destination_address = {{0x20, 1, 0xd, 0xb8}, 6};
    FlowRecord record = sample(1);
    for (const int version : {4, 6}) {
        const RecordLayout layout({find_field("outer_src_ip"), find_field("outer_dst_ip")}, version, true, groups,
                                  kTestPen);
        const RecordEncoder encoder(layout);
        record.tunnel = &tunnel;
        CHECK(encoded(encoder, record) == Bytes{0,    0, 0,   0,    0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1,  //
                                                0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0,    0,    0,   0, 0, 0});
        record.tunnel = nullptr;
        CHECK(encoded(encoder, record) == Bytes(32, 0));
    }
}

TEST_CASE("RecordEncoder: strings are cut to one length, the greatest that fits, and not inside a character") {
    const FieldGroups groups = all_groups();
    const RecordLayout layout({find_field("src_port"), find_field("application_name"), find_field("user_agent")}, 4,
                              true, groups, kTestPen);
    const RecordEncoder encoder(layout);
    ApplicationRecord application;
    application.name = "short";
    std::string agent;
    while (agent.size() < 600) agent += "\u00fc";
    application.user_agent = agent;
    FlowRecord record = sample(1);
    record.application = &application;
    for (const std::size_t limit : {10, 100, 263, 264, 265, 300}) {
        CAPTURE(limit);
        RecordTexts texts;
        const auto measured = encoder.measure(record, limit, texts);
        CHECK(measured.strings_cut);
        CHECK_FALSE(measured.lists_cut);
        CHECK(measured.length <= limit);
        CHECK(measured.length + 3 >= limit);  // a character, and a prefix that grows by two
        CHECK(encoded(encoder, record, limit).size() == measured.length);
        CHECK(utf8_prefix(agent, texts.views[1].size()) == texts.views[1]);
    }
    RecordTexts texts;
    CHECK_FALSE(encoder.measure(record, 611, texts).cut());
}

namespace {

struct LongFlow {
    std::vector<std::int32_t> directions, sizes, gaps;
    SequenceRecord sequence;
    ApplicationRecord application;
    std::string agent;
    FlowRecord record = sample(1);

    LongFlow(std::size_t packets, std::size_t agent_length)
        : directions(packets, 1), sizes(packets, 1400), gaps(packets, 3), agent(agent_length, 'a') {
        sequence = {directions, sizes, gaps};
        application.name = "TLS.Google";
        application.user_agent = agent;
        record.sequence = &sequence;
        record.application = &application;
    }
};

const char* kLists[] = {"application_name", "user_agent", "splt_direction", "splt_ps", "splt_piat_ms"};

RecordLayout layout_with_lists(std::initializer_list<const char*> more = {}) {
    FieldSelection fields{find_field("src_port")};
    for (const char* column : kLists) fields.push_back(find_field(column));
    for (const char* column : more) fields.push_back(find_field(column));
    return {fields, 4, true, all_groups(), kTestPen};
}
// What all octets of the lists but their headers make of entries.
std::size_t entries(const RecordTexts& texts, std::size_t list) {
    constexpr std::size_t kLengths[] = {1, 2, 8};
    return (texts.views.at(2 + list).size() - 9) / kLengths[list];
}

}  // namespace

TEST_CASE(
    "RecordEncoder: lists keep one number of entries, the greatest that fits, and strings stay whole beside them") {
    const RecordLayout layout = layout_with_lists();
    const RecordEncoder encoder(layout);
    const LongFlow flow(255, 20);
    for (const std::size_t limit : {100, 400, 1000, 1356, 2850}) {
        CAPTURE(limit);
        RecordTexts texts;
        const auto measured = encoder.measure(flow.record, limit, texts);
        CHECK(measured.lists_cut);
        CHECK_FALSE(measured.strings_cut);
        CHECK(measured.length <= limit);
        CHECK(measured.length + 11 + 6 > limit);  // an entry of each, and prefixes that would grow
        CHECK(entries(texts, 0) == entries(texts, 1));
        CHECK(entries(texts, 1) == entries(texts, 2));
        CHECK(encoded(encoder, flow.record, limit).size() == measured.length);
    }
    RecordTexts texts;
    const auto whole = encoder.measure(flow.record, 65535, texts);
    CHECK_FALSE(whole.cut());
    CHECK(entries(texts, 2) == 255);
    CHECK_FALSE(encoder.measure(flow.record, whole.length, texts).cut());
    CHECK(encoder.measure(flow.record, whole.length - 1, texts).cut());
}

TEST_CASE("RecordEncoder: strings and lists that want more than there is have half of it each") {
    const RecordLayout layout = layout_with_lists();
    const RecordEncoder encoder(layout);
    for (const std::size_t limit : {200, 700, 1356}) {
        CAPTURE(limit);
        RecordTexts texts;
        const LongFlow both(255, 5000);
        const auto measured = encoder.measure(both.record, limit, texts);
        CHECK(measured.lists_cut);
        CHECK(measured.strings_cut);
        CHECK(measured.length <= limit);
        CHECK(measured.length + 20 > limit);
        CHECK(texts.views[0] == "TLS.Google");
        CHECK(entries(texts, 2) * 11 + 100 > limit / 2);
        CHECK(texts.views[1].size() + 100 > limit / 2);
        const LongFlow long_string(4, 5000);  // few packets: the string has the rest
        const auto other = encoder.measure(long_string.record, limit, texts);
        CHECK(other.strings_cut);
        CHECK_FALSE(other.lists_cut);
        CHECK(entries(texts, 2) == 4);
    }
}

TEST_CASE("RecordEncoder: a record fits whatever the limit, down to what its layout says is the least") {
    const RecordLayout layout = layout_with_lists({"src_ip", "tls_server_name", "interface_name", "content_type"});
    const RecordEncoder encoder(layout);
    const LongFlow flow(255, 600);
    for (std::size_t limit = layout.minimum_wire_length(); limit < 3700; ++limit) {
        CAPTURE(limit);
        RecordTexts texts;
        const auto measured = encoder.measure(flow.record, limit, texts);
        REQUIRE(measured.length <= limit);
        REQUIRE(encoded(encoder, flow.record, limit).size() == measured.length);
    }
}

TEST_CASE("RecordEncoder: fields that were declared at run time have octets by their type, without a value zeros") {
    const FieldSelection fields = declared_fields();
    FieldGroups groups = all_groups();
    groups.declared = fields;
    const RecordLayout layout(fields, 4, true, groups, kTestPen);
    REQUIRE(layout.fields().size() == fields.size());
    const std::int32_t list[] = {-1, 70000};
    const DeclaredValue values[] = {{fields[0]->value.declared, std::uint64_t{40}},
                                    {fields[1]->value.declared, std::int64_t{-2}},
                                    {fields[2]->value.declared, 1.0},
                                    {fields[3]->value.declared, true},
                                    {fields[4]->value.declared, MacAddress{2, 0, 0, 0, 0, 1}},
                                    {fields[5]->value.declared, IpAddress{{192, 0, 2, 1}, 4}},
                                    {fields[6]->value.declared, std::string_view("ab")},
                                    {fields[7]->value.declared, 0.5},
                                    {fields[8]->value.declared, std::span<const std::int32_t>(list)}};
    FlowRecord record;
    const RecordEncoder encoder(layout);
    CHECK(encoded(encoder, record).size() == 8 + 8 + 8 + 1 + 6 + 16 + 1 + 1 + 1 + 9);
    record.declared = values;
    Bytes wanted{0, 0, 0, 0, 0, 0, 0, 40, 255, 255, 255, 255, 255, 255, 255, 254, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 1};
    const auto add = [&](std::initializer_list<int> octets) {
        for (const int octet : octets) wanted.push_back(static_cast<std::uint8_t>(octet));
    };
    add({2, 0, 0, 0, 0, 1});
    add({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1});
    add({2, 'a', 'b', 3, '0', '.', '5'});
    const IeId entry = layout.fields()[8].entry_ie;
    add({17, 3, entry.id >> 8 | 0x80, entry.id & 255, 0, 4});
    for (int shift = 24; shift >= 0; shift -= 8) add({static_cast<int>(kTestPen >> shift & 255)});
    add({255, 255, 255, 255, 0, 1, 0x11, 0x70});
    CHECK(encoded(encoder, record) == wanted);
}

#endif
