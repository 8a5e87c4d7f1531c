// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/terminal_text.hpp"

#include <doctest/doctest.h>

namespace nfstreamd::ctl {

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
