// SPDX-License-Identifier: Apache-2.0
#include "core/enrichment/csv_reader.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using nfstreamd::CsvReader;
using Fields = std::vector<std::string>;

TEST_CASE("CsvReader: fields are what stands between commas, without the spaces around") {
    CsvReader reader("a, b c ,d\r\n,\nlast");
    CHECK(reader.next() == Fields{"a", "b c", "d"});
    CHECK(reader.next() == Fields{"", ""});
    CHECK(reader.next() == Fields{"last"});
    CHECK(reader.line() == 3);
    CHECK_FALSE(reader.next());
    CHECK_FALSE(reader.next());
}

TEST_CASE("CsvReader: quotes keep commas, spaces, quotes and line ends, and lines are counted through them") {
    CsvReader reader("\"a, b\",\" x \" , \"say \"\"no\"\"\"\r\n\"two\nlines\",y\nz\n");
    CHECK(reader.next() == Fields{"a, b", " x ", "say \"no\""});
    CHECK(reader.next() == Fields{"two\nlines", "y"});
    CHECK(reader.line() == 2);
    CHECK(reader.next() == Fields{"z"});
    CHECK(reader.line() == 4);
    CHECK(reader.complaint().empty());
}

TEST_CASE("CsvReader: comments and empty lines are passed over and counted") {
    CsvReader reader("# of today\n\n  \r\na,b\n#\n\nc");
    CHECK(reader.next() == Fields{"a", "b"});
    CHECK(reader.line() == 4);
    CHECK(reader.next() == Fields{"c"});
    CHECK(reader.line() == 7);
    CHECK_FALSE(CsvReader("").next());
    CHECK_FALSE(CsvReader("#\n\n").next());
}

TEST_CASE("CsvReader: wrong quotes are said, and what follows is read") {
    CsvReader behind("\"a\"b,c\nd\n");
    CHECK(behind.next().has_value());
    CHECK(behind.complaint() == "text behind a closing quote");
    CHECK(behind.next() == Fields{"d"});
    CHECK(behind.complaint().empty());
    CsvReader open("x\n\"a,b\nc");
    CHECK(open.next().has_value());
    CHECK(open.next().has_value());
    CHECK(open.complaint() == "a quote that is not closed");
    CHECK(open.line() == 2);
    CHECK_FALSE(open.next());
}
