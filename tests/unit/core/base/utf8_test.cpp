// SPDX-License-Identifier: Apache-2.0
#include "core/base/utf8.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace nfstreamd;

namespace {

std::string cleaned(const std::string& text) {
    std::string out(text.size(), '\0');
    out.resize(copy_valid_utf8(text, out.data()));
    return out;
}

}  // namespace

TEST_CASE("utf8: the length of well-formed sequences") {
    CHECK(utf8_sequence_length("") == 0);
    CHECK(utf8_sequence_length("a") == 1);
    CHECK(utf8_sequence_length("\x7f") == 1);
    CHECK(utf8_sequence_length("\xC2\x80") == 2);
    CHECK(utf8_sequence_length("\xDF\xBF") == 2);
    CHECK(utf8_sequence_length("\xE0\xA0\x80") == 3);
    CHECK(utf8_sequence_length("\xED\x9F\xBF") == 3);
    CHECK(utf8_sequence_length("\xEF\xBF\xBF") == 3);
    CHECK(utf8_sequence_length("\xF0\x90\x80\x80") == 4);
    CHECK(utf8_sequence_length("\xF4\x8F\xBF\xBF") == 4);
}

TEST_CASE("utf8: malformed sequences have no length") {
    for (const char* text : {
             "\x80",              // a continuation alone
             "\xBF",              //
             "\xC0\xAF",          // overlong slash
             "\xC1\xBF",          //
             "\xE0\x80\xAF",      //
             "\xE0\x9F\xBF",      //
             "\xF0\x80\x80\xAF",  //
             "\xF0\x8F\xBF\xBF",  //
             "\xED\xA0\x80",      // surrogates
             "\xED\xBF\xBF",      //
             "\xF4\x90\x80\x80",  // above U+10FFFF
             "\xF5\x80\x80\x80",  //
             "\xF8\x88\x80\x80",  // five octets, as once was
             "\xFE",
             "\xFF",          //
             "\xC2",          // ends too early
             "\xE2\x82",      //
             "\xF0\x9F\x98",  //
             "\xC2"
             "A",  // goes on too early
             "\xE2\x82"
             "A",
             "\xF0\x9F\x98"
             "A",
         }) {
        CAPTURE(std::string(text));
        CHECK(utf8_sequence_length(text) == 0);
    }
}

TEST_CASE("utf8: copying drops what Python's decode(errors=\"ignore\") drops") {
    CHECK(cleaned("plain") == "plain");
    CHECK(cleaned("gr\xC3\xBC\xC3\x9F") == "gr\xC3\xBC\xC3\x9F");
    CHECK(cleaned("a\xFFz") == "az");
    CHECK(cleaned("a\xE2\x82z") == "az");
    CHECK(cleaned("a\xED\xA0\x80z") == "az");
    CHECK(cleaned("a\xF0\x9F\x98\x80\xF0\x9Fz") == "a\xF0\x9F\x98\x80z");
    CHECK(cleaned("\xC3") == "");
    CHECK(cleaned(std::string("a\0b", 3)) == std::string("a\0b", 3));
}

TEST_CASE("utf8: a prefix does not end inside a sequence") {
    const std::string text = "ab\xE2\x82\xAC\xF0\x9F\x98\x80";  // ab, euro, emoji
    const std::size_t expected[] = {0, 1, 2, 2, 2, 5, 5, 5, 5, 9, 9};
    for (std::size_t limit = 0; limit <= 10; ++limit) CHECK(utf8_prefix(text, limit).size() == expected[limit]);
}

TEST_CASE("is_valid_utf8: one malformed octet is found wherever it stands, in texts of every length") {
    for (std::size_t length = 0; length < 40; ++length) {
        const std::string text(length, 'a');
        CHECK(is_valid_utf8(text));
        for (std::size_t i = 0; i < length; ++i) {
            std::string broken = text;
            broken[i] = '\xff';
            CHECK_FALSE(is_valid_utf8(broken));
            if (i + 1 == length) continue;
            broken.replace(i, 2, "\u00fc");
            CHECK(is_valid_utf8(broken));
        }
    }
}
