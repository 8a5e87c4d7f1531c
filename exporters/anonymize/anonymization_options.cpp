// SPDX-License-Identifier: Apache-2.0
#include "exporters/anonymize/anonymization_options.hpp"

#include <fmt/format.h>

#include <string_view>

#include "exporters/anonymize/anonymization_keys.hpp"

namespace nfstreamd::exporters {
namespace {

constexpr std::string_view kAddresses = "anonymize.addresses", kPrefixV4 = "anonymize.prefix_length_v4",
                           kPrefixV6 = "anonymize.prefix_length_v6", kMac = "anonymize.mac", kTexts = "anonymize.texts",
                           kKey = "anonymize.key";

AddressMethod address_method(std::string_view name) {
    if (name == "truncate") return AddressMethod::kTruncate;
    return name == "prefix_preserving" ? AddressMethod::kPrefixPreserving : AddressMethod::kOff;
}

// Not given: who hides addresses hides what stands for them, too.
MacMethod mac_method(std::string_view name, bool hide) {
    if (name.empty()) return hide ? MacMethod::kDrop : MacMethod::kOff;
    if (name == "oui") return MacMethod::kOui;
    if (name == "pseudonym") return MacMethod::kPseudonym;
    return name == "drop" ? MacMethod::kDrop : MacMethod::kOff;
}

TextMethod text_method(std::string_view name, bool hide) {
    if (name.empty()) return hide ? TextMethod::kDrop : TextMethod::kKeep;
    if (name == "pseudonym") return TextMethod::kPseudonym;
    return name == "drop" ? TextMethod::kDrop : TextMethod::kKeep;
}

Error at(const config::Settings& settings, std::string_view name, std::string_view message) {
    return {ErrorCode::kInvalidArgument, fmt::format("{}: {}", name, message), settings.where(name)};
}

// Settings that have no effect are misunderstandings.
Status check(const config::Settings& settings, const AnonymizationOptions& options) {
    // the default may be written out, as --print-config does
    const AnonymizationOptions defaults;
    for (const auto& [name, length] :
         {std::pair(kPrefixV4, defaults.prefix_length_v4), std::pair(kPrefixV6, defaults.prefix_length_v6)})
        if (settings.integer(name) != length && options.addresses != AddressMethod::kTruncate)
            return at(settings, name, "needs anonymize.addresses: truncate");
    if (options.needs_key() && options.key.empty())
        return at(settings, kKey,
                  "is needed by prefix_preserving and pseudonym, so that pseudonyms stay the same; make one with "
                  "`openssl rand -hex 32 > /etc/nfstreamd/anonymize.key` and give it as "
                  "`key: !file /etc/nfstreamd/anonymize.key`");
    if (!options.needs_key() && !options.key.empty())
        return at(settings, kKey, "needs addresses: prefix_preserving, mac: pseudonym or texts: pseudonym");
    if (options.needs_key())
        if (const auto keys = make_anonymization_keys(options.key); !keys)
            return at(settings, kKey, keys.error().message);
    return ok();
}

}  // namespace

Result<AnonymizationOptions> anonymization_options(const config::Settings& settings) {
    AnonymizationOptions options;
    options.addresses = address_method(settings.string(kAddresses));
    const bool hide = options.addresses != AddressMethod::kOff;
    options.prefix_length_v4 = static_cast<int>(settings.integer(kPrefixV4));
    options.prefix_length_v6 = static_cast<int>(settings.integer(kPrefixV6));
    options.mac = mac_method(settings.string(kMac), hide);
    options.texts = text_method(settings.string(kTexts), hide);
    options.key = settings.string(kKey);
    if (auto status = check(settings, options); !status) return status.error();
    return options;
}

}  // namespace nfstreamd::exporters
