// SPDX-License-Identifier: Apache-2.0
#include "config/roff.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nfstreamd::config {
namespace {

constexpr std::size_t kWidest = 78;  // mandoc's lint wants 80 at most
constexpr std::string_view kDate = "November 26, 2026";

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";  // an option, not a hyphen
        else
            out += c;
    }
    return out;
}

bool ends_sentence(std::string_view word) {
    while (!word.empty() && (word.back() == ')' || word.back() == '"' || word.back() == '`')) word.remove_suffix(1);
    return !word.empty() && (word.back() == '.' || word.back() == '!' || word.back() == '?');
}

// At the begin of a line a period is a request.
void append_line(std::string& out, std::string line) {
    if (line.empty()) return;
    if (line[0] == '.' || line[0] == '\'') line.insert(0, "\\&");
    out += line + "\n";
}

std::string with_fonts(std::string_view word, bool& bold) {
    std::string out;
    for (const char c : word) {
        if (c != '`') {
            out += escaped(std::string_view(&c, 1));
            continue;
        }
        bold = !bold;
        out += bold ? "\\fB" : "\\fP";
    }
    return out;
}

}  // namespace

std::string roff_head(std::string_view title, std::string_view name, std::string_view summary) {
    return fmt::format(
        ".\\\" SPDX-License-Identifier: Apache-2.0\n"
        ".\\\" Printed from the tables in the code; a test compares.\n"
        ".Dd {}\n.Dt {}\n.Os\n.Sh NAME\n.Nm {}\n.Nd {}\n",
        kDate, title, name, summary);
}

std::string roff_text(std::string_view text) {
    std::string out, line;
    bool bold = false;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(" \n"), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(text.size(), end + 1));
        if (word.empty()) continue;
        const std::string shown = with_fonts(word, bold);
        if (!line.empty() && line.size() + 1 + shown.size() > kWidest) {
            append_line(out, std::move(line));
            line.clear();
        }
        line += (line.empty() ? "" : " ") + shown;
        if (!ends_sentence(word)) continue;
        append_line(out, std::move(line));
        line.clear();
    }
    append_line(out, std::move(line));
    return out;
}

std::string roff_word(std::string_view word) {
    std::string out;
    for (const char c : escaped(word)) {
        if (c == '"')
            out += "\\(dq";
        else
            out += c;
    }
    const bool is_delimiter = word.size() == 1 && std::string_view(".,:;()[]?!|").find(word[0]) != word.npos;
    return is_delimiter ? "\\&" + out : out.find(' ') == out.npos ? out : fmt::format("\"{}\"", out);
}

std::string roff_lines(std::string_view lines) {
    std::string out = ".Bd -literal -offset indent\n";
    while (!lines.empty()) {
        const auto end = std::min(lines.find('\n'), lines.size());
        append_line(out, end == 0 ? "\\&" : escaped(lines.substr(0, end)));
        lines.remove_prefix(std::min(lines.size(), end + 1));
    }
    return out + ".Ed\n";
}

}  // namespace nfstreamd::config
