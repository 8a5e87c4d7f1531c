// SPDX-License-Identifier: Apache-2.0
// The generations of nfstream that people come from: their columns are output
// schemas, their parameters and defaults a compatibility of the configuration.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nfstreamd {

enum class Generation : std::uint8_t { kNfstream6, kNfstream3, kNfstream0 };

inline constexpr std::size_t kGenerations = 3;
inline constexpr std::array<std::string_view, kGenerations> kGenerationNames{"nfstream6", "nfstream3", "nfstream0"};
inline constexpr std::string_view kGenerationChoices = "nfstream6 nfstream3 nfstream0";

constexpr std::string_view name(Generation generation) {
    return kGenerationNames[static_cast<std::size_t>(generation)];
}

constexpr std::optional<Generation> find_generation(std::string_view name) {
    for (std::size_t i = 0; i < kGenerations; ++i)
        if (kGenerationNames[i] == name) return static_cast<Generation>(i);
    return std::nullopt;
}

}  // namespace nfstreamd
