// SPDX-License-Identifier: Apache-2.0
#include "exporters/encode/csv_encoder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "tests/support/fields.hpp"

namespace nfstreamd::exporters {
namespace {

using test::field;

std::string line_of(std::vector<InformationElement> elements, const FlowRecord& record = {}) {
    std::string out;
    CsvEncoder(test::select(elements)).encode(record, out);
    return out;
}

std::string text_field(std::string_view text, CsvEncoder::Formulas formulas = CsvEncoder::Formulas::kKeep) {
    FlowRecord record;
    record.interface_name = text;
    const std::vector elements{field("name", [](const FlowRecord& r) -> FieldValue { return r.interface_name; })};
    std::string out;
    CsvEncoder(test::select(elements), nullptr, formulas).encode(record, out);
    return out;
}

TEST_CASE("CsvEncoder: the header has the columns in order") {
    const std::vector elements{field("id", nullptr), field("src_ip", nullptr), field("a,b", nullptr)};
    std::string out;
    CsvEncoder(test::select(elements)).preamble(out);
    CHECK(out == "id,src_ip,\"a,b\"\n");
}

TEST_CASE("CsvEncoder: quotes text only where it must") {
    CHECK(text_field("eth0") == "eth0\n");
    CHECK(text_field("") == "\n");
    CHECK(text_field(" a b;'c ") == " a b;'c \n");
    CHECK(text_field("a,b") == "\"a,b\"\n");
    CHECK(text_field("\"") == "\"\"\"\"\n");
    CHECK(text_field("say \"hi\"") == "\"say \"\"hi\"\"\"\n");
    CHECK(text_field("two\nlines") == "\"two\nlines\"\n");
    CHECK(text_field("bare\rreturn") == "\"bare\rreturn\"\n");
    CHECK(text_field("back\\slash") == "back\\slash\n");
    CHECK(text_field("grüße") == "grüße\n");
}

TEST_CASE("CsvEncoder: what a spreadsheet would take for a formula is escaped where that is wanted") {
    constexpr auto kEscape = CsvEncoder::Formulas::kEscape;
    CHECK(text_field("=1+1") == "=1+1\n");
    CHECK(text_field("=HYPERLINK(\"http://a\",\"b\")", kEscape) == "\"'=HYPERLINK(\"\"http://a\"\",\"\"b\"\")\"\n");
    for (const std::string text : {"=1", "+1", "-1", "@a", "\t=1", " =1", "\n@a", "\rx", "\uff1d1", "-", "\u202f"})
        CHECK(text_field(text, kEscape) == (text == "\u202f" ? text + "\n" : "\"'" + text + "\"\n"));
    for (const std::string text : {"", " ", "a=1", "www.example.org", "'=1", "1-2"})
        CHECK(text_field(text, kEscape) == text + "\n");
    const std::vector number{field("i", [](const FlowRecord&) -> FieldValue { return std::int64_t{-1}; })};
    std::string out;
    CsvEncoder(test::select(number), nullptr, kEscape).encode({}, out);
    CHECK(out == "-1\n");  // numbers are none
}

TEST_CASE("CsvEncoder: writes each kind of value") {
    FlowRecord record;
    record.source_address = {{192, 0, 2, 5}, 4};
    record.destination_address = {{0x20, 0x01, 0x0d, 0xb8}, 6};
    record.source_mac = {0x30, 0x52, 0xcb, 0x6c, 0x9c, 0x1b};
    const std::string line = line_of(
        {
            field("u", [](const FlowRecord&) -> FieldValue { return std::uint64_t{18446744073709551615u}; }),
            field("i", [](const FlowRecord&) -> FieldValue { return std::int64_t{-1}; }),
            field("f", [](const FlowRecord&) -> FieldValue { return 2.0; }),
            field("t", [](const FlowRecord&) -> FieldValue { return true; }),
            field("b", [](const FlowRecord&) -> FieldValue { return false; }),
            field("v4", [](const FlowRecord& r) -> FieldValue { return r.source_address; }),
            field("v6", [](const FlowRecord& r) -> FieldValue { return r.destination_address; }),
            field("mac", [](const FlowRecord& r) -> FieldValue { return r.source_mac; }),
            field("none", [](const FlowRecord&) -> FieldValue { return std::monostate{}; }),
            field("wide",
                  [](const FlowRecord&) -> FieldValue {
                      return Unsigned128{1, 0};
                  }),
        },
        record);
    CHECK(line ==
          "18446744073709551615,-1,2.0,True,False,192.0.2.5,2001:db8::,30:52:cb:6c:9c:1b,,18446744073709551616\n");
}

TEST_CASE("CsvEncoder: a number that is none leaves its field empty") {
    CHECK(line_of({
              field("nan", [](const FlowRecord&) -> FieldValue { return std::numeric_limits<double>::quiet_NaN(); }),
              field("inf", [](const FlowRecord&) -> FieldValue { return -std::numeric_limits<double>::infinity(); }),
          }) == ",\n");
}

TEST_CASE("CsvEncoder: quotes a list when it has a comma") {
    static constexpr std::int32_t kValues[] = {0, 1, -1};
    CHECK(line_of({
              field("three", [](const FlowRecord&) -> FieldValue { return std::span(kValues); }),
              field("one", [](const FlowRecord&) -> FieldValue { return std::span<const std::int32_t>(kValues, 1); }),
              field("none", [](const FlowRecord&) -> FieldValue { return std::span<const std::int32_t>(); }),
          }) == "\"[0, 1, -1]\",[0],[]\n");
}

TEST_CASE("CsvEncoder: appends to what is there") {
    std::string out = "before\n";
    const std::vector elements{field("id", [](const FlowRecord& r) -> FieldValue { return r.id; })};
    const CsvEncoder encoder(test::select(elements));
    for (std::uint64_t id = 1; id <= 2; ++id) {
        FlowRecord record;
        record.id = id;
        encoder.encode(record, out);
    }
    CHECK(out == "before\n1\n2\n");
}

TEST_CASE("CsvEncoder: nfstream's columns of an empty record are a line with as many fields as the header") {
    const CsvEncoder encoder(nfstream_fields({.tunnel = true, .statistics = true, .splt = true, .application = true}));
    std::string header, line;
    encoder.preamble(header);
    encoder.encode(FlowRecord{}, line);
    const auto commas = [](const std::string& text) { return std::count(text.begin(), text.end(), ','); };
    CHECK(header.starts_with("id,expiration_id,src_ip,src_mac,src_oui,src_port,dst_ip,"));
    CHECK(commas(header) > 80);
    CHECK(commas(line) == commas(header));
    CHECK(line.back() == '\n');
}

}  // namespace
}  // namespace nfstreamd::exporters
