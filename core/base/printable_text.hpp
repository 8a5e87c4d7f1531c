// SPDX-License-Identifier: Apache-2.0
// Text from elsewhere, made safe for a terminal: host names, keys and error
// messages may hold anything. Pure.
#pragma once
#include <string>
#include <string_view>

namespace nfstreamd {

// The code point of a well-formed sequence of UTF-8.
char32_t utf8_code_point(std::string_view sequence) noexcept;

// What terminals obey and what reorders the text around it: control characters, marks of
// direction, invisible characters, separators of lines.
bool moves_text(char32_t code_point) noexcept;

// These, newlines too, and what is no UTF-8 as \xNN or \u{NNNN}.
std::string printable(std::string_view text);

}  // namespace nfstreamd
