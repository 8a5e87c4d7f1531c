// SPDX-License-Identifier: Apache-2.0
// Every member of a flow record, for what must not forget one. A line lists the
// members of one struct in the order of flow_record.hpp: one that is missing
// does not compile. visit_members(visitor, record) calls the visitor with their
// names and with references to them.
#pragma once
#include <concepts>
#include <type_traits>

#include "core/record/flow_record.hpp"

namespace nfstreamd {

template <class Record, class Type>
concept Maybe = std::same_as<std::remove_const_t<Record>, Type>;

// A structured binding has to name all members of the struct.
#define NFSTREAMD_MEMBERS(TYPE, ...)                                 \
    template <class Visitor, Maybe<TYPE> Record>                     \
    constexpr void visit_members(Visitor& visitor, Record& record) { \
        auto& [__VA_ARGS__] = record;                                \
        visitor(#__VA_ARGS__, __VA_ARGS__);                          \
    }

NFSTREAMD_MEMBERS(DirectionRecord, first, last, packets, octets, bytes, flow_label, tcp_flags, tos, ttl_min, ttl_max,
                  icmp_type, icmp_code)
NFSTREAMD_MEMBERS(ScopeStatistics, min_ps, max_ps, mean_ps, stddev_ps, ps_squares, min_piat_ms, max_piat_ms,
                  mean_piat_ms, stddev_piat_ms, flag_packets)
NFSTREAMD_MEMBERS(StatisticsRecord, bidirectional, forward, reverse)
NFSTREAMD_MEMBERS(SequenceRecord, direction, size, piat_ms)
NFSTREAMD_MEMBERS(ApplicationDetails, dns_answer, dns_query_type, dns_reply_code, http_method, http_url, http_status,
                  tls_alpn, tls_issuer, tls_subject, tls_server_names, tls_certificate_sha1, tls_not_before,
                  tls_not_after, tls_version, tls_cipher, ssh_client_version, ssh_server_version, ja3_client,
                  ja3_server, hassh_client, hassh_server, detected_os, risk_names, risk, risk_score)
NFSTREAMD_MEMBERS(ApplicationRecord, name, category_name, requested_server_name, client_fingerprint, server_fingerprint,
                  user_agent, content_type, master_protocol, app_protocol, family, confidence, is_guessed, details)
NFSTREAMD_MEMBERS(TunnelRecord, source_address, destination_address, key, reverse_key, kind, depth)
NFSTREAMD_MEMBERS(TcpQualityDirection, retransmitted, out_of_order, zero_window)
NFSTREAMD_MEMBERS(TcpQualityRecord, client_handshake_us, server_handshake_us, first_response_us, forward, reverse)
NFSTREAMD_MEMBERS(ProcessRecord, pid, name)
NFSTREAMD_MEMBERS(EndpointRecord, asn, as_organization, country, label, mac_vendor)
NFSTREAMD_MEMBERS(EnrichmentRecord, source, destination)
NFSTREAMD_MEMBERS(FlowRecord, id, creation_id, source_address, destination_address, forward, reverse, source_mac,
                  destination_mac, source_port, destination_port, vlan_id, protocol, ip_version, tunnel_id, end_reason,
                  custom_expiration, biflow_direction, flow_direction, observation_point, selector, ingress_interface,
                  egress_interface, interface_name, statistics, sequence, application, tunnel, tcp_quality, process,
                  enrichment, declared)

#undef NFSTREAMD_MEMBERS

}  // namespace nfstreamd
