// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/terminal_text.hpp"

#include <doctest/doctest.h>

#include "core/base/json_text.hpp"

namespace nfstreamd::ctl {

TEST_CASE("terminal text: what a terminal would obey is shown instead") {
    CHECK(printable("www.example.org") == "www.example.org");
    CHECK(printable("\x1b[2Jgone\r\n\x07") == "\\x1b[2Jgone\\x0d\\x0a\\x07");
    CHECK(printable("\x7f") == "\\x7f");
    CHECK(printable("\xc2\x9b"
                    "31m") == "\\u{009b}31m");  // CSI as one character
    CHECK(printable("\xe2\x80\xae"
                    "gpj") == "\\u{202e}gpj");  // right to left
    CHECK(printable("\xff\xc3") == "\\xff\\xc3");
    CHECK(printable("caf\xc3\xa9 \xe2\x96\x88") == "caf\xc3\xa9 \xe2\x96\x88");
    CHECK(printable(std::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("terminal text: JSON never has controls of either kind") {
    std::string json;
    append_json_string(json, "\x1b[2J \xc2\x9b \xc2\xa0 \x7f \xc3\xa9");
    CHECK(json == "\"\\u001b[2J \\u009b \xc2\xa0 \\u007f \xc3\xa9\"");
}

TEST_CASE("terminal text: columns are characters, and what is too long says so") {
    CHECK(columns("caf\xc3\xa9") == 4);
    CHECK(fitted("ab", 4) == "ab  ");
    CHECK(fitted("abcdef", 4) == "abc~");
    CHECK(fitted("\xc3\xa9\xc3\xa9\xc3\xa9", 2) == "\xc3\xa9~");
    CHECK(fitted("abc", 0).empty());
    CHECK(right_aligned("ab", 4) == "  ab");
}

TEST_CASE("terminal text: numbers have three digits") {
    CHECK(short_number(0) == "0");
    CHECK(short_number(0.4) == "0");
    CHECK(short_number(9999) == "9999");
    CHECK(short_number(10'000) == "10.0k");
    CHECK(short_number(123'456) == "123k");
    CHECK(short_number(999'600) == "1.00M");
    CHECK(short_number(1'234'567'890) == "1.23G");
    CHECK(short_number(-5) == "0");
}

}  // namespace nfstreamd::ctl
