// SPDX-License-Identifier: Apache-2.0
// Text from elsewhere, made safe for a terminal: host names and error messages
// come from the wire and may hold anything. Pure.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace nfstreamd::ctl {

// Control characters, those that reorder text and what is no UTF-8 as \xNN or
// \u{NNNN}; newlines, too.
std::string printable(std::string_view text);

// Columns on a terminal, counted as one per character of what is printable().
std::size_t columns(std::string_view text);
// To exactly so many columns: cut, with "~" at its end, or filled with blanks.
std::string fitted(std::string_view text, std::size_t width);
std::string right_aligned(std::string_view text, std::size_t width);

// "987", "12.3k", "4.56G": three digits, or the number itself below ten thousand.
std::string short_number(double value);

}  // namespace nfstreamd::ctl
