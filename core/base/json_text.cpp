// SPDX-License-Identifier: Apache-2.0
#include "core/base/json_text.hpp"

#include "core/base/utf8.hpp"

namespace nfstreamd {
namespace {

// Code points that terminals obey or that reorder the text around them: the C1 controls, marks of direction, invisible
// characters, separators of lines. 0: the sequence is none.
unsigned obeyed_code(std::string_view sequence) {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
    const auto within = [](unsigned code, unsigned first, unsigned last) { return code >= first && code <= last; };
    unsigned code = 0;
    if (sequence.size() == 2) code = (octet(0) & 0x1fu) << 6 | (octet(1) & 0x3fu);
    if (sequence.size() == 3) code = (octet(0) & 0x0fu) << 12 | (octet(1) & 0x3fu) << 6 | (octet(2) & 0x3fu);
    const bool obeyed = within(code, 0x80, 0x9f) || code == 0x061c || within(code, 0x200b, 0x200f) ||
                        within(code, 0x2028, 0x202e) || within(code, 0x2060, 0x206f) || code == 0xfeff;
    return obeyed ? code : 0;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    out += '"';
    while (!text.empty()) {
        const auto c = static_cast<unsigned char>(text.front());
        if (c < 0x80) {
            text.remove_prefix(1);
            switch (c) {
                case '"':
                    out += "\\\"";
                    break;
                case '\\':
                    out += "\\\\";
                    break;
                case '\n':
                    out += "\\n";
                    break;
                case '\r':
                    out += "\\r";
                    break;
                case '\t':
                    out += "\\t";
                    break;
                default:
                    if (c < 0x20 || c == 0x7f) {
                        out += "\\u00";
                        out += kHex[c >> 4];
                        out += kHex[c & 15];
                    } else {
                        out += static_cast<char>(c);
                    }
            }
        } else if (const std::size_t length = utf8_sequence_length(text)) {
            if (const unsigned code = obeyed_code(text.substr(0, length)); code != 0) {
                out += "\\u";
                for (int shift = 12; shift >= 0; shift -= 4) out += kHex[code >> shift & 15];
            } else {
                out += text.substr(0, length);
            }
            text.remove_prefix(length);
        } else {
            out += "\xEF\xBF\xBD";
            text.remove_prefix(1);
        }
    }
    out += '"';
}

}  // namespace nfstreamd
