// SPDX-License-Identifier: Apache-2.0
#include "exporters/anonymize/record_anonymizer.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "exporters/anonymize/anonymization_keys.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr std::size_t kTextDigest = 16;  // octets of a text's pseudonym, two digits each

// In front of what is digested: equal octets of another kind have another pseudonym.
constexpr char kMacKind = 'm', kTextKind = 't';

// The texts that are hidden; anonymization_plan.cpp lists their fields.
constexpr std::array kTexts{&ApplicationRecord::requested_server_name, &ApplicationRecord::client_fingerprint,
                            &ApplicationRecord::server_fingerprint, &ApplicationRecord::user_agent};
constexpr std::array kDetailTexts{&ApplicationDetails::http_url,           &ApplicationDetails::tls_issuer,
                                  &ApplicationDetails::tls_subject,        &ApplicationDetails::tls_server_names,
                                  &ApplicationDetails::detected_os,        &ApplicationDetails::tls_certificate_sha1,
                                  &ApplicationDetails::ssh_client_version, &ApplicationDetails::ssh_server_version,
                                  &ApplicationDetails::ja3_client,         &ApplicationDetails::ja3_server,
                                  &ApplicationDetails::hassh_client,       &ApplicationDetails::hassh_server};

std::optional<IpAddress> parse(std::string_view text) {
    const std::string terminated(text);
    IpAddress address;
    if (::inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1)
        address.version = 4;
    else if (::inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1)
        address.version = 6;
    else
        return std::nullopt;
    return address;
}

bool is_group(const MacAddress& address) {  // broadcast too (IEEE 802, I/G bit)
    return (address[0] & 1) != 0;
}

bool is_absent(const MacAddress& address) {
    return address == MacAddress{};
}

}  // namespace

RecordAnonymizer::RecordAnonymizer(const AnonymizationOptions& options, std::unique_ptr<AddressAnonymizer> addresses,
                                   std::unique_ptr<KeyedDigest> digests)
    : hides_addresses_(options.addresses != AddressMethod::kOff),
      mac_method_(options.mac),
      text_method_(options.texts),
      addresses_(std::move(addresses)),
      digests_(std::move(digests)) {}

Result<std::unique_ptr<RecordAnonymizer>> RecordAnonymizer::make(const AnonymizationOptions& options) {
    AnonymizationKeys keys;
    std::unique_ptr<KeyedDigest> digests;
    if (options.needs_key()) {
        const auto made = make_anonymization_keys(options.key);
        if (!made) return made.error();
        keys = made.value();
        auto digest = KeyedDigest::make(keys.digests);
        if (!digest) return digest.error();
        digests = std::move(digest.value());
    }
    auto addresses = AddressAnonymizer::make(options, keys.addresses);
    if (!addresses) return addresses.error();
    return std::unique_ptr<RecordAnonymizer>(
        new RecordAnonymizer(options, std::move(addresses.value()), std::move(digests)));
}

void RecordAnonymizer::anonymize(FlowRecord& record, Arena& arena) {
    record.source_address = addresses_->anonymize(record.source_address);
    record.destination_address = addresses_->anonymize(record.destination_address);
    record.source_mac = mac(record.source_mac);
    record.destination_mac = mac(record.destination_mac);
    if (record.tunnel && hides_addresses_) record.tunnel = tunnel(*record.tunnel, arena);
    if (record.application) record.application = application(*record.application, arena);
    if (record.enrichment) record.enrichment = enrichment(*record.enrichment, arena);
    if (!record.declared.empty()) record.declared = declared(record.declared, arena);
    if (record.process && text_method_ != TextMethod::kKeep) record.process = process(*record.process, arena);
}

// A pseudonym is an address that somebody administers locally, as those of IEEE
// are another's.
MacAddress RecordAnonymizer::mac(const MacAddress& address) {
    if (mac_method_ == MacMethod::kOff || is_absent(address)) return address;
    if (mac_method_ == MacMethod::kDrop) return {};
    if (is_group(address)) return address;
    MacAddress hidden{};
    if (mac_method_ == MacMethod::kOui) {
        std::copy_n(address.begin(), 3, hidden.begin());
        return hidden;
    }
    std::array<char, 1 + sizeof(MacAddress)> text{kMacKind};
    std::copy(address.begin(), address.end(), text.begin() + 1);
    KeyedDigest::Octets digest;
    if (!digests_->digest({text.data(), text.size()}, digest)) return hidden;
    std::copy_n(digest.begin(), hidden.size(), hidden.begin());
    hidden[0] = static_cast<std::uint8_t>((hidden[0] & 0xfc) | 2);
    return hidden;
}

