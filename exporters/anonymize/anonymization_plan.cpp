// SPDX-License-Identifier: Apache-2.0
#include "exporters/anonymize/anonymization_plan.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace nfstreamd::exporters {
namespace {

using enum AnonymizationTechnique;
using enum AnonymizationStability;

constexpr FieldAnonymization kCut{kPrecisionDegradation, kStable}, kPseudonym{kPermutation, kExporterCollectorPair};

constexpr std::array<std::string_view, 2> kOuis{"src_oui", "dst_oui"};
constexpr std::array<std::string_view, 3> kTunnelKeys{"tunnel_key", "tunnel_reverse_key", "layer2_segment_id"};
constexpr std::string_view kAddressText = "dns_answer";
// The texts that RecordAnonymizer hides; a test compares.
constexpr std::array<std::string_view, 2> kVendors{"src_mac_vendor", "dst_mac_vendor"};
constexpr std::array<std::string_view, 3> kTextNumbers{"system_process_pid", "src_asn", "dst_asn"};
constexpr std::array<std::string_view, 26> kTexts{"requested_server_name",
                                                  "client_fingerprint",
                                                  "server_fingerprint",
                                                  "user_agent",
                                                  "tls_server_name",
                                                  "http_host",
                                                  "dns_query",
                                                  "ja3_client",
                                                  "ja3_server",
                                                  "hassh_client",
                                                  "hassh_server",
                                                  "http_url",
                                                  "tls_issuer",
                                                  "tls_subject",
                                                  "tls_certificate_sha1",
                                                  "tls_server_names",
                                                  "system_process_name",
                                                  "ssh_client_version",
                                                  "ssh_server_version",
                                                  "detected_os",
                                                  "src_as_organization",
                                                  "dst_as_organization",
                                                  "src_country",
                                                  "dst_country",
                                                  "src_label",
                                                  "dst_label"};

template <std::size_t Count>
bool has(const std::array<std::string_view, Count>& columns, std::string_view column) {
    return std::find(columns.begin(), columns.end(), column) != columns.end();
}

FieldAnonymization of_addresses(AddressMethod method) {
    if (method == AddressMethod::kTruncate) return kCut;
    if (method == AddressMethod::kPrefixPreserving) return {kStructuredPermutation, kExporterCollectorPair};
    return {};
}

FieldAnonymization of_macs(MacMethod method) {
    if (method == MacMethod::kOff) return {};
    return method == MacMethod::kPseudonym ? kPseudonym : kCut;
}

FieldAnonymization of_texts(TextMethod method) {
    if (method == TextMethod::kKeep) return {};
    return method == TextMethod::kPseudonym ? kPseudonym : kCut;
}

}  // namespace

AnonymizationPlan::AnonymizationPlan(const AnonymizationOptions& options)
    : addresses_(of_addresses(options.addresses)),
      address_texts_(options.texts == TextMethod::kDrop ? kCut : addresses_),
      macs_(of_macs(options.mac)),
      ouis_(options.mac == MacMethod::kOui ? FieldAnonymization{} : macs_),
      texts_(of_texts(options.texts)),
      tunnel_keys_(options.addresses == AddressMethod::kOff ? FieldAnonymization{} : kCut) {}

FieldAnonymization AnonymizationPlan::of(const InformationElement& field) const {
    if (field.type == IeType::kIpAddress) return addresses_;
    if (field.type == IeType::kMacAddress) return macs_;
    if (field.group == IeGroup::kDeclared)
        return field.type == IeType::kString || field.type == IeType::kAny ? texts_ : FieldAnonymization{};
    if (field.column == kAddressText) return address_texts_;
    if (has(kOuis, field.column)) return ouis_;
    if (has(kTunnelKeys, field.column)) return tunnel_keys_;
    if (has(kTexts, field.column)) return texts_;
    if (has(kTextNumbers, field.column)) return texts_ == FieldAnonymization{} ? texts_ : kCut;
    if (has(kVendors, field.column)) return ouis_ == FieldAnonymization{} ? ouis_ : kCut;
    return {};
}

}  // namespace nfstreamd::exporters
