// SPDX-License-Identifier: Apache-2.0
#include "exporters/encode/json_encoder.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "tests/support/fields.hpp"

namespace nfstreamd::exporters {
namespace {

using test::field;

std::string line_of(std::vector<InformationElement> elements, const FlowRecord& record = {}) {
    std::string out;
    JsonEncoder(test::select(elements)).encode(record, out);
    return out;
}

std::string text_field(std::string_view text) {
    FlowRecord record;
    record.interface_name = text;
    return line_of({field("name", [](const FlowRecord& r) -> FieldValue { return r.interface_name; })}, record);
}

TEST_CASE("JsonEncoder: has no preamble") {
    std::string out;
    JsonEncoder({}).preamble(out);
    CHECK(out.empty());
}

TEST_CASE("JsonEncoder: a record is one object on one line, keys in the order of the fields") {
    FlowRecord record;
    record.source_address = {{192, 0, 2, 5}, 4};
    record.destination_address = {{0x20, 0x01, 0x0d, 0xb8}, 6};
    record.source_mac = {0x30, 0x52, 0xcb, 0x6c, 0x9c, 0x1b};
    static constexpr std::int32_t kValues[] = {0, 1, -1};
    const std::string line = line_of(
        {
            field("u", [](const FlowRecord&) -> FieldValue { return std::uint64_t{18446744073709551615u}; }),
            field("i", [](const FlowRecord&) -> FieldValue { return std::int64_t{-1}; }),
            field("f", [](const FlowRecord&) -> FieldValue { return 2.0; }),
            field("t", [](const FlowRecord&) -> FieldValue { return true; }),
            field("v4", [](const FlowRecord& r) -> FieldValue { return r.source_address; }),
            field("v6", [](const FlowRecord& r) -> FieldValue { return r.destination_address; }),
            field("mac", [](const FlowRecord& r) -> FieldValue { return r.source_mac; }),
            field("list", [](const FlowRecord&) -> FieldValue { return std::span(kValues); }),
            field("none", [](const FlowRecord&) -> FieldValue { return std::monostate{}; }),
        },
        record);
    CHECK(line == R"({"u":18446744073709551615,"i":-1,"f":2.0,"t":true,"v4":"192.0.2.5","v6":"2001:db8::",)"
                  R"("mac":"30:52:cb:6c:9c:1b","list":[0, 1, -1],"none":null})"
                  "\n");
}

TEST_CASE("JsonEncoder: escapes what traffic may put into a string") {
    using namespace std::string_view_literals;
    CHECK(text_field("") == "{\"name\":\"\"}\n");
    CHECK(text_field("a\"b\\c") == R"({"name":"a\"b\\c"})"
                                   "\n");
    CHECK(text_field("\n\r\t\0\x1f\x7f"sv) == R"({"name":"\n\r\t\u0000\u001f\u007f"})"
                                              "\n");
    CHECK(text_field("</script>{}[]:,") == "{\"name\":\"</script>{}[]:,\"}\n");
    CHECK(text_field("grüße") == "{\"name\":\"grüße\"}\n");
    CHECK(text_field("\xff\xc3") == "{\"name\":\"\xEF\xBF\xBD\xEF\xBF\xBD\"}\n");
    CHECK(text_field("\xed\xa0\x80") == "{\"name\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"}\n");  // a surrogate
}

TEST_CASE("JsonEncoder: whatever bytes a string has, the line stays one line") {
    std::string bytes;
    for (int c = 0; c < 256; ++c) bytes += static_cast<char>(c);
    const std::string line = text_field(bytes);
    CHECK(line.find('\n') == line.size() - 1);
    CHECK(line.ends_with("\"}\n"));
}

TEST_CASE("JsonEncoder: a number that is none is null") {
    CHECK(line_of({
              field("nan", [](const FlowRecord&) -> FieldValue { return std::numeric_limits<double>::quiet_NaN(); }),
              field("inf", [](const FlowRecord&) -> FieldValue { return std::numeric_limits<double>::infinity(); }),
          }) == "{\"nan\":null,\"inf\":null}\n");
}

TEST_CASE("JsonEncoder: without fields a record is an empty object") {
    std::string out;
    JsonEncoder({}).encode(FlowRecord{}, out);
    CHECK(out == "{}\n");
}

TEST_CASE("JsonEncoder: the columns of the field table are its keys") {
    std::string line;
    JsonEncoder(nfstream_fields({})).encode(FlowRecord{}, line);
    CHECK(line.starts_with(R"({"id":0,"expiration_id":0,"src_ip":")"));
    CHECK(line.find(R"(,"src2dst_bytes":0,)") != std::string::npos);
}

}  // namespace
}  // namespace nfstreamd::exporters
