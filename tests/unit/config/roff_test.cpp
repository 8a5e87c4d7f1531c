// SPDX-License-Identifier: Apache-2.0
#include "config/roff.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <string>

using namespace nfstreamd::config;

TEST_CASE("Roff: each sentence begins a line, and lines are short") {
    CHECK(roff_text("One here. Two (there.) Three?") == "One here.\nTwo (there.)\nThree?\n");
    std::string words;
    for (int i = 0; i < 60; ++i) words += "word ";
    std::istringstream lines(roff_text(words));
    std::string line;
    int count = 0;
    for (; std::getline(lines, line); ++count) CHECK(line.size() <= 78);
    CHECK(count == 4);
}

TEST_CASE("Roff: nothing in a text is taken for a request, an escape or a hyphen") {
    CHECK(roff_text(".csv is one") == "\\&.csv is one\n");
    CHECK(roff_text("'a' or \\d, --set") == "\\&'a' or \\ed, \\-\\-set\n");
    CHECK(roff_text("") == "");
}

TEST_CASE("Roff: what stands in backticks is bold, over lines too") {
    CHECK(roff_text("this or `pcap`.") == "this or \\fBpcap\\fP.\n");
    CHECK(roff_text("`a b`") == "\\fBa b\\fP\n");
}

TEST_CASE("Roff: a word is one argument of a macro") {
    CHECK(roff_word("FILE") == "FILE");
    CHECK(roff_word("private-number") == "private\\-number");
    CHECK(roff_word("[--json] | FILE") == "\"[\\-\\-json] | FILE\"");
    CHECK(roff_word("a \"b\"") == "\"a \\(dqb\\(dq\"");
    CHECK(roff_word("|") == "\\&|");
}

TEST_CASE("Roff: lines stay as they are") {
    CHECK(roff_lines("  a\n\n.b") == ".Bd -literal -offset indent\n  a\n\\&\n\\&.b\n.Ed\n");
}
