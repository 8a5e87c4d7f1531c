// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/terminal_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/base/utf8.hpp"

namespace nfstreamd::ctl {
namespace {

char32_t decoded(std::string_view sequence) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
    if (sequence.size() == 1) return byte(0);
    char32_t code = byte(0) & (0x7f >> sequence.size());
    for (std::size_t i = 1; i < sequence.size(); ++i) code = code << 6 | (byte(i) & 0x3f);
    return code;
}

bool moves_text(char32_t code) {
    const auto within = [code](char32_t first, char32_t last) { return code >= first && code <= last; };
    return code < 0x20 || within(0x7f, 0x9f) || within(0x200b, 0x200f) || within(0x2028, 0x202e) ||
           within(0x2060, 0x206f) || code == 0xfeff || code == 0x061c;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = utf8_sequence_length(text);
        if (length == 0) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
            text.remove_prefix(1);
            continue;
        }
        const char32_t code = decoded(text.substr(0, length));
        if (!moves_text(code))
            out += text.substr(0, length);
        else if (code < 0x80)
            out += fmt::format("\\x{:02x}", static_cast<unsigned>(code));
        else
            out += fmt::format("\\u{{{:04x}}}", static_cast<unsigned>(code));
        text.remove_prefix(length);
    }
    return out;
}

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
