// SPDX-License-Identifier: Apache-2.0
#include "core/base/crc32c.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace nfstreamd {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Castagnoli's, reflected
constexpr std::size_t kSlices = 8;

using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

// tables[n][octet]: what the octet does to the checksum when n octets follow it.
constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t octet = 0; octet < 256; ++octet) {
        std::uint32_t crc = octet;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
        tables[0][octet] = crc;
    }
    for (std::size_t n = 1; n < kSlices; ++n)
        for (std::size_t octet = 0; octet < 256; ++octet) {
            const std::uint32_t crc = tables[n - 1][octet];
            tables[n][octet] = crc >> 8 ^ tables[0][crc & 255];
        }
    return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t crc32c(std::string_view octets, std::uint32_t before) noexcept {
    std::uint32_t crc = ~before;
    const char* at = octets.data();
    std::size_t left = octets.size();
    if constexpr (std::endian::native == std::endian::little)
        for (; left >= kSlices; at += kSlices, left -= kSlices) {
            std::uint64_t word;
            std::memcpy(&word, at, sizeof word);
            word ^= crc;
            crc = 0;
            for (std::size_t n = 0; n < kSlices; ++n) crc ^= kTables[kSlices - 1 - n][word >> 8 * n & 255];
        }
    for (; left > 0; ++at, --left) crc = crc >> 8 ^ kTables[0][(crc ^ static_cast<unsigned char>(*at)) & 255];
    return ~crc;
}

}  // namespace nfstreamd
