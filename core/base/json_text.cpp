// SPDX-License-Identifier: Apache-2.0
#include "core/base/json_text.hpp"

#include "core/base/printable_text.hpp"
#include "core/base/utf8.hpp"

namespace nfstreamd {
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
            if (const auto code = utf8_code_point(text.substr(0, length)); moves_text(code)) {
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
