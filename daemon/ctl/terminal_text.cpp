// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/terminal_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace nfstreamd::ctl {
std::size_t columns(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string fitted(std::string_view text, std::size_t width) {
    const std::size_t has = columns(text);
    if (has <= width) return std::string(text) + std::string(width - has, ' ');
    if (width == 0) return {};
    std::size_t taken = 0, end = 0;
    while (end < text.size()) {
        const bool begins = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
        if (begins && taken + 1 == width) break;
        taken += begins;
        ++end;
    }
    return std::string(text.substr(0, end)) + '~';
}

std::string right_aligned(std::string_view text, std::size_t width) {
    const std::size_t has = columns(text);
    return has >= width ? fitted(text, width) : std::string(width - has, ' ') + std::string(text);
}

std::string short_number(double value) {
    static constexpr char kUnits[] = {'k', 'M', 'G', 'T', 'P'};
    if (!(value >= 0)) value = 0;
    if (std::llround(value) < 10'000) return fmt::format("{}", std::llround(value));
    std::size_t unit = 0;
    value /= 1000;
    while (value >= 999.5 && unit + 1 < std::size(kUnits)) {
        value /= 1000;
        ++unit;
    }
    const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f}{}", value, decimals, kUnits[unit]);
}

}  // namespace nfstreamd::ctl
