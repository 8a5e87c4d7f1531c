// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/record/accounted_elements.hpp"
#include "core/record/flow_record.hpp"
#include "core/record/information_element.hpp"
#include "core/record/template.hpp"

using namespace nfstreamd;

namespace {

struct RegistryRow {
    std::string name, type;
};

// The IANA registry of IPFIX elements, as far as we use it.
std::map<int, RegistryRow> registry() {
    std::map<int, RegistryRow> out;
    std::ifstream file(NFSTREAMD_SOURCE_DIR "/tests/unit/core/record/iana_elements.csv");
    std::string line;
    std::getline(file, line);
    REQUIRE(line == "id,name,type");
    while (std::getline(file, line)) {
        std::istringstream fields(line);
        std::string id;
        RegistryRow row;
        std::getline(fields, id, ',');
        std::getline(fields, row.name, ',');
        std::getline(fields, row.type, ',');
        out[std::stoi(id)] = row;
    }
    return out;
}

std::string type_name(IeType type, bool v6) {
    switch (type) {
        case IeType::kUnsigned8:
            return "unsigned8";
        case IeType::kUnsigned16:
            return "unsigned16";
        case IeType::kUnsigned32:
            return "unsigned32";
        case IeType::kUnsigned64:
            return "unsigned64";
        case IeType::kMacAddress:
            return "macAddress";
        case IeType::kIpAddress:
            return v6 ? "ipv6Address" : "ipv4Address";
        case IeType::kDateTimeMilliseconds:
            return "dateTimeMilliseconds";
        case IeType::kString:
            return "string";
        case IeType::kOctetArray:
            return "octetArray";
        default:
            return "none that IANA gave an element of ours";
    }
}

// RFC 5103, 6.1: "reverse" and the name with a capital.
std::string reverse_name(std::string name) {
    name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
    return "reverse" + name;
}
std::string for_v6(std::string name) {
    const auto at = name.find("IPv4");
    return at == std::string::npos ? name : name.replace(at, 4, "IPv6");
}

void check_element(const InformationElement& field, const IeId& ie, bool v6, const std::map<int, RegistryRow>& rows) {
    if (ie.id == 0 || (ie.pen != 0 && ie.pen != kReversePen)) return;
    CAPTURE(std::string(field.column));
    const auto row = rows.find(ie.id);
    REQUIRE(row != rows.end());
    const std::string expected = ie.pen == 0 ? row->second.name : reverse_name(row->second.name);
    CHECK((v6 ? for_v6(std::string(field.name)) : std::string(field.name)) == expected);
    CHECK(type_name(field.type, v6) == row->second.type);
    CHECK((field.side == IeSide::kReverse) == (ie.pen == kReversePen));
}

// A record in which nothing is left out.
struct Filled {
    Filled() {
        record.id = 1;
        record.source_address = {{10, 0, 0, 1}, 4};
        record.destination_address = {{10, 0, 0, 2}, 4};
        record.source_mac = {1, 2, 3, 4, 5, 6};
        record.destination_mac = {7, 8, 9, 10, 11, 12};
        record.source_port = 1, record.destination_port = 2, record.vlan_id = 3;
        record.protocol = 6, record.ip_version = 4, record.tunnel_id = 1;
        record.end_reason = EndReason::kPlugin;
        record.biflow_direction = BiflowDirection::kInitiator;
        record.flow_direction = 1, record.observation_point = 5, record.selector = 6;
        record.ingress_interface = record.egress_interface = 6;
        record.interface_name = "eth0";
        std::uint64_t n = 100;
        for (auto* d : {&record.forward, &record.reverse}) {
            d->first = static_cast<TimestampNs>(n++) * 1'000'000'000;
            d->last = d->first + 5'000'000;
            d->packets = n++, d->octets = n++, d->bytes = n++;
            d->flow_label = 9, d->tcp_flags = 2, d->tos = 4, d->ttl_min = 5, d->ttl_max = 6;
            d->icmp_type = 7, d->icmp_code = 8;
        }
        for (auto* s : {&statistics.bidirectional, &statistics.forward, &statistics.reverse}) {
            s->min_ps = 1, s->max_ps = 2, s->mean_ps = 1.5, s->stddev_ps = .5, s->ps_squares = 5;
            s->min_piat_ms = 3, s->max_piat_ms = 4, s->mean_piat_ms = 3.5, s->stddev_piat_ms = .75;
            for (auto& count : s->flag_packets) count = 1;
        }
        sequence = {directions, list, list};
        application.name = application.category_name = application.requested_server_name = "a";
        application.client_fingerprint = application.server_fingerprint = "b";
        application.user_agent = application.content_type = "c";
        application.confidence = 6;
        application.app_protocol = 91;
        application.is_guessed = true;
        details.dns_answer = details.http_method = details.http_url = details.tls_alpn = details.tls_issuer = "d";
        details.tls_subject = details.tls_server_names = details.tls_certificate_sha1 = "e";
        details.ssh_client_version = details.ssh_server_version = details.detected_os = details.risk_names = "f";
        details.dns_query_type = 1, details.dns_reply_code = 3, details.http_status = 200;
        details.tls_not_before = 1, details.tls_not_after = 2, details.tls_version = 3, details.tls_cipher = 4;
        details.risk = 64, details.risk_score = 100;
        application.details = &details;
        record.statistics = &statistics;
        record.sequence = &sequence;
        record.application = &application;
        tcp_quality = {1, 2, 3, {4, 5, 6}, {7, 8, 9}};
        record.tcp_quality = &tcp_quality;
        enrichment.source = {64500, "g", "DE", "h", "i"};
        enrichment.destination = {64501, "j", "FR", "k", "l"};
        record.enrichment = &enrichment;
        record.process = &process;
        tunnel.source_address = {{192, 0, 2, 1}, 4}, tunnel.destination_address = {{192, 0, 2, 2}, 4};
        tunnel.key = 0x010203, tunnel.reverse_key = 7, tunnel.kind = "vxlan", tunnel.depth = 1;
        record.tunnel = &tunnel;
    }

