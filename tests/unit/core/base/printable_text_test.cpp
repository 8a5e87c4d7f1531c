// SPDX-License-Identifier: Apache-2.0
#include "core/base/printable_text.hpp"

#include <doctest/doctest.h>

using namespace nfstreamd;

TEST_CASE("printable text: what a terminal would obey is shown instead") {
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
