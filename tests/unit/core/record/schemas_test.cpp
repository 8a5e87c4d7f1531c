// SPDX-License-Identifier: Apache-2.0
#include "core/record/schemas.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <algorithm>

#include "core/record/flow_record.hpp"

using namespace nfstreamd;

namespace {

std::string columns(const FieldSelection& fields) {
    std::string out;
    for (const auto* field : fields) out += (out.empty() ? "" : " ") + std::string(field->column);
    return out;
}

const InformationElement& column(Generation schema, std::string_view name) {
    static FieldSelection fields;
    fields = schema_fields(schema, {});
    const auto at = std::find_if(fields.begin(), fields.end(), [&](const auto* f) { return f->column == name; });
    REQUIRE(at != fields.end());
    return **at;
}

FieldValue value(Generation schema, std::string_view name, const FlowRecord& record) {
    return column(schema, name).value(record);
}

std::string text(Generation schema, std::string_view name, const FlowRecord& record) {
    return std::string(std::get<std::string_view>(value(schema, name, record)));
}

template <class T>
bool is(const FieldValue& value, const T& expected) {
    return std::holds_alternative<T>(value) && std::get<T>(value) == expected;
}

constexpr auto k3 = Generation::kNfstream3;
constexpr auto k0 = Generation::kNfstream0;

}  // namespace

TEST_CASE("generations: each has a name by which it is found") {
    CHECK(kGenerationChoices == "nfstream6 nfstream3 nfstream0");
    for (const auto name_ : kGenerationNames) CHECK(name(find_generation(name_).value()) == name_);
    CHECK_FALSE(find_generation("nfstream4"));
    CHECK_FALSE(find_generation(""));
}

TEST_CASE("schema_fields: each generation's columns in its order") {
    CHECK(columns(schema_fields(Generation::kNfstream6, {})) == columns(nfstream_fields({})));
    CHECK(columns(schema_fields(k3, {})) ==
          "id first_seen last_seen version src_port dst_port protocol vlan_id src_ip dst_ip ip_src ip_dst "
          "total_packets total_bytes duration src2dst_packets src2dst_bytes dst2src_packets dst2src_bytes "
          "expiration_id master_protocol app_protocol application_name category_name client_info server_info "
          "j3a_client j3a_server");
    CHECK(columns(schema_fields(k0, {})) ==
          "ip_src src_port ip_dst dst_port ip_protocol src_to_dst_pkts dst_to_src_pkts src_to_dst_bytes "
          "dst_to_src_bytes application_name category_name start_time end_time export_reason");
}

TEST_CASE("schema_fields: without dissection the older generations have no columns of it") {
    const FieldGroups off{.application = false};
    CHECK(columns(schema_fields(k3, off)).ends_with("dst2src_bytes expiration_id"));
    CHECK(columns(schema_fields(k0, off)).ends_with("dst_to_src_bytes start_time end_time export_reason"));
}

TEST_CASE("schema_fields: the older generations had no statistics, sequences and tunnels to show") {
    const FieldGroups all{.tunnel = true, .statistics = true, .splt = true, .application = true};
    for (const auto schema : {k3, k0}) CHECK(schema_fields(schema, all) == schema_fields(schema, {}));
}

TEST_CASE("schema_fields: an alias has the value of the row it renames") {
    FlowRecord record;
    record.forward.packets = 3;
    record.reverse.packets = 4;
    record.forward.first = 1'700'000'000'123'456'789;
    record.ip_version = 6;
    CHECK(is(value(k3, "total_packets", record), std::uint64_t{7}));
    CHECK(is(value(k3, "first_seen", record), std::uint64_t{1'700'000'000'123}));
    CHECK(is(value(k3, "version", record), std::uint64_t{6}));
    CHECK(is(value(k0, "start_time", record), std::uint64_t{1'700'000'000'123}));
    CHECK(is(value(k0, "dst_to_src_pkts", record), std::uint64_t{4}));
}

TEST_CASE("nfstream3: its id is that of creation, nfstream6's stays the record's") {
    FlowRecord record;
    record.id = 7;
    record.creation_id = 3;
    CHECK(is(value(k3, "id", record), std::uint64_t{3}));
    CHECK(is(value(Generation::kNfstream6, "id", record), std::uint64_t{7}));
}

TEST_CASE("nfstream3: addresses are text and numbers, of IPv6 too; nfstream0 has text alone") {
    FlowRecord record;
    record.source_address.version = 4;
    REQUIRE(::inet_pton(AF_INET, "192.168.43.18", record.source_address.bytes.data()) == 1);
    record.destination_address.version = 6;
    REQUIRE(::inet_pton(AF_INET6, "2001:db8::1", record.destination_address.bytes.data()) == 1);
    CHECK(is(value(k3, "src_ip", record), record.source_address));
    CHECK(is(value(k3, "ip_src", record), std::uint64_t{3232246546}));
    CHECK(is(value(k3, "ip_dst", record), Unsigned128{0x20010db800000000, 1}));
    CHECK(is(value(k0, "ip_src", record), record.source_address));
}

