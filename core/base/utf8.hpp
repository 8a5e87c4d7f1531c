// SPDX-License-Identifier: Apache-2.0
// UTF-8 (RFC 3629): what traffic calls text may be any bytes.
#pragma once
#include <cstddef>
#include <string_view>

namespace nfstreamd {

// Length of the well-formed sequence that `text` begins with, 0 if it is none.
std::size_t utf8_sequence_length(std::string_view text) noexcept;

bool is_valid_utf8(std::string_view text) noexcept;

// Copies `text` without its malformed bytes into `out` (at least text.size()
// bytes); returns the length. The same as Python's decode("utf-8", "ignore").
std::size_t copy_valid_utf8(std::string_view text, char* out) noexcept;

// The longest prefix of valid UTF-8 `text` that has at most `limit` octets and
// does not end inside a sequence.
std::string_view utf8_prefix(std::string_view text, std::size_t limit) noexcept;

}  // namespace nfstreamd
