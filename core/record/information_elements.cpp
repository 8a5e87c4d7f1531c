// SPDX-License-Identifier: Apache-2.0
// THE TABLE. To add a field: a member in flow_record.hpp, a row here in the
// place where its column belongs, then write core/record/FIELDS.md anew
// (`cmake --build BUILD --target update-fields`) and read the difference.
#include <array>
#include <limits>
#include <type_traits>
#include <utility>

#include "core/packet/tunnel_set.hpp"
#include "core/record/flow_record.hpp"
#include "core/record/information_element.hpp"

namespace nfstreamd {
namespace {

using enum IeType;
using enum IeSemantics;
using enum IeGroup;
using enum IeSide;

constexpr IeId kNone{};
constexpr std::uint32_t kNtopPen = 35632;      // elements of nProbe, as its collectors know them
constexpr std::uint32_t kCesnetPen = 8057;     // of ipfixprobe
constexpr std::uint16_t kReverseBit = 0x4000;  // of a reverse element under a number of one's own (RFC 5103, 6.2)

constexpr IeId iana(std::uint16_t id) {
    return {0, id};
}
constexpr IeId reverse_of(std::uint16_t id) {
    return {kReversePen, id};
}
constexpr IeId ntop(std::uint16_t id) {
    return {kNtopPen, id};
}
constexpr IeId cesnet(std::uint16_t id) {
    return {kCesnetPen, id};
}
constexpr IeId ours(std::uint16_t id) {
    return {kOurPen, id};
}
constexpr IeId ours_reverse(std::uint16_t id) {
    return {kOurPen, static_cast<std::uint16_t>(id | kReverseBit)};
}

std::uint64_t milliseconds(TimestampNs ns) {
    return static_cast<std::uint64_t>(ns) / 1'000'000;
}

FieldValue to_value(const IpAddress& address) {
    return address;
}
FieldValue to_value(const MacAddress& address) {
    return address;
}
FieldValue to_value(std::string_view text) {
    return text;
}
FieldValue to_value(std::span<const std::int32_t> list) {
    return list;
}
template <class T>
requires std::is_arithmetic_v<T> || std::is_enum_v<T> FieldValue to_value(T number) {
    if constexpr (std::is_floating_point_v<T>)
        return number;
    else
        return static_cast<std::uint64_t>(number);
}

template <class T>
constexpr FieldForm form_of() {
    if (std::is_same_v<T, IpAddress>) return FieldForm::kIpAddress;
    if (std::is_same_v<T, MacAddress>) return FieldForm::kMacAddress;
    if (std::is_same_v<T, std::string_view>) return FieldForm::kText;
    if (std::is_same_v<T, double>) return FieldForm::kFloat64;
    if (!std::is_unsigned_v<T> && !std::is_enum_v<T>) return FieldForm::kAny;
    if (sizeof(T) == 8) return FieldForm::kUnsigned64;
    if (sizeof(T) == 4) return FieldForm::kUnsigned32;
    return sizeof(T) == 2 ? FieldForm::kUnsigned16 : FieldForm::kUnsigned8;
}

// The member that a path of pointers to members leads to; null behind a block
// that the record has not got.
template <auto Member, auto... Rest, class T>
auto find(const T& from) {
    const auto& here = from.*Member;
    if constexpr (sizeof...(Rest) == 0)
        return &here;
    else if constexpr (std::is_pointer_v<std::remove_cvref_t<decltype(here)>>)
        return here == nullptr ? nullptr : find<Rest...>(*here);
    else
        return find<Rest...>(here);
}
template <auto... Path>
using MemberAt = std::remove_cvref_t<decltype(*find<Path...>(std::declval<const FlowRecord&>()))>;
template <auto... Path>
FieldValue value_at(const FlowRecord& r) {
    const auto* member = find<Path...>(r);
    return member == nullptr ? FieldValue{} : to_value(*member);
}
template <auto... Path>
const void* member_at(const FlowRecord& r) {
    return find<Path...>(r);
}

// Readers. `value` of a row is one of these or a lambda beside the row.
template <auto... Path>
constexpr FieldReader at{value_at<Path...>, form_of<MemberAt<Path...>>(), member_at<Path...>};

template <auto Member>
constexpr FieldReader flow = at<Member>;
template <auto Side, auto Member>
constexpr FieldReader side = at<Side, Member>;
template <auto Scope, auto Member>
constexpr FieldReader statistic = at<&FlowRecord::statistics, Scope, Member>;
template <auto Member>
constexpr FieldReader sequence = at<&FlowRecord::sequence, Member>;
template <auto Member>
constexpr FieldReader application = at<&FlowRecord::application, Member>;
template <auto Member>
constexpr FieldReader risk = at<&FlowRecord::application, &ApplicationRecord::details, Member>;
template <auto Side, auto Member>
constexpr FieldReader tcp_quality = at<&FlowRecord::tcp_quality, Side, Member>;
template <auto Member>
constexpr FieldReader tunnel = at<&FlowRecord::tunnel, Member>;

template <auto Member>
FieldValue both(const FlowRecord& r) {
    return static_cast<std::uint64_t>(r.forward.*Member + r.reverse.*Member);
}
template <auto Side, auto Member>
constexpr FieldReader time_of{[](const FlowRecord& r) -> FieldValue { return milliseconds(r.*Side.*Member); },
                              FieldForm::kNanoseconds, member_at<Side, Member>};
template <auto Side>
FieldValue duration(const FlowRecord& r) {
    return milliseconds((r.*Side).last) - milliseconds((r.*Side).first);
}
template <auto Scope, int Flag>
const void* flag_member(const FlowRecord& r) {
    return r.statistics == nullptr ? nullptr : &(r.statistics->*Scope).flag_packets[Flag];
}
template <auto Scope, int Flag>
constexpr FieldReader flag_packets{[](const FlowRecord& r) -> FieldValue {
                                       if (r.statistics == nullptr) return {};
                                       return (r.statistics->*Scope).flag_packets[Flag];
                                   },
                                   FieldForm::kUnsigned64, flag_member<Scope, Flag>};
// The text when the application is of that family, else an empty one.
template <ApplicationFamily Family, auto Member>
std::string_view detail_text(const FlowRecord& r) {
    if (r.application == nullptr || r.application->family != Family) return {};
    return r.application->*Member;
}
template <ApplicationFamily Family, auto Member>
constexpr FieldReader detail{[](const FlowRecord& r) -> FieldValue { return detail_text<Family, Member>(r); },
                             detail_text<Family, Member>};
// Of nDPI's further details; a number that is 0 was not seen.
template <auto Member>
FieldValue l7_value(const FlowRecord& r) {
    const auto* member = find<&FlowRecord::application, &ApplicationRecord::details, Member>(r);
    if (member == nullptr) return {};
    if constexpr (std::is_same_v<decltype(member), const std::string_view*>)
        return *member;
    else
        return *member == 0 ? FieldValue{} : to_value(*member);
}
template <auto Member>
constexpr FieldReader l7{l7_value<Member>, risk<Member>.form, risk<Member>.member};
// Of one end of a flow; a number that is 0 is not known.
template <auto End, auto Member>
constexpr FieldReader enrichment{[](const FlowRecord& r) -> FieldValue {
                                     const auto* member = find<&FlowRecord::enrichment, End, Member>(r);
                                     using Value = std::remove_cvref_t<decltype(*member)>;
                                     if (member == nullptr || *member == Value{}) return {};
                                     return to_value(*member);
                                 },
                                 form_of<MemberAt<&FlowRecord::enrichment, End, Member>>(),
                                 member_at<&FlowRecord::enrichment, End, Member>};
// A duration, or nothing when it was not seen.
template <auto Member>
FieldValue handshake(const FlowRecord& r) {
    if (r.tcp_quality == nullptr || r.tcp_quality->*Member < 0) return {};
    return static_cast<std::uint64_t>(r.tcp_quality->*Member);
}
template <std::uint64_t (*Number)(const FlowRecord&)>
constexpr FieldReader number_of{[](const FlowRecord& r) -> FieldValue { return Number(r); }, Number};

// To the nearest whole number, 0 in a record without statistics.
template <auto Scope, auto Member>
std::uint64_t rounded(const FlowRecord& r) {
    if (r.statistics == nullptr) return 0;
    const double value = r.statistics->*Scope.*Member + 0.5;
    if (!(value >= 1)) return 0;  // nor is a NaN a number of anything
    return value < 0x1p63 ? static_cast<std::uint64_t>(value) : std::numeric_limits<std::uint64_t>::max();
}

std::uint64_t end_reason_number(const FlowRecord& r) {
    return row(r.end_reason).flow_end_reason;
}
// The application; where only the protocol that carries it is known, that.
std::uint64_t application_number(const FlowRecord& r) {
    if (r.application == nullptr) return 0;
    return r.application->app_protocol != 0 ? r.application->app_protocol : r.application->master_protocol;
}
std::uint64_t icmp_type_and_code(const FlowRecord& r) {
    return static_cast<std::uint16_t>(r.forward.icmp_type << 8 | r.forward.icmp_code);
}
// IANA's registry: kind of overlay in the first octet, VNI in the last three.
FieldValue layer2_segment(const FlowRecord& r) {
    constexpr std::uint64_t kVxlan = 1;
    if (r.tunnel == nullptr || r.tunnel->kind != name(TunnelKind::kVxlan)) return {};
    return kVxlan << 56 | r.tunnel->key;
}
template <auto Member>
FieldValue oui(const FlowRecord& r) {  // the view is good until the thread reads this row again
    thread_local char text[8] = {0, 0, ':', 0, 0, ':', 0, 0};
    constexpr char kHex[] = "0123456789abcdef";
    const MacAddress& mac = r.*Member;
    for (std::size_t i = 0; i < 3; ++i) {
        text[3 * i] = kHex[mac[i] >> 4];
        text[3 * i + 1] = kHex[mac[i] & 15];
    }
    return std::string_view(text, sizeof text);
}

constexpr auto kFwd = &FlowRecord::forward;
constexpr auto kRev = &FlowRecord::reverse;
constexpr auto kBi = &StatisticsRecord::bidirectional;
constexpr auto kS2d = &StatisticsRecord::forward;
constexpr auto kD2s = &StatisticsRecord::reverse;
using D = DirectionRecord;
using S = ScopeStatistics;
using A = ApplicationRecord;
using F = ApplicationFamily;
using L = ApplicationDetails;
using Q = TcpQualityRecord;
using QD = TcpQualityDirection;
constexpr auto kFwdTcp = &Q::forward;
constexpr auto kRevTcp = &Q::reverse;
using E = EndpointRecord;
constexpr auto kSource = &EnrichmentRecord::source;
constexpr auto kDestination = &EnrichmentRecord::destination;

// nfstream has each statistic for three scopes: the same rows, three times.
#define NFSTREAMD_SIZE_ROWS(scope, prefix, side, where, min_name, min_ie, max_name, max_ie)               \
    {prefix "min_ps",                                                                                     \
     min_name,                                                                                            \
     min_ie,                                                                                              \
     kNone,                                                                                               \
     kUnsigned64,                                                                                         \
     4,                                                                                                   \
     kQuantity,                                                                                           \
     kStatistics,                                                                                         \
     side,                                                                                                \
     "octets",                                                                                            \
     "Smallest packet" where ", as accounting_mode measures.",                                            \
     statistic<scope, &S::min_ps>},                                                                       \
        {prefix "mean_ps",                                                                                \
         "",                                                                                              \
         kNone,                                                                                           \
         kNone,                                                                                           \
         kFloat64,                                                                                        \
         0,                                                                                               \
         kQuantity,                                                                                       \
         kStatistics,                                                                                     \
         side,                                                                                            \
         "octets",                                                                                        \
         "Mean packet size" where ".",                                                                    \
         statistic<scope, &S::mean_ps>},                                                                  \
        {prefix "stddev_ps",                                                                              \
         "",                                                                                              \
         kNone,                                                                                           \
         kNone,                                                                                           \
         kFloat64,                                                                                        \
         0,                                                                                               \
         kQuantity,                                                                                       \
         kStatistics,                                                                                     \
         side,                                                                                            \
         "octets",                                                                                        \
         "Standard deviation of packet sizes" where ".",                                                  \
         statistic<scope, &S::stddev_ps>},                                                                \
    {                                                                                                     \
        prefix "max_ps", max_name, max_ie, kNone, kUnsigned64, 4, kQuantity, kStatistics, side, "octets", \
            "Largest packet" where ".", statistic<scope, &S::max_ps>                                      \
    }

#define NFSTREAMD_PIAT_ROWS(scope, prefix, side, where, min_name, min_ie, mean_name, mean_ie, stddev_name, stddev_ie, \
                            max_name, max_ie)                                                                         \
    {prefix "min_piat_ms",                                                                                            \
     min_name,                                                                                                        \
     min_ie,                                                                                                          \
     kNone,                                                                                                           \
     kUnsigned32,                                                                                                     \
     0,                                                                                                               \
     kQuantity,                                                                                                       \
     kStatistics,                                                                                                     \
     side,                                                                                                            \
     "milliseconds",                                                                                                  \
     "Shortest time between packets" where ".",                                                                       \
     statistic<scope, &S::min_piat_ms>},                                                                              \
        {prefix "mean_piat_ms",                                                                                       \
         mean_name,                                                                                                   \
         mean_ie,                                                                                                     \
         kNone,                                                                                                       \
         kFloat64,                                                                                                    \
         0,                                                                                                           \
         kQuantity,                                                                                                   \
         kStatistics,                                                                                                 \
         side,                                                                                                        \
         "milliseconds",                                                                                              \
         "Mean time between packets" where ".",                                                                       \
         statistic<scope, &S::mean_piat_ms>},                                                                         \
        {prefix "stddev_piat_ms",                                                                                     \
         stddev_name,                                                                                                 \
         stddev_ie,                                                                                                   \
         kNone,                                                                                                       \
         kFloat64,                                                                                                    \
         0,                                                                                                           \
         kQuantity,                                                                                                   \
         kStatistics,                                                                                                 \
         side,                                                                                                        \
         "milliseconds",                                                                                              \
         "Standard deviation of times between packets" where ".",                                                     \
         statistic<scope, &S::stddev_piat_ms>},                                                                       \
    {                                                                                                                 \
        prefix "max_piat_ms", max_name, max_ie, kNone, kUnsigned32, 0, kQuantity, kStatistics, side, "milliseconds",  \
            "Longest time between packets" where ".", statistic<scope, &S::max_piat_ms>                               \
    }

#define NFSTREAMD_FLAG_ROW(scope, prefix, side, where, flag, index, element_name, element)                      \
    {                                                                                                           \
        prefix flag "_packets", element_name, element, kNone, kUnsigned64, 4, kTotalCounter, kStatistics, side, \
            "packets", "Packets with TCP flag " flag where ".", flag_packets<scope, index>                      \
    }

constexpr InformationElement
    kElements[] =
        {
            // ---- core ----
            {"id", "flowId", iana(148), kNone, kUnsigned64, 0, kIdentifier, kCore, kFlow, "",
             "Number of the flow record, unique in a run of the process.", flow<&FlowRecord::id>},
            {"expiration_id", "nfstreamExpirationId", ours(1), kNone, kSigned32, 0, kDefault, kCore, kFlow, "",
             "Why the flow was exported, in nfstream's numbers: 0 idle or end of input, 1 active, negative a plugin's.",
             [](const FlowRecord& r) -> FieldValue {
                 return std::int64_t{r.end_reason == EndReason::kPlugin ? r.custom_expiration
                                                                        : row(r.end_reason).nfstream6};
             }},
            {"src_ip", "sourceIPv4Address", iana(8), iana(27), kIpAddress, 0, kDefault, kCore, kFlow, "",
             "Address of the initiator, the sender of the flow's first packet.",
             flow<&FlowRecord::source_address>},
            {"src_mac", "sourceMacAddress", iana(56), kNone, kMacAddress, 0, kDefault, kCore, kFlow, "",
             "Link-layer source of the first packet.", flow<&FlowRecord::source_mac>},
            {"src_oui", "", kNone, kNone, kString, 0, kDefault, kCore, kFlow, "", "First three octets of src_mac.",
             oui<&FlowRecord::source_mac>},
            {"src_port", "sourceTransportPort", iana(7), kNone, kUnsigned16, 0, kIdentifier, kCore, kFlow, "",
             "TCP or UDP port of the initiator, else 0.", flow<&FlowRecord::source_port>},
            {"dst_ip", "destinationIPv4Address", iana(12), iana(28), kIpAddress, 0, kDefault, kCore, kFlow, "",
             "Address of the responder.", flow<&FlowRecord::destination_address>},
            {"dst_mac", "destinationMacAddress", iana(80), kNone, kMacAddress, 0, kDefault, kCore, kFlow, "",
             "Link-layer destination of the first packet.",
             flow<&FlowRecord::destination_mac>},
            {"dst_oui", "", kNone, kNone, kString, 0, kDefault, kCore, kFlow, "", "First three octets of dst_mac.",
             oui<&FlowRecord::destination_mac>},
            {"dst_port", "destinationTransportPort", iana(11), kNone, kUnsigned16, 0, kIdentifier, kCore, kFlow, "",
             "TCP or UDP port of the responder, else 0.", flow<&FlowRecord::destination_port>},
            {"protocol", "protocolIdentifier", iana(4), kNone, kUnsigned8, 0, kIdentifier, kCore, kFlow, "",
             "IP protocol number.", flow<&FlowRecord::protocol>},
            {"ip_version", "ipVersion", iana(60), kNone, kUnsigned8, 0, kIdentifier, kCore, kFlow, "", "4 or 6.",
             flow<&FlowRecord::ip_version>},
            {"vlan_id", "vlanId", iana(58), kNone, kUnsigned16, 0, kIdentifier, kCore, kFlow, "",
             "Innermost VLAN identifier, 0 without a tag.", flow<&FlowRecord::vlan_id>},
            {"tunnel_id", "nfstreamTunnelId", ours(3), kNone, kUnsigned8, 0, kIdentifier, kTunnel, kFlow, "",
             "Innermost tunnel: 0 none, 1 GTP-U, 2 CAPWAP, 3 TZSP, 4 VXLAN, 5 GENEVE, 6 GRE, 7 ERSPAN, 8 L2TP, 9 "
             "Teredo.",
             flow<&FlowRecord::tunnel_id>},
            {"bidirectional_first_seen_ms", "", kNone, kNone, kDateTimeMilliseconds, 0, kDefault, kCore, kBoth,
             "milliseconds", "Time of the first packet, since 1970-01-01 UTC.",
             [](const FlowRecord& r) -> FieldValue { return milliseconds(r.first()); }},
            {"bidirectional_last_seen_ms", "", kNone, kNone, kDateTimeMilliseconds, 0, kDefault, kCore, kBoth,
             "milliseconds", "Time of the last packet.",
             [](const FlowRecord& r) -> FieldValue { return milliseconds(r.last()); }},
            {"bidirectional_duration_ms", "", kNone, kNone, kUnsigned64, 0, kQuantity, kCore, kBoth, "milliseconds",
             "Time between first and last packet.",
             [](const FlowRecord& r) -> FieldValue { return milliseconds(r.last()) - milliseconds(r.first()); }},
            {"bidirectional_packets", "", kNone, kNone, kUnsigned64, 0, kDeltaCounter, kCore, kBoth, "packets",
             "Packets in both directions.", both<&D::packets>},
            {"bidirectional_bytes", "", kNone, kNone, kUnsigned64, 0, kDeltaCounter, kCore, kBoth, "octets",
             "Octets in both directions, as accounting_mode counts.", both<&D::bytes>},
            {"src2dst_first_seen_ms", "flowStartMilliseconds", iana(152), kNone, kDateTimeMilliseconds, 0, kDefault,
             kCore, kForward, "milliseconds", "Time of the initiator's first packet.", time_of<kFwd, &D::first>},
            {"src2dst_last_seen_ms", "flowEndMilliseconds", iana(153), kNone, kDateTimeMilliseconds, 0, kDefault, kCore,
             kForward, "milliseconds", "Time of the initiator's last packet.", time_of<kFwd, &D::last>},
            {"src2dst_duration_ms", "", kNone, kNone, kUnsigned64, 0, kQuantity, kCore, kForward, "milliseconds",
             "Time between the initiator's first and last packet.", duration<kFwd>},
            {"src2dst_packets", "packetDeltaCount", iana(2), kNone, kUnsigned64, 0, kDeltaCounter, kCore, kForward,
             "packets", "Packets from initiator to responder.", side<kFwd, &D::packets>},
            {"src2dst_bytes", "layer2OctetDeltaCount", iana(352), kNone, kUnsigned64, 0, kDeltaCounter, kCore, kForward,
             "octets", "Octets from initiator to responder, as accounting_mode counts.", side<kFwd, &D::bytes>},
            {"dst2src_first_seen_ms", "reverseFlowStartMilliseconds", reverse_of(152), kNone, kDateTimeMilliseconds, 0,
             kDefault, kCore, kReverse, "milliseconds", "Time of the responder's first packet, 0 without one.",
             time_of<kRev, &D::first>},
            {"dst2src_last_seen_ms", "reverseFlowEndMilliseconds", reverse_of(153), kNone, kDateTimeMilliseconds, 0,
             kDefault, kCore, kReverse, "milliseconds", "Time of the responder's last packet, 0 without one.",
             time_of<kRev, &D::last>},
            {"dst2src_duration_ms", "", kNone, kNone, kUnsigned64, 0, kQuantity, kCore, kReverse, "milliseconds",
             "Time between the responder's first and last packet.", duration<kRev>},
            {"dst2src_packets", "reversePacketDeltaCount", reverse_of(2), kNone, kUnsigned64, 0, kDeltaCounter, kCore,
             kReverse, "packets", "Packets from responder to initiator.", side<kRev, &D::packets>},
            {"dst2src_bytes", "reverseLayer2OctetDeltaCount", reverse_of(352), kNone, kUnsigned64, 0, kDeltaCounter,
             kCore, kReverse, "octets", "Octets from responder to initiator, as accounting_mode counts.",
             side<kRev, &D::bytes>},

            // ---- statistics ----
            NFSTREAMD_SIZE_ROWS(kBi, "bidirectional_", kBoth, "", "", kNone, "", kNone),
            NFSTREAMD_SIZE_ROWS(kS2d, "src2dst_", kForward, " from initiator to responder", "minimumLayer2TotalLength",
                                iana(422), "maximumLayer2TotalLength", iana(423)),
            NFSTREAMD_SIZE_ROWS(kD2s, "dst2src_", kReverse, " from responder to initiator",
                                "reverseMinimumLayer2TotalLength", reverse_of(422), "reverseMaximumLayer2TotalLength",
                                reverse_of(423)),
            NFSTREAMD_PIAT_ROWS(kBi, "bidirectional_", kBoth, "", "nfstreamBidirectionalMinimumGap", ours(11),
                                "nfstreamBidirectionalMeanGap", ours(13), "nfstreamBidirectionalGapDeviation", ours(14),
                                "nfstreamBidirectionalMaximumGap", ours(12)),
            NFSTREAMD_PIAT_ROWS(kS2d, "src2dst_", kForward, " from initiator to responder", "srcToDstIatMin", ntop(531),
                                "nfstreamMeanGap", ours(9), "nfstreamGapDeviation", ours(10), "srcToDstIatMax",
                                ntop(532)),
            NFSTREAMD_PIAT_ROWS(kD2s, "dst2src_", kReverse, " from responder to initiator", "dstToSrcIatMin", ntop(535),
                                "reverseNfstreamMeanGap", ours_reverse(9), "reverseNfstreamGapDeviation",
                                ours_reverse(10), "dstToSrcIatMax", ntop(536)),
            NFSTREAMD_FLAG_ROW(kBi, "bidirectional_", kBoth, "", "syn", kSyn, "", kNone),
            NFSTREAMD_FLAG_ROW(kBi, "bidirectional_", kBoth, "", "cwr", kCwr, "", kNone),
            NFSTREAMD_FLAG_ROW(kBi, "bidirectional_", kBoth, "", "ece", kEce, "", kNone),
            NFSTREAMD_FLAG_ROW(kBi, "bidirectional_", kBoth, "", "urg", kUrg, "", kNone),
            NFSTREAMD_FLAG_ROW(kBi, "bidirectional_", kBoth, "", "ack", kAck, "", kNone),
            NFSTREAMD_FLAG_ROW(kBi, "bidirectional_", kBoth, "", "psh", kPsh, "", kNone),
            NFSTREAMD_FLAG_ROW(kBi, "bidirectional_", kBoth, "", "rst", kRst, "", kNone),
            NFSTREAMD_FLAG_ROW(kBi, "bidirectional_", kBoth, "", "fin", kFin, "", kNone),
            NFSTREAMD_FLAG_ROW(kS2d, "src2dst_", kForward, " from initiator to responder", "syn", kSyn,
                               "tcpSynTotalCount", iana(218)),
            NFSTREAMD_FLAG_ROW(kS2d, "src2dst_", kForward, " from initiator to responder", "cwr", kCwr,
                               "nfstreamTcpCwrTotalCount", ours(15)),
            NFSTREAMD_FLAG_ROW(kS2d, "src2dst_", kForward, " from initiator to responder", "ece", kEce,
                               "nfstreamTcpEceTotalCount", ours(16)),
            NFSTREAMD_FLAG_ROW(kS2d, "src2dst_", kForward, " from initiator to responder", "urg", kUrg,
                               "tcpUrgTotalCount", iana(223)),
            NFSTREAMD_FLAG_ROW(kS2d, "src2dst_", kForward, " from initiator to responder", "ack", kAck,
                               "tcpAckTotalCount", iana(222)),
            NFSTREAMD_FLAG_ROW(kS2d, "src2dst_", kForward, " from initiator to responder", "psh", kPsh,
                               "tcpPshTotalCount", iana(221)),
            NFSTREAMD_FLAG_ROW(kS2d, "src2dst_", kForward, " from initiator to responder", "rst", kRst,
                               "tcpRstTotalCount", iana(220)),
            NFSTREAMD_FLAG_ROW(kS2d, "src2dst_", kForward, " from initiator to responder", "fin", kFin,
                               "tcpFinTotalCount", iana(219)),
            NFSTREAMD_FLAG_ROW(kD2s, "dst2src_", kReverse, " from responder to initiator", "syn", kSyn,
                               "reverseTcpSynTotalCount", reverse_of(218)),
            NFSTREAMD_FLAG_ROW(kD2s, "dst2src_", kReverse, " from responder to initiator", "cwr", kCwr,
                               "reverseNfstreamTcpCwrTotalCount", ours_reverse(15)),
            NFSTREAMD_FLAG_ROW(kD2s, "dst2src_", kReverse, " from responder to initiator", "ece", kEce,
                               "reverseNfstreamTcpEceTotalCount", ours_reverse(16)),
            NFSTREAMD_FLAG_ROW(kD2s, "dst2src_", kReverse, " from responder to initiator", "urg", kUrg,
                               "reverseTcpUrgTotalCount", reverse_of(223)),
            NFSTREAMD_FLAG_ROW(kD2s, "dst2src_", kReverse, " from responder to initiator", "ack", kAck,
                               "reverseTcpAckTotalCount", reverse_of(222)),
            NFSTREAMD_FLAG_ROW(kD2s, "dst2src_", kReverse, " from responder to initiator", "psh", kPsh,
                               "reverseTcpPshTotalCount", reverse_of(221)),
            NFSTREAMD_FLAG_ROW(kD2s, "dst2src_", kReverse, " from responder to initiator", "rst", kRst,
                               "reverseTcpRstTotalCount", reverse_of(220)),
            NFSTREAMD_FLAG_ROW(kD2s, "dst2src_", kReverse, " from responder to initiator", "fin", kFin,
                               "reverseTcpFinTotalCount", reverse_of(219)),

            // ---- SPLT ----
            {"splt_direction", "ppiPktDirections", cesnet(1016), kNone, kSigned8List, 0, kList, kSplt, kFlow, "",
             "Direction of each of the first packets: 0 initiator to responder, 1 back, -1 no such packet; in IPFIX 1 "
             "and -1.",
             sequence<&SequenceRecord::direction>},
            {"splt_ps", "nfstreamPacketSizes", ours(17), kNone, kUnsigned16List, 0, kList, kSplt, kFlow, "octets",
             "Size of each of the first packets, as accounting_mode measures.", sequence<&SequenceRecord::size>},
            {"splt_piat_ms", "ppiPktTimes", cesnet(1014), kNone, kGapList, 0, kList, kSplt, kFlow, "milliseconds",
             "Time from the packet before, for each of the first packets; in IPFIX since 1970-01-01 UTC.",
             sequence<&SequenceRecord::piat_ms>},

            // ---- application ----
            {"application_name", "applicationName", iana(96), kNone, kString, 0, kDefault, kApplication, kFlow,
             "", "nDPI's name of the application: MASTER.APP or one name.", application<&A::name>},
            {"application_category_name", "applicationCategoryName", iana(372), kNone, kString, 0, kDefault,
             kApplication, kFlow, "", "nDPI's category of the application.", application<&A::category_name>},
            {"application_is_guessed", "nfstreamApplicationIsGuessed", ours(4), kNone, kUnsigned8, 0, kDefault,
             kApplication, kFlow, "", "1 when the name was guessed from ports or addresses.",
             application<&A::is_guessed>},
            {"application_confidence", "applicationConfidence", ntop(560), kNone, kUnsigned8, 0, kDefault, kApplication,
             kFlow,
             "", "How sure nDPI is, in nfstream 6.5.4's numbers: 0 unknown, 1 port, 2 address, 5 cache, 6 inspection.",
             application<&A::confidence>},
            {"requested_server_name", "nfstreamRequestedServerName", ours(5), kNone, kString, 0, kDefault, kApplication,
             kFlow, "", "Name the client asked for: TLS SNI, HTTP Host, DNS query and the like.",
             application<&A::requested_server_name>},
            {"client_fingerprint", "nfstreamClientFingerprint", ours(6), kNone, kString, 0, kDefault, kApplication,
             kFlow, "", "Fingerprint of the client: JA3 of TLS and QUIC, HASSH of SSH, options of DHCP.",
             application<&A::client_fingerprint>},
            {"server_fingerprint", "nfstreamServerFingerprint", ours(7), kNone, kString, 0, kDefault, kApplication,
             kFlow, "", "Fingerprint of the server: JA3S of TLS, HASSH of SSH.", application<&A::server_fingerprint>},
            {"user_agent", "httpUserAgent", iana(468), kNone, kString, 0, kDefault, kApplication, kFlow,
             "", "User agent of HTTP and QUIC.", application<&A::user_agent>},
            {"content_type", "httpContentType", iana(469), kNone, kString, 0, kDefault, kApplication, kFlow,
             "", "Content type of the HTTP response.", application<&A::content_type>},

            // ---- system ----
            {"system_process_pid", "nfstreamSystemProcessPid", ours(70), kNone, kSigned32, 0, kIdentifier, kSystem,
             kFlow, "", "Number of the local process, -1 when none is known.",
             [](const FlowRecord& r) -> FieldValue {
                 return static_cast<std::int64_t>(r.process == nullptr ? -1 : r.process->pid);
             }},
            {"system_process_name", "nfstreamSystemProcessName", ours(71), kNone, kString, 0, kDefault, kSystem, kFlow,
             "", "Name of the local process.",
             [](const FlowRecord& r) -> FieldValue {
                 return r.process == nullptr ? std::string_view{} : r.process->name;
             }},

            // ---- details: the application by number, requested_server_name and fingerprints by protocol ----
            {"application_id", "applicationId", iana(95), kNone, kOctetArray, 8, kIdentifier, kDetails, kFlow,
             "", "nDPI's number of the application; in IPFIX as RFC 6759 has it.", number_of<application_number>},
            {"l7_protocol", "l7Protocol", ntop(118), kNone, kUnsigned16, 0, kIdentifier, kDetails, kFlow,
             "", "nDPI's number of the application, as nProbe has it.", number_of<application_number>},
            {"tls_server_name", "tlsServerName", ntop(188), kNone, kString, 0, kDefault, kDetails, kFlow,
             "", "requested_server_name of TLS, DTLS and QUIC.", detail<F::kTls, &A::requested_server_name>},
            {"http_host", "httpRequestHost", iana(460), kNone, kString, 0, kDefault, kDetails, kFlow,
             "", "requested_server_name of HTTP.", detail<F::kHttp, &A::requested_server_name>},
            {"dns_query", "dnsQuery", ntop(205), kNone, kString, 0, kDefault, kDetails, kFlow,
             "", "requested_server_name of DNS.", detail<F::kDns, &A::requested_server_name>},
            {"ja3_client", "ja3cHash", ntop(489), kNone, kString, 0, kDefault, kDetails, kFlow,
             "", "client_fingerprint of TLS, DTLS and QUIC.", detail<F::kTls, &A::client_fingerprint>},
            {"ja3_server", "ja3sHash", ntop(490), kNone, kString, 0, kDefault, kDetails, kFlow,
             "", "server_fingerprint of TLS, DTLS and QUIC.", detail<F::kTls, &A::server_fingerprint>},
            {"hassh_client", "sshHasshClient", ntop(499), kNone, kString, 0, kDefault, kDetails, kFlow,
             "", "client_fingerprint of SSH.", detail<F::kSsh, &A::client_fingerprint>},
            {"hassh_server", "sshHasshServer", ntop(500), kNone, kString, 0, kDefault, kDetails, kFlow,
             "", "server_fingerprint of SSH.", detail<F::kSsh, &A::server_fingerprint>},

            // ---- moments: exact sums of packet sizes; times between packets in whole milliseconds ----
            {"src2dst_ps_squares", "layer2OctetDeltaSumOfSquares", iana(428), kNone, kUnsigned64, 0, kDefault, kMoments,
             kForward, "", "Sum of the squared packet sizes from initiator to responder.",
             statistic<kS2d, &S::ps_squares>},
            {"dst2src_ps_squares", "reverseLayer2OctetDeltaSumOfSquares", reverse_of(428), kNone, kUnsigned64, 0,
             kDefault, kMoments, kReverse, "", "Sum of the squared packet sizes from responder to initiator.",
             statistic<kD2s, &S::ps_squares>},
            {"src2dst_rounded_mean_piat_ms", "srcToDstIatAvg", ntop(533), kNone, kUnsigned32, 0, kQuantity, kMoments,
             kForward, "milliseconds", "src2dst_mean_piat_ms to the nearest millisecond.",
             number_of<rounded<kS2d, &S::mean_piat_ms>>},
            {"src2dst_rounded_stddev_piat_ms", "srcToDstIatStddev", ntop(534), kNone, kUnsigned32, 0, kQuantity,
             kMoments, kForward, "milliseconds", "src2dst_stddev_piat_ms to the nearest millisecond.",
             number_of<rounded<kS2d, &S::stddev_piat_ms>>},
            {"dst2src_rounded_mean_piat_ms", "dstToSrcIatAvg", ntop(537), kNone, kUnsigned32, 0, kQuantity, kMoments,
             kReverse, "milliseconds", "dst2src_mean_piat_ms to the nearest millisecond.",
             number_of<rounded<kD2s, &S::mean_piat_ms>>},
            {"dst2src_rounded_stddev_piat_ms", "dstToSrcIatStddev", ntop(538), kNone, kUnsigned32, 0, kQuantity,
             kMoments, kReverse, "milliseconds", "dst2src_stddev_piat_ms to the nearest millisecond.",
             number_of<rounded<kD2s, &S::stddev_piat_ms>>},

            // ---- base ----
            {"flow_end_reason", "flowEndReason", iana(136), kNone, kUnsigned8, 0, kIdentifier, kBase, kFlow,
             "", "Why the record was made: 1 idle, 2 active, 3 end of flow, 4 forced end, 5 lack of resources.",
             number_of<end_reason_number>},
            {"src2dst_ip_bytes", "octetDeltaCount", iana(1), kNone, kUnsigned64, 0, kDeltaCounter, kBase, kForward,
             "octets", "Octets of IP packets from initiator to responder, headers included.", side<kFwd, &D::octets>},
            {"dst2src_ip_bytes", "reverseOctetDeltaCount", reverse_of(1), kNone, kUnsigned64, 0, kDeltaCounter, kBase,
             kReverse, "octets", "Octets of IP packets from responder to initiator, headers included.",
             side<kRev, &D::octets>},
            {"src2dst_tcp_flags", "tcpControlBits", iana(6), kNone, kUnsigned16, 1, kFlags, kBase, kForward,
             "", "Union of the TCP flags from initiator to responder.", side<kFwd, &D::tcp_flags>},
            {"dst2src_tcp_flags", "reverseTcpControlBits", reverse_of(6), kNone, kUnsigned16, 1, kFlags, kBase,
             kReverse, "", "Union of the TCP flags from responder to initiator.", side<kRev, &D::tcp_flags>},
            {"src2dst_tos", "ipClassOfService", iana(5), kNone, kUnsigned8, 0, kIdentifier, kBase, kForward,
             "", "Type of service or traffic class of the initiator's first packet.", side<kFwd, &D::tos>},
            {"dst2src_tos", "reverseIpClassOfService", reverse_of(5), kNone, kUnsigned8, 0, kIdentifier, kBase,
             kReverse, "", "Type of service or traffic class of the responder's first packet.", side<kRev, &D::tos>},
            {"src2dst_min_ttl", "minimumTTL", iana(52), kNone, kUnsigned8, 0, kQuantity, kBase, kForward, "hops",
             "Smallest TTL or hop limit from initiator to responder.", side<kFwd, &D::ttl_min>},
            {"src2dst_max_ttl", "maximumTTL", iana(53), kNone, kUnsigned8, 0, kQuantity, kBase, kForward, "hops",
             "Largest TTL or hop limit from initiator to responder.", side<kFwd, &D::ttl_max>},
            {"dst2src_min_ttl", "reverseMinimumTTL", reverse_of(52), kNone, kUnsigned8, 0, kQuantity, kBase, kReverse,
             "hops", "Smallest TTL or hop limit from responder to initiator.", side<kRev, &D::ttl_min>},
            {"dst2src_max_ttl", "reverseMaximumTTL", reverse_of(53), kNone, kUnsigned8, 0, kQuantity, kBase, kReverse,
             "hops", "Largest TTL or hop limit from responder to initiator.", side<kRev, &D::ttl_max>},
            {"icmp_type_code", "icmpTypeCodeIPv4", iana(32), iana(139), kUnsigned16, 0, kIdentifier, kBase, kFlow,
             "", "ICMP type times 256 plus code of the initiator's first packet.",
             number_of<icmp_type_and_code>},
            {"src2dst_icmp_type", "icmpTypeIPv4", iana(176), iana(178), kUnsigned8, 0, kIdentifier, kBase, kForward, "",
             "ICMP type of the initiator's first packet.", side<kFwd, &D::icmp_type>},
            {"src2dst_icmp_code", "icmpCodeIPv4", iana(177), iana(179), kUnsigned8, 0, kIdentifier, kBase, kForward, "",
             "ICMP code of the initiator's first packet.", side<kFwd, &D::icmp_code>},
            {"dst2src_icmp_type", "reverseIcmpTypeIPv4", reverse_of(176), reverse_of(178), kUnsigned8, 0, kIdentifier,
             kBase, kReverse, "", "ICMP type of the responder's first packet.", side<kRev, &D::icmp_type>},
            {"dst2src_icmp_code", "reverseIcmpCodeIPv4", reverse_of(177), reverse_of(179), kUnsigned8, 0, kIdentifier,
             kBase, kReverse, "", "ICMP code of the responder's first packet.", side<kRev, &D::icmp_code>},
            {"src2dst_flow_label", "flowLabelIPv6", kNone, iana(31), kUnsigned32, 0, kIdentifier, kBase, kForward, "",
             "IPv6 flow label of the initiator's first packet.", side<kFwd, &D::flow_label>},
            {"dst2src_flow_label", "reverseFlowLabelIPv6", kNone, reverse_of(31), kUnsigned32, 0, kIdentifier, kBase,
             kReverse, "", "IPv6 flow label of the responder's first packet.", side<kRev, &D::flow_label>},
            {"ingress_interface", "ingressInterface", iana(10), kNone, kUnsigned32, 0, kIdentifier, kBase, kFlow, "",
             "ifIndex of the interface the flow was seen on, 0 in capture files.",
             flow<&FlowRecord::ingress_interface>},
            {"egress_interface", "egressInterface", iana(14), kNone, kUnsigned32, 0, kIdentifier, kBase, kFlow, "",
             "ifIndex of the interface the flow left by; a probe on a link knows one interface and repeats it.",
             flow<&FlowRecord::egress_interface>},
            {"interface_name", "interfaceName", iana(82), kNone, kString, 0, kDefault, kBase, kFlow, "",
             "Name of the interface the flow was seen on.",
             flow<&FlowRecord::interface_name>},
            {"flow_direction", "flowDirection", iana(61), kNone, kUnsigned8, 0, kIdentifier, kBase, kFlow, "",
             "0 when the first packet came in, 1 when it went out.", flow<&FlowRecord::flow_direction>},
            {"biflow_direction", "biflowDirection", iana(239), kNone, kUnsigned8, 0, kIdentifier, kBase, kFlow, "",
             "1 source is the initiator, 2 source is the responder, 0 the start was not seen.",
             flow<&FlowRecord::biflow_direction>},
            {"observation_point", "observationPointId", iana(138), kNone, kUnsigned64, 4, kIdentifier, kBase, kFlow, "",
             "Number of the metering process that saw the flow.", flow<&FlowRecord::observation_point>},
            {"selector_id", "selectorId", iana(302), kNone, kUnsigned64, 4, kIdentifier, kBase, kFlow, "",
             "Number of the selector of its packets, whose sampling IPFIX announces in an options record.",
             flow<&FlowRecord::selector>},

            // ---- encapsulation ----
            {"outer_src_ip", "nfstreamOuterSourceAddress", ours(20), kNone, kIpAddress, 16, kDefault, kEncapsulation,
             kFlow, "", "Sender of the IP packet around the initiator's first one; in IPFIX IPv4 as ::ffff:a.b.c.d.",
             tunnel<&TunnelRecord::source_address>},
            {"outer_dst_ip", "nfstreamOuterDestinationAddress", ours(21), kNone, kIpAddress, 16, kDefault,
             kEncapsulation, kFlow, "", "Receiver of the IP packet around the initiator's first one.",
             tunnel<&TunnelRecord::destination_address>},
            {"tunnel_key", "upstreamTunnelId", ntop(106), kNone, kUnsigned32, 0, kIdentifier, kEncapsulation, kForward,
             "",
             "The tunnel's own id, from initiator to responder: TEID, VNI, GRE key or PPTP call, ERSPAN session, "
             "L2TP tunnel times 65536 plus session.",
             tunnel<&TunnelRecord::key>},
            {"tunnel_reverse_key", "downstreamTunnelId", ntop(120), kNone, kUnsigned32, 0, kIdentifier, kEncapsulation,
             kReverse, "", "The tunnel's own id, from responder to initiator.", tunnel<&TunnelRecord::reverse_key>},
            {"layer2_segment_id", "layer2SegmentId", iana(351), kNone, kUnsigned64, 0, kIdentifier, kEncapsulation,
             kFlow, "", "VNI of VXLAN with 1 in the first of eight octets, as collectors know it.", layer2_segment},
            {"tunnel_type", "nfstreamTunnelType", ours(22), kNone, kString, 0, kDefault, kEncapsulation, kFlow, "",
             "Name of the innermost tunnel, as in decode_tunnels; ip for IP in IP.", tunnel<&TunnelRecord::kind>},
            {"tunnel_depth", "nfstreamTunnelDepth", ours(23), kNone, kUnsigned8, 0, kQuantity, kEncapsulation, kFlow,
             "", "IP headers around the packets of the flow.", tunnel<&TunnelRecord::depth>},

            // ---- l7_details ----
{"dns_query_type", "dnsQueryType", ntop(207), kNone, kUnsigned16, 0, kIdentifier, kL7Details, kFlow, "", "Type of the DNS query: 1 A, 28 AAAA.", l7<&L::dns_query_type>},
{"dns_reply_code", "dnsReturnCode", ntop(208), kNone, kUnsigned8, 0, kIdentifier, kL7Details, kFlow, "", "Response code of DNS: 0 no error, 3 no such name.",
[](const FlowRecord& r) -> FieldValue {
if (r.application == nullptr || r.application->details == nullptr || r.application->details->dns_reply_code < 0) return {};
return static_cast<std::uint64_t>(r.application->details->dns_reply_code);
}},
{"dns_answer", "dnsResponse", ntop(398), kNone, kString, 0, kDefault, kL7Details, kFlow, "", "Address in the first answer of DNS.", l7<&L::dns_answer>},
{"http_method", "httpRequestMethod", iana(459), kNone, kString, 0, kDefault, kL7Details, kFlow, "", "Method of the HTTP request.", l7<&L::http_method>},
{"http_url", "httpUrl", ntop(180), kNone, kString, 0, kDefault, kL7Details, kFlow, "", "Host and target of the HTTP request, without user, password and the values of parameters named like one.", l7<&L::http_url>},
{"http_status", "httpStatusCode", iana(457), kNone, kUnsigned16, 0, kIdentifier, kL7Details, kFlow, "", "Status code of the HTTP response.", l7<&L::http_status>},
{"tls_version", "tlsVersion", ntop(495), kNone, kUnsigned16, 0, kIdentifier, kL7Details, kFlow, "", "Version of TLS or DTLS as on the wire: 771 is TLS 1.2, 772 TLS 1.3.", l7<&L::tls_version>},
{"tls_cipher", "tlsCipher", ntop(493), kNone, kUnsigned16, 0, kIdentifier, kL7Details, kFlow, "", "Cipher suite that the server chose.", l7<&L::tls_cipher>},
{"tls_alpn", "nfstreamTlsAlpn", ours(40), kNone, kString, 0, kDefault, kL7Details, kFlow, "", "Application protocols that the client offered.", l7<&L::tls_alpn>},
{"tls_issuer", "nfstreamTlsIssuer", ours(41), kNone, kString, 0, kDefault, kL7Details, kFlow, "", "Issuer of the server's certificate.", l7<&L::tls_issuer>},
{"tls_subject", "nfstreamTlsSubject", ours(42), kNone, kString, 0, kDefault, kL7Details, kFlow, "", "Subject of the server's certificate.", l7<&L::tls_subject>},
{"tls_not_before", "nfstreamTlsNotBefore", ours(43), kNone, kUnsigned32, 0, kDefault, kL7Details, kFlow, "seconds", "Start of the certificate's validity, since 1970.", l7<&L::tls_not_before>},
{"tls_not_after", "nfstreamTlsNotAfter", ours(44), kNone, kUnsigned32, 0, kDefault, kL7Details, kFlow, "seconds", "End of the certificate's validity, since 1970.", l7<&L::tls_not_after>},
{"tls_certificate_sha1", "nfstreamTlsCertificateSha1", ours(45), kNone, kString, 0, kDefault, kL7Details, kFlow, "", "SHA-1 of the server's certificate, in hexadecimal.", l7<&L::tls_certificate_sha1>},
{"tls_server_names", "nfstreamTlsServerNames", ours(46), kNone, kString, 0, kDefault, kL7Details, kFlow, "", "Names in the server's certificate, a comma between.", l7<&L::tls_server_names>},
{"ssh_client_version", "nfstreamSshClientVersion", ours(47), kNone, kString, 0, kDefault, kL7Details, kFlow, "", "Version string of the SSH client.", l7<&L::ssh_client_version>},
{"ssh_server_version", "nfstreamSshServerVersion", ours(48), kNone, kString, 0, kDefault, kL7Details, kFlow, "", "Version string of the SSH server.", l7<&L::ssh_server_version>},
{"detected_os", "nfstreamDetectedOs", ours(49), kNone, kString, 0, kDefault, kL7Details, kFlow, "", "Operating system of the client, by its user agent.", l7<&L::detected_os>},
{"risk", "flowRisk", ntop(509), kNone, kUnsigned64, 0, kFlags, kL7Details, kFlow, "", "nDPI's risks, a bit each; which is which goes by its version.", risk<&L::risk>},
{"risk_score", "flowRiskScore", ntop(527), kNone, kUnsigned16, 0, kQuantity, kL7Details, kFlow, "", "Sum of the risks' weights.", risk<&L::risk_score>},
{"risk_names", "flowRiskName", ntop(510), kNone, kString, 0, kDefault, kL7Details, kFlow, "", "nDPI's names of the risks, a semicolon between.", l7<&L::risk_names>},
            // ---- TCP quality ----
            {"tcp_client_handshake_us", "nfstreamTcpClientHandshakeMicroseconds", ours(60), kNone, kUnsigned32, 0,
             kQuantity, kTcpQuality, kFlow, "microseconds",
             "From SYN/ACK to the ACK that follows: the round trip between probe and client.",
             handshake<&Q::client_handshake_us>},
            {"tcp_server_handshake_us", "nfstreamTcpServerHandshakeMicroseconds", ours(61), kNone, kUnsigned32, 0,
             kQuantity, kTcpQuality, kFlow, "microseconds",
             "From SYN to SYN/ACK: the round trip between probe and server.", handshake<&Q::server_handshake_us>},
            {"tcp_first_response_us", "nfstreamTcpFirstResponseMicroseconds", ours(62), kNone, kUnsigned32, 0,
             kQuantity, kTcpQuality, kFlow, "microseconds", "From the client's first payload to the server's next.",
             handshake<&Q::first_response_us>},
            {"src2dst_retransmitted_packets", "retransmittedInPkts", ntop(109), kNone, kUnsigned32, 0, kTotalCounter,
             kTcpQuality, kForward, "packets", "TCP packets that the initiator sent again.",
             tcp_quality<kFwdTcp, &QD::retransmitted>},
            {"dst2src_retransmitted_packets", "retransmittedOutPkts", ntop(110), kNone, kUnsigned32, 0, kTotalCounter,
             kTcpQuality, kReverse, "packets", "TCP packets that the responder sent again.",
             tcp_quality<kRevTcp, &QD::retransmitted>},
            {"src2dst_out_of_order_packets", "ooorderInPkts", ntop(111), kNone, kUnsigned32, 0, kTotalCounter,
             kTcpQuality, kForward, "packets", "TCP packets of the initiator that came after later ones.",
             tcp_quality<kFwdTcp, &QD::out_of_order>},
            {"dst2src_out_of_order_packets", "ooorderOutPkts", ntop(112), kNone, kUnsigned32, 0, kTotalCounter,
             kTcpQuality, kReverse, "packets", "TCP packets of the responder that came after later ones.",
             tcp_quality<kRevTcp, &QD::out_of_order>},
            {"src2dst_zero_window_packets", "nfstreamTcpZeroWindowPackets", ours(63), kNone, kUnsigned32, 0,
             kTotalCounter, kTcpQuality, kForward, "packets", "TCP packets by which the initiator closed its window.",
             tcp_quality<kFwdTcp, &QD::zero_window>},
            {"dst2src_zero_window_packets", "reverseNfstreamTcpZeroWindowPackets", ours_reverse(63), kNone, kUnsigned32, 0,
             kTotalCounter, kTcpQuality, kReverse, "packets", "TCP packets by which the responder closed its window.",
             tcp_quality<kRevTcp, &QD::zero_window>},
            // ---- enrichment ----
            {"src_asn", "bgpSourceAsNumber", iana(16), kNone, kUnsigned32, 0, kIdentifier, kEnrichment, kFlow, "",
             "Number of the autonomous system of src_ip; in IPFIX 0 when it is not known.",
             enrichment<kSource, &E::asn>},
            {"src_as_organization", "srcAsMap", ntop(443), kNone, kString, 0, kDefault, kEnrichment, kFlow, "",
             "Organization that has the autonomous system of src_ip.", enrichment<kSource, &E::as_organization>},
            {"src_country", "srcIpCountry", ntop(101), kNone, kString, 0, kDefault, kEnrichment, kFlow, "",
             "Country of src_ip, two letters of ISO 3166-1.", enrichment<kSource, &E::country>},
            {"src_label", "nfstreamSourceLabel", ours(80), kNone, kString, 0, kDefault, kEnrichment, kFlow, "",
             "What the file of networks calls the longest prefix that holds src_ip.", enrichment<kSource, &E::label>},
            {"src_mac_vendor", "nfstreamSourceMacVendor", ours(82), kNone, kString, 0, kDefault, kEnrichment, kFlow, "",
             "Vendor of src_mac by its first bits.", enrichment<kSource, &E::mac_vendor>},
            {"dst_asn", "bgpDestinationAsNumber", iana(17), kNone, kUnsigned32, 0, kIdentifier, kEnrichment, kFlow, "",
             "Number of the autonomous system of dst_ip; in IPFIX 0 when it is not known.",
             enrichment<kDestination, &E::asn>},
            {"dst_as_organization", "dstAsMap", ntop(444), kNone, kString, 0, kDefault, kEnrichment, kFlow, "",
             "Organization that has the autonomous system of dst_ip.", enrichment<kDestination, &E::as_organization>},
            {"dst_country", "dstIpCountry", ntop(103), kNone, kString, 0, kDefault, kEnrichment, kFlow, "",
             "Country of dst_ip, two letters of ISO 3166-1.", enrichment<kDestination, &E::country>},
            {"dst_label", "nfstreamDestinationLabel", ours(81), kNone, kString, 0, kDefault, kEnrichment, kFlow, "",
             "What the file of networks calls the longest prefix that holds dst_ip.",
             enrichment<kDestination, &E::label>},
            {"dst_mac_vendor", "nfstreamDestinationMacVendor", ours(83), kNone, kString, 0, kDefault, kEnrichment,
             kFlow, "",
             "Vendor of dst_mac by its first bits.", enrichment<kDestination, &E::mac_vendor>},
};

constexpr bool columns_are_unique() {
    for (std::size_t i = 0; i < std::size(kElements); ++i)
        for (std::size_t j = i + 1; j < std::size(kElements); ++j)
            if (kElements[i].column == kElements[j].column) return false;
    return true;
}
static_assert(columns_are_unique());

constexpr bool groups_are_in_order() {  // but for the tunnel's column, which nfstream has among the core ones
    for (std::size_t i = 1; i < std::size(kElements); ++i)
        if (kElements[i].group < kElements[i - 1].group && kElements[i - 1].group != kTunnel) return false;
    return true;
}
static_assert(groups_are_in_order());

}  // namespace

std::span<const InformationElement> builtin_elements() noexcept {
    return kElements;
}

}  // namespace nfstreamd
