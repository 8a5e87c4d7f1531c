// SPDX-License-Identifier: Apache-2.0
// The keys that one secret gives: of addresses, and of digests. Pure.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/result.hpp"

namespace nfstreamd::exporters {

struct AnonymizationKeys {
    std::array<std::uint8_t, 32> addresses{};  // of Crypto-PAn: 16 octets for AES, 16 for the pad
    std::array<std::uint8_t, 32> digests{};    // of hardware addresses and texts
};

// 64 hexadecimal digits are the 32 octets of Crypto-PAn's key as other programs
// take it; of anything else the key is the first half of what
// Anonymizer::make_key makes of it. An error says what a secret must be.
Result<AnonymizationKeys> make_anonymization_keys(std::string_view secret);

}  // namespace nfstreamd::exporters
