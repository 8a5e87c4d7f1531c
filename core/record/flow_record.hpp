// SPDX-License-Identifier: Apache-2.0
// What a metering process hands to the exporting processes when a flow ends or
// reaches its active timeout. A plain struct; its strings and blocks live in the
// arena of its batch, or in tables that it keeps. A batch is const once published and freed in one step.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/arena.hpp"
#include "core/base/ip_address.hpp"
#include "core/packet/frame.hpp"
#include "core/record/end_reason.hpp"
#include "core/record/field_value.hpp"

namespace nfstreamd {

// One direction of a flow. All zero when it had no packet.
struct DirectionRecord {
    TimestampNs first = 0, last = 0;
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;      // of IP packets, header included (IE 1), whatever the accounting mode
    std::uint64_t bytes = 0;       // as nfstream's accounting_mode counts
    std::uint32_t flow_label = 0;  // IPv6, of the first packet
    std::uint8_t tcp_flags = 0;    // union
    std::uint8_t tos = 0, ttl_min = 0, ttl_max = 0;  // IPv6: traffic class, hop limit; tos of the first packet
    std::uint8_t icmp_type = 0, icmp_code = 0;       // of the first packet
};

// TCP flags in nfstream's column order.
enum TcpFlagIndex { kSyn, kCwr, kEce, kUrg, kAck, kPsh, kRst, kFin, kTcpFlagCount };

struct ScopeStatistics {  // sizes in octets of the accounting mode, gaps in milliseconds
    std::uint32_t min_ps = 0, max_ps = 0;
    double mean_ps = 0, stddev_ps = 0;
    std::uint64_t ps_squares = 0;  // sum of the squared sizes, exact; of both directions the sum of theirs if it fits
    std::uint64_t min_piat_ms = 0, max_piat_ms = 0;
    double mean_piat_ms = 0, stddev_piat_ms = 0;
    std::uint64_t flag_packets[kTcpFlagCount] = {};
};

struct StatisticsRecord {
    ScopeStatistics bidirectional, forward, reverse;
};

struct SequenceRecord {  // first packets of the flow; a missing tail is -1, as nfstream has it
    std::span<const std::int32_t> direction, size, piat_ms;
};

// What the names and fingerprints of an ApplicationRecord belong to.
enum class ApplicationFamily : std::uint8_t { kOther, kTls, kHttp, kDns, kSsh, kDhcp };  // kTls: QUIC and DTLS too

// What else nDPI learned of a flow; empty or zero where the protocol has no such thing.
struct ApplicationDetails {
    std::string_view dns_answer;  // address of the first answer, as text
    std::uint16_t dns_query_type = 0;
    std::int16_t dns_reply_code = -1;  // -1: no response was seen
    std::string_view http_method, http_url;
    std::uint16_t http_status = 0;
    std::string_view tls_alpn, tls_issuer, tls_subject, tls_server_names;  // names of the certificate, comma between
    std::string_view tls_certificate_sha1;                                 // 40 hex digits
    std::uint64_t tls_not_before = 0, tls_not_after = 0;                   // seconds since the Unix epoch
    std::uint16_t tls_version = 0, tls_cipher = 0;                         // as on the wire
    std::string_view ssh_client_version, ssh_server_version;
    std::string_view ja3_client, ja3_server, hassh_client, hassh_server;
    std::string_view detected_os;
    std::string_view risk_names;  // "; " between
    std::uint64_t risk = 0;       // nDPI's bits, by its version
    std::uint32_t risk_score = 0;
};

struct ApplicationRecord {
    std::string_view name, category_name, requested_server_name;
    std::string_view client_fingerprint, server_fingerprint, user_agent, content_type;
    std::uint16_t master_protocol = 0, app_protocol = 0;  // nDPI's ids, not stable across its versions
    ApplicationFamily family = ApplicationFamily::kOther;
    std::uint8_t confidence = 0;  // nfstream 6.5.4's numbers
    bool is_guessed = false;
    const ApplicationDetails* details = nullptr;  // null when the group is off
};

struct TunnelRecord {  // of the innermost tunnel that carried the first packet
    IpAddress source_address, destination_address;
    std::uint64_t key = 0;          // TEID, VNI, GRE key, session id; by the tunnel's kind
    std::uint64_t reverse_key = 0;  // of the responder's first packet: tunnels may have one for each direction
    std::string_view kind;          // "gtp", "vxlan"; "ip" for IP in IP
    std::uint8_t depth = 0;         // tunnels around the packet
};

struct TcpQualityDirection {
    std::uint32_t retransmitted = 0, out_of_order = 0, zero_window = 0;  // packets
};
struct TcpQualityRecord {                   // times in microseconds, -1: not seen
    std::int64_t client_handshake_us = -1;  // SYN/ACK to its ACK: round trip between probe and client
    std::int64_t server_handshake_us = -1;  // SYN to SYN/ACK: between probe and server
    std::int64_t first_response_us = -1;    // first payload of the client to the server's first
    TcpQualityDirection forward, reverse;
};

struct ProcessRecord {  // the local process a flow belongs to
    std::int32_t pid = -1;
    std::string_view name;
};

struct EndpointRecord {     // what tables know of one end of a flow; empty or 0: nothing
    std::uint32_t asn = 0;  // autonomous system
    std::string_view as_organization;
    std::string_view country;  // ISO 3166-1, two letters
    std::string_view label;    // of the prefix
    std::string_view mac_vendor;
};
struct EnrichmentRecord {
    EndpointRecord source, destination;
};

enum class BiflowDirection : std::uint8_t { kArbitrary = 0, kInitiator = 1, kReverseInitiator = 2 };  // IE 239

struct FlowRecord {
    std::uint64_t id = 0;                           // unique per run of the process
    std::uint64_t creation_id = 0;                  // order of creation; kept when a flow goes on after a timeout
    IpAddress source_address, destination_address;  // source = sender of the first packet
    DirectionRecord forward, reverse;
    MacAddress source_mac{}, destination_mac{};  // of the first packet
    std::uint16_t source_port = 0, destination_port = 0, vlan_id = 0;
    std::uint8_t protocol = 0, ip_version = 0, tunnel_id = 0;
    EndReason end_reason = EndReason::kIdle;
    std::int32_t custom_expiration = -1;  // of kPlugin: the negative number that the hook gave
    BiflowDirection biflow_direction = BiflowDirection::kArbitrary;
    std::uint8_t flow_direction = 0;                            // IE 61: 0 ingress, 1 egress
    std::uint32_t observation_point = 0;                        // IE 138
    std::uint32_t selector = 0;                                 // IE 302: how its packets were selected
    std::uint32_t ingress_interface = 0, egress_interface = 0;  // ifIndex; 0 unknown
    std::string_view interface_name;
    const StatisticsRecord* statistics = nullptr;  // null when the group is off
    const SequenceRecord* sequence = nullptr;
    const ApplicationRecord* application = nullptr;
    const TunnelRecord* tunnel = nullptr;  // null: not tunnelled
    const TcpQualityRecord* tcp_quality = nullptr;
    const ProcessRecord* process = nullptr;
    const EnrichmentRecord* enrichment = nullptr;  // null: off, or nothing is known
    std::span<const DeclaredValue> declared;       // of fields that plugins and models have declared

    std::uint64_t packets() const { return forward.packets + reverse.packets; }
    TimestampNs first() const { return forward.first; }
    TimestampNs last() const { return forward.last > reverse.last ? forward.last : reverse.last; }
};

// The same conversation seen from the other side, for uniflow export. Borrows
// from the original what does not change.
class ReversedFlow {
public:
    explicit ReversedFlow(const FlowRecord& original);
    ReversedFlow(const ReversedFlow&) = delete;
    ReversedFlow& operator=(const ReversedFlow&) = delete;

    FlowRecord record;

private:
    StatisticsRecord statistics_;
    TcpQualityRecord tcp_quality_;
    TunnelRecord tunnel_;
    EnrichmentRecord enrichment_;
    SequenceRecord sequence_;
    std::vector<std::int32_t> directions_;
};

struct RecordBatch {
    std::vector<FlowRecord> records;
    Arena arena;
    std::shared_ptr<const void> tables;  // where texts of enrichment are; null: nowhere
};
using RecordBatchPtr = std::shared_ptr<const RecordBatch>;

}  // namespace nfstreamd
