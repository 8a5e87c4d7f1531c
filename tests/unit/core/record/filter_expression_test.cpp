// SPDX-License-Identifier: Apache-2.0
#include "core/record/filter_expression.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>

#include <random>
#include <string>
#include <vector>

#include "core/record/flow_record.hpp"

namespace nfstreamd {
namespace {

FieldGroups every_group() {
    return {.tunnel = true,
            .statistics = true,
            .splt = true,
            .application = true,
            .system = true,
            .l7_details = true,
            .tcp_quality = true,
            .enrichment = true};
}

IpAddress ip(const char* text) {
    IpAddress out;
    out.version = std::string_view(text).find(':') == std::string_view::npos ? 4 : 6;
    REQUIRE(inet_pton(out.version == 4 ? AF_INET : AF_INET6, text, out.bytes.data()) == 1);
    return out;
}

// 10.1.2.3:50000 -> 192.0.2.7:443, TLS.Google, 5 packets there and 3 back in 2.5 s
FlowRecord sample() {
    static const ApplicationRecord application = [] {
        ApplicationRecord a;
        a.name = "TLS.Google";
        a.category_name = "Web";
        a.requested_server_name = "www.b\u00fccher.example";
        a.user_agent = "and \"so\" on";
        a.confidence = 6;
        return a;
    }();
    static const StatisticsRecord statistics = [] {
        StatisticsRecord s;
        s.bidirectional.mean_ps = 100.25;
        s.bidirectional.max_ps = 1500;
        s.bidirectional.max_piat_ms = 2000;
        return s;
    }();
    FlowRecord r;
    r.id = 7;
    r.source_address = ip("10.1.2.3");
    r.destination_address = ip("192.0.2.7");
    r.ip_version = 4;
    r.source_port = 50000;
    r.destination_port = 443;
    r.protocol = 6;
    r.end_reason = EndReason::kPlugin;  // expiration_id -1
    r.source_mac = {0x02, 0, 0, 0, 0, 0x0a};
    r.forward.packets = 5;
    r.forward.bytes = 18'446'744'073'709'551'615u;
    r.forward.first = 1'714'566'600'250'000'000;  // 2024-05-01T12:30:00.250Z
    r.forward.last = r.forward.first + 2'500'000'000;
    r.reverse.packets = 3;
    r.reverse.first = r.reverse.last = r.forward.first;
    r.interface_name = "eth0";
    r.application = &application;
    r.statistics = &statistics;
    return r;
}

bool holds(std::string_view text, const FlowRecord& record = sample()) {
    const auto parsed = FilterExpression::parse(text, every_group());
    REQUIRE_MESSAGE(parsed.has_value(), text, ": ", parsed ? "" : parsed.error().message);
    return parsed.value().matches(record);
}

std::string error(std::string_view text, const FieldGroups& groups = every_group()) {
    const auto parsed = FilterExpression::parse(text, groups);
    REQUIRE_MESSAGE(!parsed.has_value(), text);
    return parsed.error().message;
}

void check(std::initializer_list<const char*> texts, bool expected) {
    for (const char* text : texts) CHECK_MESSAGE(holds(text) == expected, text);
}

TEST_CASE("FilterExpression: numbers by every operator") {
    check({"dst_port == 443", "dst_port != 80", "dst_port < 444", "dst_port <= 443", "dst_port > 442",
           "dst_port >= 443", "dst_port in [80, 443]", "dst_port in 443", "dst_port not in [80, 22]",
           "dst_port == 0x1bb", "dst_port == 443.0", "dst_port > 442.5", "dst_port > -1", "dst_port == +443"},
          true);
    check({"dst_port == 80", "dst_port != 443", "dst_port < 443", "dst_port <= 442", "dst_port > 443",
           "dst_port >= 444", "dst_port in [80, 22]", "dst_port not in [80, 443]", "dst_port == 443.5", "dst_port < -1",
           "dst_port == -443", "dst_port == 99999999999999999999"},
          false);
}

TEST_CASE("FilterExpression: numbers are exact to their last bit, negative ones too") {
    check({"src2dst_bytes == 18446744073709551615", "src2dst_bytes > 18446744073709551614", "expiration_id == -1",
           "expiration_id < 0", "expiration_id >= -1", "expiration_id > -2", "expiration_id != 1",
           "bidirectional_mean_ps == 100.25", "bidirectional_mean_ps > 100", "bidirectional_mean_ps < 100.5"},
          true);
    check({"src2dst_bytes == 18446744073709551614", "expiration_id == 1", "expiration_id > -1", "expiration_id < -1",
           "bidirectional_mean_ps == 100"},
          false);
}

TEST_CASE("FilterExpression: durations in words, times as dates") {
    check({"bidirectional_duration_ms == 2500", "bidirectional_duration_ms == 2.5s", "bidirectional_duration_ms > 2s",
           "bidirectional_duration_ms < 1m", "bidirectional_duration_ms < 1h", "bidirectional_duration_ms < 1d",
           "bidirectional_max_piat_ms == 2000ms", "src2dst_first_seen_ms == 1714566600250",
           "src2dst_first_seen_ms >= 2024-05-01", "src2dst_first_seen_ms > 2024-05-01T12:30:00Z",
           "src2dst_first_seen_ms == 2024-05-01T12:30:00.250Z", "src2dst_first_seen_ms < 2024-05-01T12:31"},
          true);
    check(
        {"bidirectional_duration_ms == 2s", "src2dst_first_seen_ms < 2024-05-01", "src2dst_first_seen_ms > 2024-05-02"},
        false);
}

TEST_CASE("FilterExpression: texts, quoted and bare") {
    check({"application_name == TLS.Google", "application_name == \"TLS.Google\"", "application_name == 'TLS.Google'",
           "application_name != Unknown", "application_name ~ google", "application_name contains TLS",
           "application_name in [DNS, TLS.Google]", "application_name not in [DNS, Unknown]",
           "requested_server_name ~ 'b\u00fccher'", "requested_server_name ~ b\u00fccher",
           "user_agent == \"and \\\"so\\\" on\"", "user_agent == 'and \"so\" on'", "user_agent ~ 'and'",
           "content_type == ''", "interface_name ~ ''"},
          true);
    check({"application_name == tls.google", "application_name == TLS", "application_name ~ dns",
           "application_name != TLS.Google", "content_type == x", "user_agent ~ 'not there'"},
          false);
}

TEST_CASE("FilterExpression: addresses, blocks and hardware addresses") {
    check({"src_ip == 10.1.2.3", "src_ip in 10.0.0.0/8", "src_ip == 10.0.0.0/8",
           "src_ip in [192.0.2.0/24, 10.1.2.2/31]", "src_ip in 0.0.0.0/0", "src_ip in 10.255.255.255/8",
           "src_ip != 10.1.2.4", "dst_ip not in 10.0.0.0/8", "src_ip not in ::/0", "src_mac == 02:00:00:00:00:0a",
           "src_mac != 02:00:00:00:00:0b", "src_mac in [02:00:00:00:00:0A]", "src_ip == \"10.1.2.3\""},
          true);
    check({"src_ip == 10.1.2.4", "src_ip in 10.1.2.4/31", "src_ip in 10.0.0.0/16", "src_ip == ::/0",
           "src_ip != 10.0.0.0/8", "src_mac == 02:00:00:00:00:0b"},
          false);
    FlowRecord six = sample();
    six.source_address = ip("2001:db8::17");
    CHECK(holds("src_ip in 2001:db8::/32", six));
    CHECK(holds("src_ip == 2001:db8:0::17", six));
    CHECK(holds("src_ip in 2001:db8::20/124", six) == false);
    CHECK(holds("src_ip in 2001:db8::10/123", six));
    CHECK_FALSE(holds("src_ip in 0.0.0.0/0", six));
}

TEST_CASE("FilterExpression: and binds closer than or, not closest, parentheses as wished") {
    check({"dst_port == 443 or dst_port == 80 and dst_port == 22",
           "(dst_port == 443 or dst_port == 80) and protocol == 6",
           "dst_port == 443 || dst_port == 80 && dst_port == 22", "not dst_port == 80 and protocol == 6",
           "!(dst_port == 80)", "! dst_port == 80", "not not dst_port == 443", "NOT dst_port == 80 AND protocol == 6",
           "((((dst_port == 443))))", "dst_port==443&&protocol==6", " \t\ndst_port\r\n==\n443 "},
          true);
    check({"(dst_port == 443 or dst_port == 80) and dst_port == 22", "not (dst_port == 443 or dst_port == 80)",
           "not dst_port == 443 or dst_port == 80", "!dst_port == 443"},
          false);
}

TEST_CASE("FilterExpression: a condition and its negation split any records") {
    FlowRecord bare;  // no block is there
    bare.ip_version = 4;
    for (const char* text :
         {"dst_port == 443", "src_ip in 10.0.0.0/8", "application_name ~ tls", "application_name == ''",
          "bidirectional_mean_ps < 1000", "bidirectional_mean_ps > 1000", "application_name != x",
          "requested_server_name in [a, b]", "src_mac == 02:00:00:00:00:0a", "application_confidence < 7"})
        for (const FlowRecord& record : {sample(), bare})
            CHECK_MESSAGE(holds(text, record) != holds(std::string("not (") + text + ")", record), text);
}

TEST_CASE("FilterExpression: what a record does not have is equal to nothing") {
    FlowRecord bare;
    for (const char* text : {"bidirectional_mean_ps == 0", "bidirectional_mean_ps < 1", "bidirectional_mean_ps >= 0",
                             "application_name == ''", "application_name ~ ''", "bidirectional_mean_ps in [0]"})
        CHECK_MESSAGE(!holds(text, bare), text);
    CHECK(holds("bidirectional_mean_ps != 0 and application_name != TLS", bare));
}

TEST_CASE("FilterExpression: fields go by column or element name") {
    check({"destinationTransportPort == 443", "applicationName ~ tls", "protocolIdentifier == 6"}, true);
}

TEST_CASE("FilterExpression: an error tells the column and what is expected there") {
    CHECK(error("") == "column 1: expected a field, found the end");
    CHECK(error("dst_prt == 1") == "column 1: there is no field \"dst_prt\"; nfstreamd --list-fields names them");
    CHECK(error("dst_port == 443 and src_prt == 1").starts_with("column 21: there is no field \"src_prt\""));
    CHECK(error("dst_port") == "column 9: expected an operator: == != < <= > >= ~ contains in, found the end");
    CHECK(error("dst_port 443") == "column 10: expected an operator: == != < <= > >= ~ contains in, found \"443\"");
    CHECK(error("dst_port ==") == "column 12: expected a value, found the end");
    CHECK(error("dst_port = 443") == "column 10: = means nothing here; equality is ==");
    CHECK(error("dst_port == 443 & protocol == 6") == "column 17: & means nothing here; write it twice");
    CHECK(error("dst_port == 443 443") == "column 17: expected and, or, or the end, found \"443\"");
    CHECK(error("dst_port == tcp") == "column 13: \"tcp\" is not a number, as \"dst_port\" is");
    CHECK(error("bidirectional_duration_ms > fast")
              .ends_with("is not a number or a duration such as 5s, as "
                         "\"bidirectional_duration_ms\" is"));
    CHECK(error("(dst_port == 443") == "column 17: expected and, or, or ), found the end");
    CHECK(error("dst_port == 443)") == "column 16: expected and, or, or the end, found \")\"");
    CHECK(error("dst_port in [80, 443") == "column 21: expected , or ], found the end");
    CHECK(error("dst_port in []") == "column 14: expected a value, found \"]\"");
    CHECK(error("dst_port in [80,]") == "column 17: expected a value, found \"]\"");
    CHECK(error("dst_port not == 3") == "column 14: expected in, found \"==\"");
    CHECK(error("application_name == 'x") == "column 21: the quote that begins here does not end");
    CHECK(error("application_name == and") == "column 21: expected a value (in quotes if this is one), found \"and\"");
    CHECK(error("application_name == '\u00fc' or $").starts_with("column 28: $ means nothing here"));  // in characters
    CHECK(error("src_ip == 10.0.0.1/33").starts_with("column 11: \"10.0.0.1/33\" is not an address or a block"));
}

TEST_CASE("FilterExpression: a field of a group that is off names the setting that turns it on") {
    FieldGroups plain;
    plain.application = false;
    CHECK(error("bidirectional_max_ps > 3", plain) ==
          "column 1: \"bidirectional_max_ps\" needs metering.statistical_analysis: true");
    CHECK(error("dst_port == 1 and application_name ~ x", plain) ==
          "column 19: \"application_name\" needs metering.n_dissections above 0");
}

TEST_CASE("FilterExpression: every field takes the operators of its type and refuses the others") {
    constexpr std::string_view kOperators[] = {"==", "!=", "<", "<=", ">", ">=", "~", "contains", "in", "not in"};
    const std::string kValues[] = {"1", "10.0.0.1", "02:00:00:00:00:01", "text", "true"};
    int taken = 0, refused = 0;
    for (const auto& field : builtin_elements()) {
        const FilterKind kind = filter_kind(field);
        for (const auto op : kOperators) {
            const bool contains = op == "~" || op == "contains";
            const bool ordered = op.find_first_of("<>") == 0;
            const bool takes = kind != FilterKind::kNothing && (!contains || kind == FilterKind::kText) &&
                               (!ordered || kind == FilterKind::kNumber || kind == FilterKind::kTime);
            int parsed = 0;
            for (const auto& value : kValues) {
                const auto text = std::string(field.column) + ' ' + std::string(op) + ' ' + value;
                const auto made = FilterExpression::parse(text, every_group());
                parsed += made.has_value();
                if (made) static_cast<void>(made.value().matches(sample()));
            }
            CHECK_MESSAGE((parsed > 0) == takes, field.column, ' ', op);
            // a text takes any value, everything else only its own kind
            if (takes) CHECK_MESSAGE(parsed == (kind == FilterKind::kText ? 5 : 1), field.column, ' ', op);
            (takes ? taken : refused) += 1;
        }
    }
    CHECK(taken > 300);
    CHECK(refused > 100);
}

TEST_CASE("FilterExpression: depth and length are bounded, breadth is not") {
    const auto nested = [](int depth, const char* open, const char* close) {
        std::string text;
        for (int i = 0; i < depth; ++i) text += open;
        text += "dst_port == 443";
        for (int i = 0; i < depth; ++i) text += close;
        return text;
    };
    CHECK(holds(nested(FilterExpression::kDeepest - 1, "(", ")")));
    CHECK(error(nested(FilterExpression::kDeepest, "(", ")")) ==
          "column 65: more than 64 parentheses or negations in one another");
    CHECK(error(nested(20'000, "!", "")).find("more than 64") != std::string::npos);
    CHECK(error(nested(10'000, "not ", "")).find("more than 64") != std::string::npos);

    std::string wide = "dst_port == 1";
    for (int i = 0; i < 3000; ++i) wide += i % 2 ? " or dst_port == 2" : " and dst_port == 3";
    CHECK_FALSE(holds(wide));
    CHECK(holds(wide + " or dst_port == 443"));

    std::string list = "dst_port in [1";
    while (list.size() < 60'000) list += ",1";
    CHECK(holds(list + ",443]"));
    CHECK(error(std::string(FilterExpression::kLongest + 1, '(')).find("65536 octets at most") != std::string::npos);
    CHECK(error("application_name == x" + std::string(60'000, 'x') + " y").size() < 200);
}

TEST_CASE("FilterExpression: mutated expressions never break it") {
    const std::string seeds[] = {"application_name != Unknown and dst_port in [80, 443]",
                                 "not (src_ip in 10.0.0.0/8 || src_mac == 02:00:00:00:00:0a) && dst_port >= 0x10",
                                 "bidirectional_duration_ms > 2.5s or user_agent ~ 'a \\' b'",
                                 "src2dst_first_seen_ms < 2024-05-01T12:30:00Z"};
    std::minstd_rand random(5);
    int parsed = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text = seeds[random() % std::size(seeds)];
        for (auto edits = random() % 4; edits > 0 && !text.empty(); --edits) {
            const std::size_t at = random() % text.size();
            switch (random() % 4) {
                case 0:
                    text[at] = static_cast<char>(random());
                    break;
                case 1:
                    text.erase(at, 1 + random() % 5);
                    break;
                case 2:
                    text.insert(at, text.substr(random() % text.size(), random() % 10));
                    break;
                default:
                    text.resize(at);
            }
        }
        const auto made = FilterExpression::parse(text, every_group());
        if (made) {
            ++parsed;
            static_cast<void>(made.value().matches(sample()));
        } else {
            REQUIRE(made.error().message.starts_with("column "));
        }
    }
    CHECK(parsed > 1000);
}

}  // namespace
}  // namespace nfstreamd
