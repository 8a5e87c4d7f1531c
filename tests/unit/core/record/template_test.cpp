// SPDX-License-Identifier: Apache-2.0
#include "core/record/template.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace nfstreamd;

namespace {

const FieldGroups kAll{.tunnel = true,
                       .statistics = true,
                       .splt = true,
                       .application = true,
                       .system = true,
                       .l7_details = true,
                       .tcp_quality = true,
                       .enrichment = true};

std::vector<std::string> columns(const FieldSelection& fields) {
    std::vector<std::string> out;
    for (const auto* field : fields) out.emplace_back(field->column);
    return out;
}
std::string error_of(const std::vector<std::string>& selection, const FieldGroups& groups) {
    auto result = select_fields(selection, nfstream_fields(groups), groups);
    return result ? "" : result.error().message;
}
std::vector<std::string> selected(const std::vector<std::string>& selection, const FieldGroups& groups = {}) {
    auto result = select_fields(selection, nfstream_fields(groups), groups);
    REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
    return columns(result.value());
}
std::size_t place(const FieldSelection& fields, std::string_view column) {
    const auto at = std::find_if(fields.begin(), fields.end(), [&](const auto* f) { return f->column == column; });
    REQUIRE(at != fields.end());
    return static_cast<std::size_t>(at - fields.begin());
}

}  // namespace

TEST_CASE("nfstream_fields: nfstream's columns in nfstream's order") {
    const std::vector<std::string> core{"id",
                                        "expiration_id",
                                        "src_ip",
                                        "src_mac",
                                        "src_oui",
                                        "src_port",
                                        "dst_ip",
                                        "dst_mac",
                                        "dst_oui",
                                        "dst_port",
                                        "protocol",
                                        "ip_version",
                                        "vlan_id",
                                        "tunnel_id",
                                        "bidirectional_first_seen_ms",
                                        "bidirectional_last_seen_ms",
                                        "bidirectional_duration_ms",
                                        "bidirectional_packets",
                                        "bidirectional_bytes",
                                        "src2dst_first_seen_ms",
                                        "src2dst_last_seen_ms",
                                        "src2dst_duration_ms",
                                        "src2dst_packets",
                                        "src2dst_bytes",
                                        "dst2src_first_seen_ms",
                                        "dst2src_last_seen_ms",
                                        "dst2src_duration_ms",
                                        "dst2src_packets",
                                        "dst2src_bytes"};
    std::vector<std::string> expected = core;
    std::erase(expected, "tunnel_id");
    CHECK(columns(nfstream_fields({.tunnel = false, .application = false})) == expected);

    expected = core;
    for (const char* what : {"ps", "piat_ms"})
        for (const char* scope : {"bidirectional_", "src2dst_", "dst2src_"})
            for (const char* statistic : {"min_", "mean_", "stddev_", "max_"})
                expected.push_back(std::string(scope) + statistic + what);
    for (const char* scope : {"bidirectional_", "src2dst_", "dst2src_"})
        for (const char* flag : {"syn", "cwr", "ece", "urg", "ack", "psh", "rst", "fin"})
            expected.push_back(std::string(scope) + flag + "_packets");
    for (const char* column :
         {"splt_direction", "splt_ps", "splt_piat_ms", "application_name", "application_category_name",
          "application_is_guessed", "application_confidence", "requested_server_name", "client_fingerprint",
          "server_fingerprint", "user_agent", "content_type", "system_process_pid", "system_process_name"})
        expected.push_back(column);
    CHECK(columns(nfstream_fields(kAll)) == expected);
}

TEST_CASE("select_fields: nothing said is the default, names and groups add, - leaves out") {
    CHECK(selected({}) == columns(nfstream_fields({})));
    CHECK(selected({"dst_ip", "src_ip"}) == std::vector<std::string>{"dst_ip", "src_ip"});
    CHECK(selected({"octetDeltaCount"}) == std::vector<std::string>{"src2dst_ip_bytes"});  // by element
    CHECK(selected({"src_ip", "src_ip", "core"}).size() == selected({"core"}).size());     // once
    auto without = columns(nfstream_fields({}));
    std::erase(without, "src_mac");
    CHECK(selected({"-src_mac"}) == without);
    CHECK(selected({"default", "-src_mac"}) == without);
    auto with = columns(nfstream_fields({}));
    with.push_back("flow_end_reason");
    CHECK(selected({"default", "flow_end_reason"}) == with);
    CHECK(selected({"src_ip", "dst_ip", "-src_ip"}) == std::vector<std::string>{"dst_ip"});
    CHECK(selected({"tunnel"}) == std::vector<std::string>{"tunnel_id"});
}

