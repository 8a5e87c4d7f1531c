// SPDX-License-Identifier: Apache-2.0
// Numbers in network byte order, wherever they come to lie. Any thread.
#pragma once
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>

namespace nfstreamd::exporters {

template <std::unsigned_integral T>
T to_big_endian(T value) noexcept {
    if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1)
        return value;
    else if constexpr (sizeof(T) == 2)
        return __builtin_bswap16(value);
    else if constexpr (sizeof(T) == 4)
        return __builtin_bswap32(value);
    else
        return __builtin_bswap64(value);
}

template <std::unsigned_integral T>
void store_big_endian(T value, std::uint8_t* out) noexcept {
    value = to_big_endian(value);
    std::memcpy(out, &value, sizeof value);
}

}  // namespace nfstreamd::exporters
