// SPDX-License-Identifier: Apache-2.0
// Flow records with anything in them, blocks and texts missing or not, the same
// for the same seed.
#pragma once
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/record/flow_record.hpp"
#include "tests/unit/exporters/ipfix/sample.hpp"

namespace nfstreamd::test {

class RandomRecord {
public:
    RandomRecord(std::uint32_t seed, int ip_version) : random_(seed) {
        fill(record.forward);
        fill(record.reverse);
        record.id = number();
        record.source_address = any_address(ip_version);
        record.destination_address = any_address(ip_version);
        for (auto& octet : record.source_mac) octet = small();
        for (auto& octet : record.destination_mac) octet = small();
        record.source_port = static_cast<std::uint16_t>(number());
        record.destination_port = static_cast<std::uint16_t>(number());
        record.vlan_id = static_cast<std::uint16_t>(number());
        record.protocol = small(), record.tunnel_id = small(), record.flow_direction = small();
        record.ip_version = static_cast<std::uint8_t>(ip_version);
        record.end_reason = static_cast<EndReason>(number() % kEndReasons);
        record.custom_expiration = static_cast<std::int32_t>(number());
        record.biflow_direction = static_cast<BiflowDirection>(number() % 3);
        record.observation_point = half(), record.selector = half();
        record.ingress_interface = half(), record.egress_interface = half();
        record.interface_name = text(0);
        fill_statistics();
        fill_application();
        fill_tunnel();
        fill_tcp_quality();
        enrichment_ = {{half(), text(11), text(12), text(13), text(14)}, {half(), text(15), text(16), text(17), ""}};
        fill_sequence();
        if (coin()) record.statistics = &statistics_;
        if (coin()) record.sequence = &sequence_;
        if (coin()) record.application = &application_;
        if (coin()) record.tunnel = &tunnel_;
        if (coin()) record.tcp_quality = &tcp_quality_;
        if (coin()) record.enrichment = &enrichment_;
        if (coin()) record.process = &process_;
    }
    RandomRecord(const RandomRecord&) = delete;
    RandomRecord& operator=(const RandomRecord&) = delete;

    FlowRecord record;

private:
    bool coin() { return random_() % 2 == 0; }
    std::uint64_t number() {  // of any magnitude
        const auto shift = random_() % 64;
        return (static_cast<std::uint64_t>(random_()) << 32 | random_()) >> shift;
    }
    std::uint32_t half() { return static_cast<std::uint32_t>(number()); }
    std::uint8_t small() { return static_cast<std::uint8_t>(random_()); }

    IpAddress any_address(int ip_version) {
        IpAddress out;
        out.version = static_cast<std::uint8_t>(ip_version);
        for (std::size_t i = 0; i < (ip_version == 4 ? 4 : 16); ++i) out.bytes[i] = small();
        return out;
    }
    // Mostly printable, rarely anything; valid UTF-8 is not promised.
    std::string_view text(std::size_t index) {
        std::string& out = texts_[index];
        const std::size_t length = random_() % 16 == 0 ? random_() % 400 : random_() % 20;
        const bool any = random_() % 8 == 0;
        for (std::size_t i = 0; i < length; ++i) out += static_cast<char>(any ? random_() : ' ' + random_() % 94);
        return out;
    }

    void fill(DirectionRecord& d) {
        d.first = static_cast<TimestampNs>(number() >> 1);
        d.last = static_cast<TimestampNs>(number() >> 1);
        d.packets = number(), d.octets = number(), d.bytes = number();
        d.flow_label = half();
        d.tcp_flags = small(), d.tos = small(), d.ttl_min = small(), d.ttl_max = small();
        d.icmp_type = small(), d.icmp_code = small();
    }
    void fill_statistics() {
        for (ScopeStatistics* s : {&statistics_.bidirectional, &statistics_.forward, &statistics_.reverse}) {
            for (auto& packets : s->flag_packets) packets = number();
            s->min_ps = half(), s->max_ps = half(), s->ps_squares = number();
            s->min_piat_ms = number(), s->max_piat_ms = number();
            s->mean_piat_ms = static_cast<double>(half()) / 7, s->stddev_piat_ms = static_cast<double>(half()) / 3;
        }
    }
    void fill_sequence() {  // some packets, then a tail
        const std::size_t length = random_() % 60, packets = length == 0 ? 0 : random_() % length;
        for (auto* list : {&directions_, &sizes_, &gaps_}) list->assign(length, -1);
        for (std::size_t i = 0; i < packets; ++i) {
            directions_[i] = coin() ? 1 : 0;
            sizes_[i] = static_cast<std::uint16_t>(number());
            gaps_[i] = static_cast<std::int32_t>(number() & 0x7fff'ffff);
        }
        sequence_ = {directions_, sizes_, gaps_};
    }
    void fill_application() {
        application_.name = text(1), application_.category_name = text(2), application_.user_agent = text(3);
        application_.requested_server_name = text(4), application_.content_type = text(5);
        application_.client_fingerprint = text(6), application_.server_fingerprint = text(7);
        application_.family = static_cast<ApplicationFamily>(random_() % 6);
        application_.confidence = small();
        application_.is_guessed = coin();
        details_.dns_answer = text(8), details_.http_url = text(9), details_.tls_issuer = text(10);
        details_.dns_query_type = static_cast<std::uint16_t>(number());
        details_.dns_reply_code = static_cast<std::int16_t>(number());
        details_.http_status = static_cast<std::uint16_t>(number());
        details_.tls_not_before = number(), details_.tls_not_after = number();
        details_.risk = number(), details_.risk_score = half();
        if (coin()) application_.details = &details_;
    }
    void fill_tunnel() {
        tunnel_.source_address = any_address(coin() ? 4 : 6), tunnel_.destination_address = any_address(coin() ? 4 : 6);
        tunnel_.key = number(), tunnel_.reverse_key = number(), tunnel_.depth = small();
        tunnel_.kind = coin() ? "vxlan" : "gtp";
    }
    void fill_tcp_quality() {
        tcp_quality_.client_handshake_us = static_cast<std::int64_t>(number());
        if (coin()) tcp_quality_.server_handshake_us = static_cast<std::int64_t>(number());
        tcp_quality_.forward = {half(), half(), half()};
        tcp_quality_.reverse = {half(), half(), half()};
    }

    std::mt19937 random_;
    std::string texts_[18];
    StatisticsRecord statistics_;
    SequenceRecord sequence_;
    std::vector<std::int32_t> directions_, sizes_, gaps_;
    ApplicationRecord application_;
    ApplicationDetails details_;
    TunnelRecord tunnel_;
    TcpQualityRecord tcp_quality_;
    EnrichmentRecord enrichment_;
    ProcessRecord process_{4711, "process"};
};

// Every field that IPFIX carries, of all groups.
inline IpfixOptions every_field(std::uint16_t max_message) {
    IpfixOptions options = all_fields(max_message);
    options.groups.system = options.groups.l7_details = options.groups.tcp_quality = options.groups.enrichment = true;
    options.fields.clear();
    for (const InformationElement& field : builtin_elements()) options.fields.push_back(&field);
    return options;
}

}  // namespace nfstreamd::test
