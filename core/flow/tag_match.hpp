// SPDX-License-Identifier: Apache-2.0
// Which of a bucket's eight 16-bit tags equal one, as a mask in which bit 2i
// stands for tag i. By SSE2 where it is, else in two words of 64 bits; both are
// exact. Any thread.
#pragma once
#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#include <bit>
#include <cstdint>
#include <cstring>

namespace nfstreamd {

struct PortableTagMatch {
    static std::uint32_t find(const std::uint16_t* tags, std::uint16_t tag) noexcept {
        const std::uint64_t wanted = tag * kEach;
        return equal(tags, wanted) | equal(tags + 4, wanted) << 8;
    }

private:
    static_assert(std::endian::native == std::endian::little, "tag 0 is the low end of its word");
    static constexpr std::uint64_t kEach = 0x0001'0001'0001'0001, kLow = 0x7fff * kEach;

    static std::uint32_t equal(const std::uint16_t* tags, std::uint64_t wanted) noexcept {
        std::uint64_t word;
        std::memcpy(&word, tags, sizeof word);
        word ^= wanted;
        // the top bit of each sixteen is set unless they are all zero; no sum carries into the next ones
        const std::uint64_t different = ((word & kLow) + kLow) | word;
        // bits 0, 16, 32 and 48 move to 48, 50, 52 and 54, and no other product comes there
        constexpr std::uint64_t kGather = 1ull << 48 | 1ull << 34 | 1ull << 20 | 1ull << 6;
        return static_cast<std::uint32_t>((~different >> 15 & kEach) * kGather >> 48) & 0x55;
    }
};

#if defined(__SSE2__)
// Of an aligned bucket.
struct Sse2TagMatch {
    static std::uint32_t find(const std::uint16_t* tags, std::uint16_t tag) noexcept {
        const __m128i all = _mm_load_si128(reinterpret_cast<const __m128i*>(tags));
        const __m128i equal = _mm_cmpeq_epi16(all, _mm_set1_epi16(static_cast<short>(tag)));
        return static_cast<std::uint32_t>(_mm_movemask_epi8(equal)) & 0x5555;
    }
};
using TagMatch = Sse2TagMatch;
#else
using TagMatch = PortableTagMatch;
#endif

}  // namespace nfstreamd
