// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/plugins/python_text.hpp"

#include <cstddef>

namespace nfstreamd::plugins {
namespace {

// Octets of the character that begins there, or of the part of one that is no character.
struct Piece {
    std::size_t length;
    bool valid;
};

Piece piece(std::string_view text) {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = octet(0);
    if (lead < 0x80) return {1, true};
    const std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                               : lead >= 0xe0 && lead <= 0xef ? 3
                               : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                              : 0;
    if (length == 0) return {1, false};
    for (std::size_t i = 1; i < length; ++i) {
        if (i >= text.size()) return {i, false};
        unsigned char least = 0x80, most = 0xbf;
        if (i == 1 && lead == 0xe0) least = 0xa0;
        if (i == 1 && lead == 0xed) most = 0x9f;
        if (i == 1 && lead == 0xf0) least = 0x90;
        if (i == 1 && lead == 0xf4) most = 0x8f;
        if (octet(i) < least || octet(i) > most) return {i, false};
    }
    return {length, true};
}

void append_repr(std::string& out, std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    const bool has_single = text.find('\'') != std::string_view::npos, has_double = text.find('"') != text.npos;
    const char quote = has_single && !has_double ? '"' : '\'';
    out += quote;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == static_cast<unsigned char>(quote) || c == '\\') {
            out += '\\';
            out += static_cast<char>(c);
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (c == '\t') {
            out += "\\t";
        } else if (c < 0x20 || c == 0x7f) {
            out += "\\x";
            out += kHex[c >> 4];
            out += kHex[c & 15];
        } else if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) <= 0xa0) {
            const auto low = static_cast<unsigned char>(text[++i]);  // C1 controls and the no-break space
            out += "\\x";
            out += kHex[low >> 4];
            out += kHex[low & 15];
        } else {
            out += static_cast<char>(c);
        }
    }
    out += quote;
}

}  // namespace

std::string decoded(std::string_view octets) {
    std::string out;
    while (!octets.empty()) {
        const auto [length, valid] = piece(octets);
        if (valid)
            out += octets.substr(0, length);
        else
            out += "\xef\xbf\xbd";
        octets.remove_prefix(length);
    }
    return out;
}

std::string list_text(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const std::string& text : texts) {
        if (out.size() > 1) out += ", ";
        append_repr(out, text);
    }
    return out + ']';
}

}  // namespace nfstreamd::plugins
