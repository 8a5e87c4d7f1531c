// SPDX-License-Identifier: Apache-2.0
// Text that a plugin gives, as log and errors show it. Pure.
#pragma once
#include <string>
#include <string_view>

#include "core/base/utf8.hpp"

namespace nfstreamd {

inline constexpr std::size_t kLongestPluginText = 1024;

// Valid UTF-8 without control characters, of a bounded length.
inline std::string plugin_text(std::string_view text) {
    std::string valid(text.substr(0, kLongestPluginText));
    valid.resize(copy_valid_utf8(std::string(valid), valid.data()));
    for (char& c : valid)
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
    return valid;
}

}  // namespace nfstreamd
