// SPDX-License-Identifier: Apache-2.0
#include "core/base/printable_text.hpp"

#include <fmt/format.h>

#include "core/base/utf8.hpp"

namespace nfstreamd {

char32_t utf8_code_point(std::string_view sequence) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
    if (sequence.size() == 1) return byte(0);
    char32_t code = byte(0) & (0x7f >> sequence.size());
    for (std::size_t i = 1; i < sequence.size(); ++i) code = code << 6 | (byte(i) & 0x3f);
    return code;
}

bool moves_text(char32_t code_point) noexcept {
    const auto within = [=](char32_t first, char32_t last) { return code_point >= first && code_point <= last; };
    return code_point < 0x20 || within(0x7f, 0x9f) || within(0x200b, 0x200f) || within(0x2028, 0x202e) ||
           within(0x2060, 0x206f) || code_point == 0xfeff || code_point == 0x061c;
}

std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = utf8_sequence_length(text);
        if (length == 0) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
            text.remove_prefix(1);
            continue;
        }
        const char32_t code = utf8_code_point(text.substr(0, length));
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

}  // namespace nfstreamd