    FlowRecord record;
    StatisticsRecord statistics;
    SequenceRecord sequence;
    ApplicationRecord application;
    ApplicationDetails details;
    TcpQualityRecord tcp_quality;
    EnrichmentRecord enrichment;
    ProcessRecord process{7, "g"};
    TunnelRecord tunnel;
    std::int32_t list[3] = {1, 2, -1}, directions[3] = {1, 0, -1};
};

bool is_empty(const FieldValue& value) {
    struct {
        bool operator()(std::monostate) const { return true; }
        bool operator()(std::uint64_t v) const { return v == 0; }
        bool operator()(std::int64_t v) const { return v == 0; }
        bool operator()(double v) const { return v == 0; }
        bool operator()(bool v) const { return !v; }
        bool operator()(std::string_view v) const { return v.empty(); }
        bool operator()(const IpAddress& v) const { return v.version == 0; }
        bool operator()(const MacAddress& v) const { return v == MacAddress{}; }
        bool operator()(std::span<const std::int32_t> v) const { return v.empty(); }
        bool operator()(const Unsigned128& v) const { return v == Unsigned128{}; }
    } empty;
    return std::visit(empty, value);
}

}  // namespace

TEST_CASE("FIELDS.md is what the table prints (update-fields writes it anew)") {
    std::ifstream file(NFSTREAMD_SOURCE_DIR "/core/record/FIELDS.md");
    std::ostringstream text;
    text << file.rdbuf();
    CHECK(text.str() == fields_markdown());
}

TEST_CASE("Elements: number, name and type agree with the IANA registry") {
    const auto rows = registry();
    REQUIRE(rows.size() > 40);
    for (const auto& field : builtin_elements()) {
        check_element(field, field.ie, false, rows);
        check_element(field, field.ie_v6, true, rows);
    }
    for (const AccountedElements& by_mode : accounted_elements()) {
        const InformationElement* field = find_field(by_mode.column);
        REQUIRE(field != nullptr);
        CHECK(by_mode.of(Accounted::kLink).ie == field->ie);  // what the row says is so in mode 0
        for (const NamedElement& element : by_mode.by_kind) {
            InformationElement as_row = *field;
            as_row.name = element.name;
            check_element(as_row, element.ie, false, rows);
        }
    }
}

TEST_CASE("Elements: no two fields have one element, and a reverse one of ours is its forward one with the bit set") {
    std::map<std::pair<std::uint32_t, int>, std::string> seen;
    std::set<int> own;
    const auto take = [&](const IeId& ie, std::string_view column) {
        if (ie.id == 0) return;
        const auto added = seen.emplace(std::pair(ie.pen, int{ie.id}), column);
        CAPTURE(added.first->second);
        CAPTURE(std::string(column));
        CHECK((added.second || added.first->second == column));
        if (ie.pen == kOurPen) own.insert(ie.id);
    };
    for (const auto& field : builtin_elements()) {
        take(field.ie, field.column);
        take(field.ie_v6, field.column);
    }
    for (const auto& by_mode : accounted_elements())
        for (const auto& element : by_mode.by_kind) take(element.ie, by_mode.column);
    for (const int id : own)
        if (id > 0x4000) CHECK_MESSAGE(own.count(id - 0x4000) == 1, id);
}

TEST_CASE("Elements: every column of nfstream is carried by IPFIX or derived") {
    for (const auto& field : builtin_elements()) {
        if (field.group > IeGroup::kSystem) continue;
        CAPTURE(std::string(field.column));
        const bool carried = field.ie.id != 0 || field.ie_v6.id != 0;
        CHECK(carried != is_derived(field));
    }
}

