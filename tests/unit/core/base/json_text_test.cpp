// SPDX-License-Identifier: Apache-2.0
#include "core/base/json_text.hpp"

#include <doctest/doctest.h>

using namespace nfstreamd;

namespace {

std::string json(std::string_view text) {
    std::string out = "x";
    append_json_string(out, text);
    return out.substr(1);
}

}  // namespace

TEST_CASE("json_text: quotes, backslashes and control characters are escaped") {
    CHECK(json("") == R"("")");
    CHECK(json("plain /text") == R"("plain /text")");
    CHECK(json("a\"b\\c") == R"("a\"b\\c")");
    CHECK(json("\n\r\t") == R"("\n\r\t")");
    CHECK(json(std::string_view("\0\x01\x1f\x7f", 4)) == "\"\\u0000\\u0001\\u001f\\u007f\"");
}

TEST_CASE("json_text: UTF-8 stays, any other octet becomes U+FFFD") {
    CHECK(json("gr\xC3\xBCn \xF0\x9F\x98\x80") == "\"gr\xC3\xBCn \xF0\x9F\x98\x80\"");
    CHECK(json("a\xFFz") == "\"a\xEF\xBF\xBDz\"");
    CHECK(json("\xE2\x82") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST_CASE("json_text: what a terminal obeys and what reorders text is escaped, whatever else is next to it") {
    CHECK(json("a\xC2\x9B"
               "2Jb") == R"("a\u009b2Jb")");
    CHECK(json("a\u202ecod.exe") == R"("a\u202ecod.exe")");
    CHECK(json("\u2066x\u2069\u200b\u2028\ufeff\u061c") == R"("\u2066x\u2069\u200b\u2028\ufeff\u061c")");
    CHECK(json("\u00a0\u2010\u2030\u2070\u0645\u05d0") == "\"\u00a0\u2010\u2030\u2070\u0645\u05d0\"");
}

TEST_CASE("json_text: no controls of either kind") {
    CHECK(json("\x1b[2J \xc2\x9b \xc2\xa0 \x7f \xc3\xa9") == "\"\\u001b[2J \\u009b \xc2\xa0 \\u007f \xc3\xa9\"");
}
