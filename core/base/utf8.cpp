// SPDX-License-Identifier: Apache-2.0
#include "core/base/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace nfstreamd {
namespace {

template <class Word>
Word word_at(const char* at) noexcept {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

// Word by word, the last one overlapping the one before.
bool is_ascii(std::string_view text) noexcept {
    const char* at = text.data();
    const std::size_t size = text.size();
    if (size >= 8) {
        std::uint64_t bits = word_at<std::uint64_t>(at + size - 8);
        for (std::size_t i = 0; i + 8 <= size; i += 8) bits |= word_at<std::uint64_t>(at + i);
        return (bits & 0x8080808080808080) == 0;
    }
    if (size >= 4) return ((word_at<std::uint32_t>(at) | word_at<std::uint32_t>(at + size - 4)) & 0x80808080) == 0;
    unsigned char bits = 0;
    for (const char c : text) bits |= static_cast<unsigned char>(c);
    return bits < 0x80;
}

}  // namespace

std::size_t utf8_sequence_length(std::string_view text) noexcept {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
    const unsigned char c = byte(0);
    if (c < 0x80) return 1;
    if (c >= 0xc2 && c <= 0xdf) return continues(1) ? 2 : 0;
    if (c >= 0xe0 && c <= 0xef) {
        if (!continues(1) || !continues(2)) return 0;
        if (c == 0xe0 && byte(1) < 0xa0) return 0;  // overlong
        if (c == 0xed && byte(1) > 0x9f) return 0;  // surrogate
        return 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        if (!continues(1) || !continues(2) || !continues(3)) return 0;
        if (c == 0xf0 && byte(1) < 0x90) return 0;
        if (c == 0xf4 && byte(1) > 0x8f) return 0;  // above U+10FFFF
        return 4;
    }
    return 0;
}

bool is_valid_utf8(std::string_view text) noexcept {
    if (is_ascii(text)) return true;
    while (!text.empty()) {
        const std::size_t n = utf8_sequence_length(text);
        if (n == 0) return false;
        text.remove_prefix(n);
    }
    return true;
}

std::size_t copy_valid_utf8(std::string_view text, char* out) noexcept {
    std::size_t length = 0;
    while (!text.empty()) {
        const std::size_t n = utf8_sequence_length(text);
        if (n != 0) {
            std::memcpy(out + length, text.data(), n);
            length += n;
        }
        text.remove_prefix(n == 0 ? 1 : n);
    }
    return length;
}

std::string_view utf8_prefix(std::string_view text, std::size_t limit) noexcept {
    if (text.size() <= limit) return text;
    std::size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    return text.substr(0, end);
}

}  // namespace nfstreamd
