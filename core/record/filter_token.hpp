// SPDX-License-Identifier: Apache-2.0
// The words of a filter expression. Pure, safe on any octets.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace nfstreamd {

enum class FilterTokenKind {
    kWord,    // a field, a value or a keyword
    kQuoted,  // a value in quotes; `text` is what they hold
    kSymbol,  // == != < <= > >= ~ ! && || ( ) [ ] ,
    kEnd,
    kBad,  // `text` says why
};

struct FilterToken {
    FilterTokenKind kind = FilterTokenKind::kEnd;
    std::string text;
    std::size_t offset = 0;  // octets from the beginning of the expression

    bool is_symbol(std::string_view symbol) const { return kind == FilterTokenKind::kSymbol && text == symbol; }
    bool is_keyword(std::string_view lower_case) const;
    std::string shown() const;  // for messages: `"tcp"`, the end
};

// The token at or after `offset`, which is left behind it.
FilterToken next_filter_token(std::string_view text, std::size_t& offset);

// From 1, in characters.
std::size_t filter_column(std::string_view text, std::size_t offset);

}  // namespace nfstreamd
