// SPDX-License-Identifier: Apache-2.0
// The mixing of words behind our hashes and pseudo-random choices. Any thread.
#pragma once
#include <cstdint>

namespace nfstreamd {

// Both halves of the product: of two secrets or secretly keyed words.
inline std::uint64_t multiply_mix(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
// generators, 2014): the step of its counter and its finalizer.
inline constexpr std::uint64_t kSplitmixStep = 0x9e3779b97f4a7c15;
inline std::uint64_t splitmix_finish(std::uint64_t x) noexcept {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

// A word that is equally likely to be any, as a number below `range`.
inline std::uint64_t scaled_to(std::uint64_t word, std::uint64_t range) noexcept {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(Wide{word} * range >> 64);
}

}  // namespace nfstreamd