TEST_CASE("Elements: every reader finds a value in a filled record, and survives an empty one") {
    Filled filled;
    for (const auto& field : builtin_elements()) {
        CAPTURE(std::string(field.column));
        CHECK_FALSE(field.description.empty());
        CHECK(field.description.back() == '.');
        (void)field.value(FlowRecord{});
        for (const auto family :
             {ApplicationFamily::kTls, ApplicationFamily::kHttp, ApplicationFamily::kDns, ApplicationFamily::kSsh}) {
            filled.application.family = family;
            if (!is_empty(field.value(filled.record))) break;
        }
        CHECK_FALSE(is_empty(field.value(filled.record)));
    }
}

TEST_CASE("Elements: readers of both directions do not mix them up") {
    const Filled filled;
    const auto number = [&](const char* column) {
        return std::get<std::uint64_t>(find_field(column)->value(filled.record));
    };
    const FlowRecord& r = filled.record;
    CHECK(number("src2dst_packets") == r.forward.packets);
    CHECK(number("dst2src_packets") == r.reverse.packets);
    CHECK(number("bidirectional_packets") == r.forward.packets + r.reverse.packets);
    CHECK(number("src2dst_bytes") == r.forward.bytes);
    CHECK(number("dst2src_ip_bytes") == r.reverse.octets);
    CHECK(number("bidirectional_bytes") == r.forward.bytes + r.reverse.bytes);
    CHECK(number("bidirectional_first_seen_ms") == 100'000);
    CHECK(number("bidirectional_last_seen_ms") == static_cast<std::uint64_t>(r.reverse.last) / 1'000'000);
    CHECK(number("src2dst_duration_ms") == 5);
    CHECK(std::get<std::string_view>(find_field("src_oui")->value(r)) == "01:02:03");
    CHECK(std::get<std::string_view>(find_field("dst_oui")->value(r)) == "07:08:09");
    CHECK(std::get<std::int64_t>(find_field("expiration_id")->value(r)) == -1);
    CHECK(number("tunnel_key") == 0x010203);
    CHECK(number("tunnel_reverse_key") == 7);
    CHECK(std::get<IpAddress>(find_field("outer_src_ip")->value(r)) == r.tunnel->source_address);
    CHECK(std::get<IpAddress>(find_field("outer_dst_ip")->value(r)) == r.tunnel->destination_address);
}

TEST_CASE("Elements: layer2SegmentId is of VXLAN, as IANA numbers the kinds") {
    Filled filled;
    const auto* field = find_field("layer2SegmentId");
    REQUIRE(field != nullptr);
    CHECK(std::get<std::uint64_t>(field->value(filled.record)) == 0x0100000000010203);
    filled.tunnel.kind = "geneve";
    CHECK(is_empty(field->value(filled.record)));
}

TEST_CASE("InformationElement: expiration_id of a plugin is the number that it gave, whatever it is") {
    FlowRecord record;
    const auto id = [&record] { return std::get<std::int64_t>(find_field("expiration_id")->value(record)); };
    record.custom_expiration = -70'000;
    CHECK(id() == 0);  // idle
    record.end_reason = EndReason::kPlugin;
    CHECK(id() == -70'000);
}

TEST_CASE("reversed: the same conversation from the other side, and back") {
    const Filled filled;
    const ReversedFlow reversed(filled.record);
    const FlowRecord& other = reversed.record;
    CHECK(other.source_address == filled.record.destination_address);
    CHECK(other.source_port == filled.record.destination_port);
    CHECK(other.source_mac == filled.record.destination_mac);
    CHECK(other.forward.packets == filled.record.reverse.packets);
    CHECK(other.biflow_direction == BiflowDirection::kReverseInitiator);
    CHECK(other.id == filled.record.id);
    CHECK(other.tcp_quality->forward.retransmitted == 7);
    CHECK(other.tcp_quality->reverse.zero_window == 6);
    CHECK(other.tcp_quality->client_handshake_us == 1);
    CHECK(other.enrichment->source.country == "FR");
    CHECK(other.enrichment->destination.asn == 64500);
    CHECK(other.statistics->bidirectional.max_ps == filled.statistics.bidirectional.max_ps);
    CHECK(std::vector(other.sequence->direction.begin(), other.sequence->direction.end()) == std::vector{0, 1, -1});
    CHECK(other.sequence->size.data() == filled.sequence.size.data());
    const ReversedFlow again(other);
    CHECK(again.record.forward.octets == filled.record.forward.octets);
    CHECK(again.record.biflow_direction == BiflowDirection::kInitiator);
    CHECK(again.record.tcp_quality->forward.retransmitted == 4);
    const ReversedFlow unknown{FlowRecord{}};
    CHECK(unknown.record.biflow_direction == BiflowDirection::kArbitrary);
    CHECK(unknown.record.statistics == nullptr);
}
