// SPDX-License-Identifier: Apache-2.0
#include "core/record/accounted_elements.hpp"

#include <algorithm>

namespace nfstreamd {
namespace {

constexpr std::uint32_t kCesnetPen = 8057;

constexpr IeId iana(std::uint16_t id) {
    return {0, id};
}
constexpr IeId reverse_of(std::uint16_t id) {
    return {kReversePen, id};
}
constexpr IeId ours(std::uint16_t id) {
    return {kOurPen, id};
}
constexpr IeId ours_reverse(std::uint16_t id) {  // RFC 5103, 6.2
    return {kOurPen, static_cast<std::uint16_t>(id | 0x4000)};
}

constexpr NamedElement kOctets{ours(2), "nfstreamAccountedOctets"},
    kReverseOctets{ours_reverse(2), "reverseNfstreamAccountedOctets"}, kMinimum{ours(24), "nfstreamMinimumSize"},
    kReverseMinimum{ours_reverse(24), "reverseNfstreamMinimumSize"}, kMaximum{ours(25), "nfstreamMaximumSize"},
    kReverseMaximum{ours_reverse(25), "reverseNfstreamMaximumSize"}, kSquares{ours(8), "nfstreamSumOfSquares"},
    kReverseSquares{ours_reverse(8), "reverseNfstreamSumOfSquares"}, kSizes{ours(17), "nfstreamPacketSizes"};

// IE 1 says what mode 1 counts: octets of IP packets have no second element.
constexpr AccountedElements kElements[] = {
    {"src2dst_bytes", {{{iana(352), "layer2OctetDeltaCount"}, {}, {iana(401), "transportOctetDeltaCount"}, kOctets}}},
    {"src2dst_min_ps",
     {{{iana(422), "minimumLayer2TotalLength"}, {iana(25), "minimumIpTotalLength"}, kMinimum, kMinimum}}},
    {"src2dst_max_ps",
     {{{iana(423), "maximumLayer2TotalLength"}, {iana(26), "maximumIpTotalLength"}, kMaximum, kMaximum}}},
    {"src2dst_ps_squares",
     {{{iana(428), "layer2OctetDeltaSumOfSquares"}, {iana(198), "octetDeltaSumOfSquares"}, kSquares, kSquares}}},
    {"dst2src_bytes",
     {{{reverse_of(352), "reverseLayer2OctetDeltaCount"},
       {},
       {reverse_of(401), "reverseTransportOctetDeltaCount"},
       kReverseOctets}}},
    {"dst2src_min_ps",
     {{{reverse_of(422), "reverseMinimumLayer2TotalLength"},
       {reverse_of(25), "reverseMinimumIpTotalLength"},
       kReverseMinimum,
       kReverseMinimum}}},
    {"dst2src_max_ps",
     {{{reverse_of(423), "reverseMaximumLayer2TotalLength"},
       {reverse_of(26), "reverseMaximumIpTotalLength"},
       kReverseMaximum,
       kReverseMaximum}}},
    {"dst2src_ps_squares",
     {{{reverse_of(428), "reverseLayer2OctetDeltaSumOfSquares"},
       {reverse_of(198), "reverseOctetDeltaSumOfSquares"},
       kReverseSquares,
       kReverseSquares}}},
    {"splt_ps", {{kSizes, kSizes, {{kCesnetPen, 1013}, "ppiPktLengths"}, kSizes}}},
};

}  // namespace

Accounted accounted(int accounting_mode, int ip_version) noexcept {
    switch (accounting_mode) {
        case 0:
            return Accounted::kLink;
        case 1:
            return ip_version == 6 ? Accounted::kOther : Accounted::kIp;
        case 3:
            return Accounted::kPayload;
        default:
            return Accounted::kOther;
    }
}

std::span<const AccountedElements> accounted_elements() noexcept {
    return kElements;
}

const AccountedElements* find_accounted(std::string_view column) noexcept {
    const auto* found = std::find_if(std::begin(kElements), std::end(kElements),
                                     [column](const auto& row) { return row.column == column; });
    return found == std::end(kElements) ? nullptr : found;
}

}  // namespace nfstreamd
