// SPDX-License-Identifier: Apache-2.0
// What one exporter hides of its records, as the settings anonymize.* say it.
// Plain values; any thread.
#pragma once
#include <cstdint>
#include <string>

#include "config/settings.hpp"
#include "core/base/result.hpp"

namespace nfstreamd::exporters {

enum class AddressMethod : std::uint8_t { kOff, kTruncate, kPrefixPreserving };
enum class MacMethod : std::uint8_t { kOff, kOui, kPseudonym, kDrop };
enum class TextMethod : std::uint8_t { kKeep, kDrop, kPseudonym };

struct AnonymizationOptions {
    AddressMethod addresses = AddressMethod::kOff;
    int prefix_length_v4 = 24, prefix_length_v6 = 48;  // bits that kTruncate leaves
    MacMethod mac = MacMethod::kOff;
    TextMethod texts = TextMethod::kKeep;
    std::string key;  // the secret; "" where no method needs one

    bool on() const { return addresses != AddressMethod::kOff || mac != MacMethod::kOff || texts != TextMethod::kKeep; }
    bool needs_key() const {
        return addresses == AddressMethod::kPrefixPreserving || mac == MacMethod::kPseudonym ||
               texts == TextMethod::kPseudonym;
    }
    friend bool operator==(const AnonymizationOptions&, const AnonymizationOptions&) = default;
};

// Errors name the setting: a key that is missing, too short or of no use, a
// prefix length that nothing is cut to.
Result<AnonymizationOptions> anonymization_options(const config::Settings& settings);

}  // namespace nfstreamd::exporters