TEST_CASE("select_fields: errors say what to do") {
    CHECK(error_of({"src_port", "nonsense"}, {}) ==
          "there is no field or group \"nonsense\"; nfstreamd --list-fields names them");
    CHECK(error_of({"-nonsense"}, {}) != "");
    CHECK(error_of({""}, {}) != "");
    CHECK(error_of({"splt_ps"}, {}) == "\"splt_ps\" needs metering.splt_analysis above 0");
    CHECK(error_of({"statistics"}, {}) == "\"statistics\" needs metering.statistical_analysis: true");
    CHECK(error_of({"application_name"}, {.application = false}) ==
          "\"application_name\" needs metering.n_dissections above 0");
    CHECK(selected({"encapsulation"}).front() == "outer_src_ip");
    CHECK(error_of({"outer_src_ip"}, {.tunnel = false}) == "\"outer_src_ip\" needs metering.decode_tunnels: true");
    CHECK(error_of({"tunnel_id"}, {.tunnel = false}) == "\"tunnel_id\" needs metering.decode_tunnels: true");
    CHECK(error_of({"src_ip", "-src_ip"}, {}) == "no field is left");
}

TEST_CASE("ipfix_fields: keys first, then reverse before forward, then strings, then lists") {
    for (const std::uint32_t pen : {0u, 12345u}) {
        const auto fields = ipfix_fields(kAll, pen);
        CHECK(place(fields, "src_ip") < 8);
        CHECK(place(fields, "dst_port") < 8);
        CHECK(place(fields, "dst2src_packets") < place(fields, "src2dst_packets"));
        CHECK(place(fields, "dst2src_ip_bytes") < place(fields, "src2dst_ip_bytes"));
        CHECK(place(fields, "src2dst_packets") < place(fields, "application_name"));
        bool forward = false, strings = false, lists = false;
        for (const auto* field : fields) {
            if (field->side == IeSide::kReverse) CHECK_FALSE(forward);
            if (field->side == IeSide::kForward) forward = true;
            if (field->type == IeType::kString) strings = true;
            if (is_list(field->type)) lists = true;
            if (strings) CHECK((field->type == IeType::kString || is_list(field->type)));
            if (lists) CHECK(is_list(field->type));
            if (field->side == IeSide::kBoth) CHECK(field->column.find("_piat_ms") != std::string_view::npos);
        }
        CHECK(lists);
    }
}

TEST_CASE("ipfix_fields: no element twice, whatever is on") {
    for (int mode = 0; mode < 4; ++mode)
        for (const int version : {4, 6})
            for (const std::uint32_t pen : {0u, 12345u}) {
                FieldGroups groups = kAll;
                groups.accounting_mode = mode;
                std::set<std::pair<std::uint32_t, std::uint16_t>> seen;
                for (const auto* field : ipfix_fields(groups, pen)) {
                    const IeId ie = ipfix_element(*field, version, groups, pen);
                    if (ie.id == 0) continue;
                    CAPTURE(std::string(field->column));
                    CHECK(ie.pen != kOurPen);
                    CHECK(seen.insert({ie.pen, ie.id}).second);
                }
            }
}

TEST_CASE("ipfix_element: address family, accounting mode and private numbers decide") {
    const auto element = [](const char* column, int version, int mode = 0, std::uint32_t pen = 0) {
        FieldGroups groups = kAll;
        groups.accounting_mode = mode;
        return ipfix_element(*find_field(column), version, groups, pen);
    };
    CHECK(element("src_ip", 4) == IeId{0, 8});
    CHECK(element("src_ip", 6) == IeId{0, 27});
    CHECK(element("dst2src_icmp_type", 6) == IeId{kReversePen, 178});
    CHECK(element("src2dst_flow_label", 4) == IeId{});
    CHECK(element("src2dst_flow_label", 6) == IeId{0, 31});
    CHECK(element("src2dst_bytes", 4, 0) == IeId{0, 352});
    CHECK(element("dst2src_bytes", 4, 0) == IeId{kReversePen, 352});
    CHECK(element("src2dst_bytes", 4, 1) == IeId{});
    CHECK(element("src2dst_bytes", 4, 2) == IeId{});
    CHECK(element("dst2src_bytes", 6, 3) == IeId{kReversePen, 401});
    CHECK(element("src2dst_ip_bytes", 4, 3) == IeId{0, 1});
    CHECK(element("expiration_id", 4) == IeId{});
    CHECK(element("expiration_id", 4, 0, 999) == IeId{999, 1});
    CHECK(element("bidirectional_packets", 4, 0, 999) == IeId{});
}

TEST_CASE("find_field: by column, then by element, else null") {
    CHECK(find_field("src_ip") == find_field("sourceIPv4Address"));
    CHECK(find_field("no such field") == nullptr);
    CHECK(find_field("") == nullptr);
}

TEST_CASE("fields_text: one line per field below the heading") {
    const std::string text = fields_text();
    CHECK(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) == builtin_elements().size() + 1);
    CHECK(text.starts_with("column "));
}
