// SPDX-License-Identifier: Apache-2.0
#include "core/record/filter_token.hpp"

#include <algorithm>
#include <array>

namespace nfstreamd {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::array<std::string_view, 14> kSymbols{"==", "!=", "<=", ">=", "&&", "||", "<",
                                                    ">",  "~",  "!",  "(",  ")",  "[",  "]"};
constexpr std::size_t kLongestShown = 40;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// What numbers, addresses, blocks, times, names and applications are made of.
bool is_word(char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80 ||
           std::string_view("_.:/-+@%*").find(c) != std::string_view::npos;
}

FilterToken quoted(std::string_view text, std::size_t& offset) {
    FilterToken token{FilterTokenKind::kQuoted, {}, offset};
    const char quote = text[offset++];
    while (offset < text.size() && text[offset] != quote) {
        if (text[offset] == '\\' && offset + 1 < text.size()) ++offset;
        token.text += text[offset++];
    }
    if (offset == text.size()) return {FilterTokenKind::kBad, "the quote that begins here does not end", token.offset};
    ++offset;
    return token;
}

}  // namespace

bool FilterToken::is_keyword(std::string_view lower_case) const {
    return kind == FilterTokenKind::kWord && text.size() == lower_case.size() &&
           std::equal(text.begin(), text.end(), lower_case.begin(), [](char a, char b) { return lower(a) == b; });
}

std::string FilterToken::shown() const {
    if (kind == FilterTokenKind::kEnd) return "the end";
    if (text.size() <= kLongestShown) return '"' + text + '"';
    std::size_t cut = kLongestShown;  // not within a character
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
    return '"' + text.substr(0, cut) + "...\"";
}

FilterToken next_filter_token(std::string_view text, std::size_t& offset) {
    offset = std::min(text.find_first_not_of(kSpace, offset), text.size());
    if (offset == text.size()) return {FilterTokenKind::kEnd, {}, offset};
    const char c = text[offset];
    if (c == '"' || c == '\'') return quoted(text, offset);
    const std::size_t start = offset;
    if (is_word(c)) {
        while (offset < text.size() && is_word(text[offset])) ++offset;
        return {FilterTokenKind::kWord, std::string(text.substr(start, offset - start)), start};
    }
    if (c == ',') {
        ++offset;
        return {FilterTokenKind::kSymbol, ",", start};
    }
    for (const std::string_view symbol : kSymbols)
        if (text.substr(start).starts_with(symbol)) {
            offset += symbol.size();
            return {FilterTokenKind::kSymbol, std::string(symbol), start};
        }
    ++offset;
    const std::string shown = c > ' ' && c < 0x7f ? std::string(1, c) : "this character";
    const std::string advice = c == '=' ? "; equality is ==" : c == '&' || c == '|' ? "; write it twice" : "";
    return {FilterTokenKind::kBad, shown + " means nothing here" + advice, start};
}

std::size_t filter_column(std::string_view text, std::size_t offset) {
    const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
    return 1 + static_cast<std::size_t>(std::count_if(
                   text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size())), begins));
}

}  // namespace nfstreamd
