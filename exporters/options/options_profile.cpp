// SPDX-License-Identifier: Apache-2.0
#include "exporters/options/options_profile.hpp"

#include <algorithm>
#include <array>

namespace nfstreamd::exporters {
namespace {

constexpr std::array<std::string_view, kOptionsKinds> kNames{
    "types", "flow_keys", "system", "sampling", "metering", "reliability", "exporting", "interfaces", "applications"};
constexpr std::uint16_t kNetflowText = 32;

}  // namespace

std::string_view name(OptionsKind kind) noexcept {
    return kNames[static_cast<std::size_t>(kind)];
}

OptionsKinds options_kinds(std::span<const std::string> words, OptionsKinds defaults) {
    OptionsKinds kinds;
    for (const std::string& word : words) {
        if (word == "true") return defaults;
        const auto found = std::find(kNames.begin(), kNames.end(), word);
        if (found != kNames.end()) kinds.add(static_cast<OptionsKind>(found - kNames.begin()));
    }
    return kinds;
}

std::optional<SamplingElements> sampling_elements(std::string_view name) {
    if (name == "rfc5477") return SamplingElements::kRfc5477;
    if (name == "legacy") return SamplingElements::kLegacy;
    if (name == "both") return SamplingElements::kBoth;
    if (name == "none") return SamplingElements::kNone;
    return std::nullopt;
}

std::uint16_t OptionsProfile::text() const noexcept {
    if (text_length != kVariableText) return std::min(text_length, kLongestFixedText);
    return protocol == OptionsProtocol::kNetflow9 ? kNetflowText : kVariableText;
}

}  // namespace nfstreamd::exporters
