// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/ipfix/derived_columns.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

#include "core/features/flow_statistics.hpp"
#include "core/record/template.hpp"
#include "tests/unit/exporters/ipfix/sample.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using exporters::ipfix::DerivedColumns;
using exporters::ipfix::FlowFacts;
using exporters::ipfix::scoped_fact;

namespace {

using Columns = std::map<std::string, std::string>;

// What follows from these columns.
Columns derive(const std::map<std::string, exporters::ipfix::FactValue>& known, const Bytes& mac = {}) {
    DerivedColumns derived;
    FlowFacts facts;
    for (const auto& column : known) {
        const auto fact = scoped_fact(column.first);
        REQUIRE_MESSAGE(fact, column.first);
        facts.at(fact->scope, fact->fact) = column.second;
        derived.has(column.first);
    }
    facts.source_mac = mac;
    std::string text = "{\"\":0";
    derived.append(text, facts);
    Columns out = parse_line(text + "}");
    out.erase("");
    return out;
}

struct ToText {
    std::string operator()(std::uint64_t v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return fmt::format("{}", v); }
    template <class T>
    std::string operator()(const T&) const {
        return "of no number";
    }
};

// A flow with packets of any size and time, as a meter summarises it.
struct MeteredFlow {
    StatisticsRecord statistics;
    FlowRecord record;

    MeteredFlow(unsigned seed, int packets, bool answered) {
        std::mt19937 random(seed);
        FlowStatistics sums{};
        std::uint64_t now = 1'700'000'000'000, last = 0, last_of[2] = {};
        for (int i = 0; i < packets; ++i) {
            const int d = answered && i > 0 ? static_cast<int>(random() % 2) : 0;
            now += random() % 1000;
            DirectionRecord& side = d == 0 ? record.forward : record.reverse;
            const auto size = static_cast<std::uint16_t>(random() % 65536);
            update(sums, {d, size, static_cast<std::uint8_t>(random()), static_cast<std::uint32_t>(i),
                          static_cast<std::uint32_t>(side.packets), i == 0 ? 0 : now - last,
                          side.packets == 0 ? 0 : now - last_of[d]});
            if (side.packets++ == 0) side.first = static_cast<TimestampNs>(now * 1'000'000);
            side.last = static_cast<TimestampNs>(now * 1'000'000);
            side.bytes += size;
            last = last_of[d] = now;
        }
        const auto totals = [](const DirectionRecord& side) {
            return ScopeTotals{side.packets, side.bytes,
                               static_cast<std::uint64_t>((side.last - side.first) / 1'000'000)};
        };
        statistics = summarise(sums, totals(record.forward), totals(record.reverse),
                               {record.packets(), record.forward.bytes + record.reverse.bytes,
                                static_cast<std::uint64_t>((record.last() - record.first()) / 1'000'000)});
        record.statistics = &statistics;
    }
};

// Those of the flow's columns that IPFIX carries.
std::map<std::string, exporters::ipfix::FactValue> carried(const FlowRecord& record, std::uint32_t pen) {
    const FieldGroups groups = all_groups();
    std::map<std::string, exporters::ipfix::FactValue> out;
    for (const InformationElement* field : ipfix_fields(groups, pen)) {
        if (!scoped_fact(field->column)) continue;
        if (record.reverse.packets == 0 && (field->side == IeSide::kReverse || field->side == IeSide::kBoth)) continue;
        const FieldValue value = field->value(record);
        if (const auto* n = std::get_if<std::uint64_t>(&value)) out[std::string(field->column)] = *n;
        if (const auto* d = std::get_if<double>(&value)) out[std::string(field->column)] = *d;
    }
    return out;
}

}  // namespace

TEST_CASE("DerivedColumns: whatever the flow, the rest of nfstream's columns is what the meter says, to the last bit") {
    for (unsigned seed = 0; seed < 60; ++seed)
        for (const bool answered : {true, false}) {
            const MeteredFlow flow(seed, 1 + static_cast<int>(seed) % 20, answered);
            const auto known = carried(flow.record, kTestPen);
            const Columns got = derive(known);
            std::size_t compared = 0;
            for (const InformationElement* field : nfstream_fields(all_groups())) {
                const std::string column(field->column);
                if (!scoped_fact(column) || known.count(column) != 0) continue;
                CAPTURE(column);
                REQUIRE(got.count(column) == 1);
                CHECK(got.at(column) == std::visit(ToText{}, field->value(flow.record)));
                ++compared;
            }
            CHECK(compared == got.size());
            CHECK(compared >= 20);
        }
}

TEST_CASE("DerivedColumns: without our own elements means of times still follow, deviations do not") {
    const MeteredFlow flow(5, 20, true);
    const Columns got = derive(carried(flow.record, 0));
    CHECK(got.at("src2dst_mean_piat_ms") == fmt::format("{}", flow.statistics.forward.mean_piat_ms));
    CHECK(got.at("bidirectional_mean_piat_ms") == fmt::format("{}", flow.statistics.bidirectional.mean_piat_ms));
    CHECK(got.count("src2dst_stddev_piat_ms") == 0);
    CHECK(got.count("bidirectional_min_piat_ms") == 0);
    CHECK(got.count("bidirectional_cwr_packets") == 0);
}

TEST_CASE("DerivedColumns: of a record without statistics no statistics follow") {
    const Columns got = derive({{"src2dst_packets", std::uint64_t{3}},
                                {"src2dst_ip_bytes", std::uint64_t{300}},
                                {"src2dst_first_seen_ms", std::uint64_t{1000}},
                                {"src2dst_last_seen_ms", std::uint64_t{1500}},
                                {"dst2src_packets", std::uint64_t{2}},
                                {"dst2src_ip_bytes", std::uint64_t{200}},
                                {"dst2src_first_seen_ms", std::uint64_t{900}},
                                {"dst2src_last_seen_ms", std::uint64_t{1400}}},
                               {0x30, 0x52, 0xcb, 1, 2, 3});
    CHECK(got == Columns{{"src2dst_bytes", "300"},
                         {"dst2src_bytes", "200"},
                         {"src2dst_duration_ms", "500"},
                         {"dst2src_duration_ms", "500"},
                         {"bidirectional_packets", "5"},
                         {"bidirectional_bytes", "500"},
                         {"bidirectional_first_seen_ms", "900"},
                         {"bidirectional_last_seen_ms", "1500"},
                         {"bidirectional_duration_ms", "600"},
                         {"src_oui", "\"30:52:cb\""}});
}

TEST_CASE("DerivedColumns: numbers that cannot be make no column, and times that run back a duration of 0") {
    CHECK(derive({{"src2dst_last_seen_ms", std::uint64_t{5}}, {"src2dst_first_seen_ms", std::uint64_t{9}}})
              .at("src2dst_duration_ms") == "0");
    const Columns none = derive({{"src2dst_packets", std::monostate{}}, {"src2dst_ps_squares", ~std::uint64_t{0}}});
    CHECK(none.count("src2dst_mean_ps") == 0);
    CHECK_FALSE(scoped_fact("src2dst_"));
    CHECK_FALSE(scoped_fact("bidirectional_nonsense"));
    CHECK_FALSE(scoped_fact("src_ip"));
}
#endif
