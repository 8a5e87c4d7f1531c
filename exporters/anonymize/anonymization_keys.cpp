// SPDX-License-Identifier: Apache-2.0
#include "exporters/anonymize/anonymization_keys.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "exporters/anonymize/keyed_digest.hpp"
#include "exporters/encode/anonymizer.hpp"

namespace nfstreamd::exporters {
namespace {

using Octets = std::array<std::uint8_t, 32>;

constexpr std::string_view kDigestLabel = "nfstreamd anonymize: digests";

std::optional<Octets> octets_of(std::string_view digits) {
    Octets octets{};
    if (digits.size() != 2 * octets.size()) return std::nullopt;
    for (std::size_t i = 0; i < octets.size(); ++i) {
        const char* begin = digits.data() + 2 * i;
        const auto [end, error] = std::from_chars(begin, begin + 2, octets[i], 16);
        if (error != std::errc() || end != begin + 2) return std::nullopt;
    }
    return octets;
}

}  // namespace

Result<AnonymizationKeys> make_anonymization_keys(std::string_view secret) {
    AnonymizationKeys keys;
    if (const auto octets = octets_of(secret)) {
        keys.addresses = *octets;
    } else {
        if (secret.size() < Anonymizer::kShortestSecret)
            return Error{ErrorCode::kInvalidArgument,
                         "is too short: give 64 hexadecimal digits, or 16 characters or more of any text", ""};
        const auto key = Anonymizer::make_key(secret);
        if (!key) return key.error();
        std::copy_n(key.value().begin(), keys.addresses.size(), keys.addresses.begin());
    }
    auto digest = KeyedDigest::make(keys.addresses);
    if (!digest) return digest.error();
    if (!digest.value()->digest(kDigestLabel, keys.digests))
        return Error{ErrorCode::kInternal, "OpenSSL: no BLAKE2b", ""};
    return keys;
}

}  // namespace nfstreamd::exporters
