// SPDX-License-Identifier: Apache-2.0
#include "exporters/encode/syslog_packer.hpp"

#include <doctest/doctest.h>

#include <array>

#include "tests/support/fields.hpp"

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;

class IdEncoder final : public Encoder {
public:
    void preamble(std::string&) const override {}
    void encode(const FlowRecord& record, std::string& out) const override {
        out += "{\"id\":" + std::to_string(record.id) + "}\n";
    }
};

const SyslogHeader kHeader{.facility = 16, .severity = 5, .host_name = "edge", .app_name = "probe", .process_id = "7"};

std::chrono::system_clock::time_point moment() {
    return std::chrono::system_clock::time_point(1'767'323'045'000'678us);  // 2026-01-02 03:04:05.000678
}

std::string message(SyslogPacker& packer, std::uint64_t id = 5) {
    FlowRecord record{};
    record.id = id;
    REQUIRE(packer.add(record));
    REQUIRE(packer.ready());
    PackedMessage out;
    packer.take(out);
    CHECK(out.records == 1);
    CHECK(packer.empty());
    return out.payload;
}

TEST_CASE("SyslogPacker: header, no structured data, the record as message") {
    SyslogPacker packer(kHeader, std::make_shared<IdEncoder>(), false, 1000, moment);
    CHECK(message(packer) == "<133>1 2026-01-02T03:04:05.000678Z edge probe 7 flow - {\"id\":5}");
}

TEST_CASE("SyslogPacker: a record that is too long is refused") {
    SyslogPacker packer(kHeader, std::make_shared<IdEncoder>(), false, 60, moment);
    CHECK_FALSE(packer.add(FlowRecord{}));
    CHECK(packer.empty());
}

TEST_CASE("StructuredDataEncoder: escapes values, leaves out what is absent, keeps to valid UTF-8 and one line") {
    const std::array fields{
        test::field("plain", [](const FlowRecord&) { return FieldValue(std::string_view("a")); }),
        test::field("odd", [](const FlowRecord&) { return FieldValue(std::string_view("q\" b\\ c] \xff\n\xc3\xa9")); }),
        test::field("none", [](const FlowRecord&) { return FieldValue(); }),
        test::field("empty", [](const FlowRecord&) { return FieldValue(std::string_view()); }),
        test::field("number", [](const FlowRecord&) { return FieldValue(std::uint64_t{7}); }),
        test::field("list", [](const FlowRecord&) {
            static constexpr std::array<std::int32_t, 2> kValues{1, -1};
            return FieldValue(std::span<const std::int32_t>(kValues));
        })};
    const auto encoder = std::make_shared<StructuredDataEncoder>(test::select(fields), nullptr, "flow@32473");
    SyslogPacker packer(kHeader, encoder, true, 1000, moment);
    CHECK(message(packer) ==
          "<133>1 2026-01-02T03:04:05.000678Z edge probe 7 flow [flow@32473 plain=\"a\" "
          "odd=\"q\\\" b\\\\ c\\]  \xc3\xa9\" number=\"7\" list=\"[1, -1\\]\"]");
}

TEST_CASE("Syslog: facilities and severities have RFC 5424's numbers") {
    CHECK(syslog_facility("kern") == 0);
    CHECK(syslog_facility("authpriv") == 10);
    CHECK(syslog_facility("local7") == 23);
    CHECK_FALSE(syslog_facility("local8"));
    CHECK(syslog_severity("emerg") == 0);
    CHECK(syslog_severity("debug") == 7);
    CHECK(is_syslog_name("edge-1", 48));
    CHECK_FALSE(is_syslog_name("a b", 48));
    CHECK_FALSE(is_syslog_name("", 48));
    CHECK_FALSE(is_syslog_name("abc", 2));
}

}  // namespace
}  // namespace nfstreamd::exporters
