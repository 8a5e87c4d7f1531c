// SPDX-License-Identifier: Apache-2.0
// Text of manual pages, as mdoc(7) wants it: sentences begin on a line of their
// own, lines are short, nothing is taken for a macro. Pure.
#pragma once
#include <string>
#include <string_view>

namespace nfstreamd::config {

// The head of a page, down to its name; `title` is "NFSTREAMD.YAML 5".
std::string roff_head(std::string_view title, std::string_view name, std::string_view summary);

// A paragraph; what stands between ` and ` is bold.
std::string roff_text(std::string_view text);

// A word as the argument of a macro.
std::string roff_word(std::string_view word);

// Lines as they are, in an indented display.
std::string roff_lines(std::string_view lines);

}  // namespace nfstreamd::config