std::string_view RecordAnonymizer::text(std::string_view text, Arena& arena) {
    static constexpr char kHex[] = "0123456789abcdef";
    if (text_method_ == TextMethod::kKeep || text.empty()) return text;
    if (text_method_ == TextMethod::kDrop) return {};
    std::string kind_and_text(1, kTextKind);
    kind_and_text += text;
    KeyedDigest::Octets digest;
    if (!digests_->digest(kind_and_text, digest)) return {};
    std::array<char, 2 * kTextDigest> digits;
    for (std::size_t i = 0; i < kTextDigest; ++i) {
        digits[2 * i] = kHex[digest[i] >> 4];
        digits[2 * i + 1] = kHex[digest[i] & 15];
    }
    return arena.copy({digits.data(), digits.size()});
}

// An address that is written as text is one all the same: with its pseudonym it
// can be joined to the flows to it.
std::string_view RecordAnonymizer::address_text(std::string_view text, Arena& arena) {
    if (text_method_ == TextMethod::kDrop) return {};
    if (!hides_addresses_ || text.empty()) return text;
    const auto address = parse(text);
    return address ? arena.copy(to_string(addresses_->anonymize(*address))) : std::string_view();
}

const TunnelRecord* RecordAnonymizer::tunnel(const TunnelRecord& clear, Arena& arena) {
    auto* hidden = arena.make(clear);
    hidden->source_address = addresses_->anonymize(clear.source_address);
    hidden->destination_address = addresses_->anonymize(clear.destination_address);
    hidden->key = hidden->reverse_key = 0;  // a subscriber's, in GTP
    return hidden;
}

const ApplicationDetails* RecordAnonymizer::details(const ApplicationDetails& clear, Arena& arena) {
    auto* hidden = arena.make(clear);
    for (const auto member : kDetailTexts) hidden->*member = text(clear.*member, arena);
    hidden->dns_answer = address_text(clear.dns_answer, arena);
    return hidden;
}

const ApplicationRecord* RecordAnonymizer::application(const ApplicationRecord& clear, Arena& arena) {
    const bool has_answer = clear.details && !clear.details->dns_answer.empty();
    if (text_method_ == TextMethod::kKeep && !(hides_addresses_ && has_answer)) return &clear;
    auto* hidden = arena.make(clear);
    for (const auto member : kTexts) hidden->*member = text(clear.*member, arena);
    if (clear.details) hidden->details = details(*clear.details, arena);
    return hidden;
}

// What tables say of an address narrows it down: it goes with the texts, the
// vendor with the hardware address.
EndpointRecord RecordAnonymizer::endpoint(const EndpointRecord& clear, Arena& arena) {
    EndpointRecord hidden = clear;
    if (text_method_ != TextMethod::kKeep) hidden.asn = 0;
    for (const auto member : {&EndpointRecord::as_organization, &EndpointRecord::country, &EndpointRecord::label})
        hidden.*member = text(clear.*member, arena);
    if (mac_method_ != MacMethod::kOff && mac_method_ != MacMethod::kOui) hidden.mac_vendor = {};
    return hidden;
}

const EnrichmentRecord* RecordAnonymizer::enrichment(const EnrichmentRecord& clear, Arena& arena) {
    auto* hidden = arena.make<EnrichmentRecord>();
    hidden->source = endpoint(clear.source, arena);
    hidden->destination = endpoint(clear.destination, arena);
    return hidden;
}

// What plugins and models say is hidden by its kind.
std::span<const DeclaredValue> RecordAnonymizer::declared(std::span<const DeclaredValue> clear, Arena& arena) {
    const auto hidden = arena.array<DeclaredValue>(clear.size());
    std::uninitialized_copy(clear.begin(), clear.end(), hidden.begin());
    for (DeclaredValue& one : hidden) {
        if (const auto* view = std::get_if<std::string_view>(&one.value))
            one.value = text(*view, arena);
        else if (const auto* address = std::get_if<IpAddress>(&one.value))
            one.value = addresses_->anonymize(*address);
        else if (const auto* hardware = std::get_if<MacAddress>(&one.value))
            one.value = mac(*hardware);
    }
    return hidden;
}

const ProcessRecord* RecordAnonymizer::process(const ProcessRecord& clear, Arena& arena) {
    auto* hidden = arena.make<ProcessRecord>();
    hidden->name = text(clear.name, arena);
    return hidden;
}

}  // namespace nfstreamd::exporters