TEST_CASE("end reasons: 0 and 1 in all generations, 2 of nfstream0 for the end of input and of the process") {
    FlowRecord record;
    const auto codes = [&](EndReason reason) {
        record.end_reason = reason;
        return std::pair(std::get<std::int64_t>(value(k3, "expiration_id", record)),
                         std::get<std::int64_t>(value(k0, "export_reason", record)));
    };
    using Codes = std::pair<std::int64_t, std::int64_t>;
    CHECK(codes(EndReason::kIdle) == Codes{0, 0});
    CHECK(codes(EndReason::kActive) == Codes{1, 1});
    CHECK(codes(EndReason::kEndOfInput) == Codes{0, 2});
    CHECK(codes(EndReason::kForced) == Codes{0, 2});
}

TEST_CASE("nfstream3: client_info and server_info go by the protocol") {
    ApplicationDetails details;
    details.detected_os = "Windows NT 10.0";
    details.ssh_client_version = "SSH-2.0-OpenSSH_9.2";
    details.ssh_server_version = "SSH-2.0-dropbear";
    details.tls_server_names = "*.example.org,example.org";
    ApplicationRecord application;
    application.requested_server_name = "www.example.org";
    application.client_fingerprint = "cf";
    application.server_fingerprint = "sf";
    application.details = &details;
    FlowRecord record;
    record.application = &application;
    using Family = ApplicationFamily;
    const struct {
        Family family;
        const char *client, *server, *j3a;
    } rows[] = {{Family::kTls, "www.example.org", "*.example.org,example.org", "cf"},
                {Family::kHttp, "Windows NT 10.0", "www.example.org", ""},
                {Family::kDns, "", "www.example.org", ""},
                {Family::kSsh, "SSH-2.0-OpenSSH_9.2", "SSH-2.0-dropbear", ""},
                {Family::kDhcp, "", "", ""},
                {Family::kOther, "", "", ""}};
    for (const auto& row : rows) {
        application.family = row.family;
        CHECK(text(k3, "client_info", record) == row.client);
        CHECK(text(k3, "server_info", record) == row.server);
        CHECK(text(k3, "j3a_client", record) == row.j3a);
    }
    application.family = Family::kTls;
    const std::string name(30, 'a');
    const struct {
        std::string names, info;
    } certificates[] = {{name + "," + name + ",b", name + "," + name + ",b"},
                        {name + "," + name + ",bc", name + "," + name},
                        {name + "," + name + ",b,c", name + "," + name + ",b"},
                        {std::string(63, 'a'), std::string(63, 'a')},
                        {std::string(70, 'a'), std::string(63, 'a')}};
    for (const auto& certificate : certificates) {
        details.tls_server_names = certificate.names;
        CHECK(text(k3, "server_info", record) == certificate.info);
    }
    application.details = nullptr;
    application.family = Family::kSsh;
    CHECK(text(k3, "client_info", record).empty());
    CHECK(text(k3, "server_info", record).empty());
    record.application = nullptr;
    CHECK(is(value(k3, "client_info", record), std::monostate{}));
    CHECK(is(value(k3, "master_protocol", record), std::monostate{}));
    CHECK(is(value(k0, "application_name", record), std::monostate{}));
}

TEST_CASE("nfstream0: application_name is always two names") {
    ApplicationRecord application;
    FlowRecord record;
    record.application = &application;
    const struct {
        std::uint16_t master, app;
        const char *name, *both;
    } rows[] = {{91, 119, "TLS.Facebook", "TLS.Facebook"},
                {0, 5, "DNS", "Unknown.DNS"},
                {0, 0, "Unknown", "Unknown.Unknown"},
                {91, 91, "TLS", "TLS.TLS"},
                {91, 0, "TLS", "TLS.Unknown"}};
    for (const auto& row : rows) {
        application.master_protocol = row.master;
        application.app_protocol = row.app;
        application.name = row.name;
        CHECK(text(k0, "application_name", record) == row.both);
        CHECK(text(k3, "application_name", record) == row.name);
        CHECK(is(value(k3, "app_protocol", record), std::uint64_t{row.app}));
    }
}

TEST_CASE("select_fields: on top of a schema its columns go by their names, the table's fields can be added") {
    const FieldSelection defaults = schema_fields(k3, {});
    const auto selected = [&](const std::vector<std::string>& selection) {
        auto result = select_fields(selection, defaults, {});
        REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
        return columns(result.value());
    };
    CHECK(selected({"total_bytes", "ip_src"}) == "total_bytes ip_src");
    CHECK(selected({"default", "flow_end_reason"}) == columns(defaults) + " flow_end_reason");
    CHECK(selected({"default", "-ip_src", "-ip_dst"}).find("dst_ip total_packets") != std::string::npos);
    CHECK(selected({"-application"}).ends_with("dst2src_bytes expiration_id j3a_client j3a_server"));
    CHECK(selected({"bidirectional_bytes"}) == "bidirectional_bytes");
    // a column counts once, and is the schema's
    CHECK(selected({"default", "src_ip", "id"}) == columns(defaults));
    auto id = select_fields({"id"}, defaults, {});
    REQUIRE(id);
    CHECK(id.value() == FieldSelection{defaults.front()});
}
