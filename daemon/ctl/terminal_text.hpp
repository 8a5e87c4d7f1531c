// SPDX-License-Identifier: Apache-2.0
// Text for the columns of a terminal, after it was made printable(). Pure.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/printable_text.hpp"

namespace nfstreamd::ctl {

// Columns on a terminal, counted as one per character of what is printable().
std::size_t columns(std::string_view text);
// To exactly so many columns: cut, with "~" at its end, or filled with blanks.
std::string fitted(std::string_view text, std::size_t width);
std::string right_aligned(std::string_view text, std::size_t width);

// "987", "12.3k", "4.56G": three digits, or the number itself below ten thousand.
std::string short_number(double value);

}  // namespace nfstreamd::ctl
