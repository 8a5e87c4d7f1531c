// SPDX-License-Identifier: Apache-2.0
// Words that nobody outside can foresee, from the system: seeds and the secrets
// of keyed hashes. Any thread.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>

namespace nfstreamd {

template <std::size_t Count>
std::array<std::uint64_t, Count> random_words() {
    std::random_device device;
    std::array<std::uint64_t, Count> words;
    for (auto& word : words) word = std::uint64_t{device()} << 32 | device();
    return words;
}

inline std::uint64_t random_word() {
    return random_words<1>()[0];
}

}  // namespace nfstreamd
