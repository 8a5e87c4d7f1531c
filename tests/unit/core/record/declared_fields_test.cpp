// SPDX-License-Identifier: Apache-2.0
#include "core/record/declared_fields.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/record/filter_expression.hpp"
#include "core/record/record_codec.hpp"
#include "core/record/schemas.hpp"
#include "core/record/template.hpp"
#include "exporters/encode/csv_encoder.hpp"
#include "exporters/encode/json_encoder.hpp"
#include "tests/support/random_records.hpp"

using namespace nfstreamd;

namespace {

const InformationElement* declare(std::string column, IeType type, IeId ie = {}) {
    auto made = declare_field({.column = std::move(column), .type = type, .description = "Of a test.", .ie = ie});
    REQUIRE(made);
    return made.value();
}

struct Filled {  // a record with one value of each
    const InformationElement* count = declare("udps.filled_count", IeType::kUnsigned64);
    const InformationElement* delta = declare("udps.filled_delta", IeType::kSigned64);
    const InformationElement* ratio = declare("udps.filled_ratio", IeType::kFloat64);
    const InformationElement* flag = declare("udps.filled_flag", IeType::kBoolean);
    const InformationElement* text = declare("udps.filled_text", IeType::kString);
    const InformationElement* any = declare("udps.filled_any", IeType::kAny);
    const InformationElement* list = declare("udps.filled_list", IeType::kSigned32List);
    const InformationElement* unset = declare("udps.filled_unset", IeType::kUnsigned64);
    std::vector<std::int32_t> numbers{0, -1, 70000};
    std::vector<DeclaredValue> values{
        {list->value.declared, std::span<const std::int32_t>(numbers)},
        {count->value.declared, std::uint64_t{40}},
        {delta->value.declared, std::int64_t{-7}},
        {ratio->value.declared, 0.5},
        {flag->value.declared, true},
        {text->value.declared, std::string_view("a,b")},
        {any->value.declared, std::int64_t{12}},
    };
    FieldGroups groups;
    FlowRecord record;

    Filled() {
        groups.declared = {count, delta, ratio, flag, text, any, list, unset};
        record.declared = values;
    }
};

std::vector<std::string> columns(const FieldSelection& fields) {
    std::vector<std::string> out;
    for (const auto* field : fields) out.emplace_back(field->column);
    return out;
}

}  // namespace

TEST_CASE("declared fields: what is declared again is the row that there is, another type is another column") {
    const auto* one = declare("udps.same", IeType::kUnsigned64);
    CHECK(declare("udps.same", IeType::kUnsigned64) == one);
    CHECK(declare("udps.same", IeType::kString)->value.declared != one->value.declared);
    CHECK(find_declared_column("udps.same", IeType::kUnsigned64) == one->value.declared);
    CHECK(find_declared_column("udps.same", IeType::kFloat64) == nullptr);
    CHECK(one->column == "udps.same");
    CHECK(one->name == "nfstreamUdpsSame");
    CHECK(one->group == IeGroup::kDeclared);
}

TEST_CASE("declared fields: an element is as declared, or one of ours by the column's name") {
    CHECK(declare("udps.with_element", IeType::kUnsigned64, {12345, 7})->ie == IeId{12345, 7});
    const IeId own = declare("udps.own_element", IeType::kUnsigned64)->ie;
    CHECK(own.pen == kOurPen);
    CHECK(own.id >= kFirstDeclaredElement);
    CHECK(own.id <= kLastDeclaredElement);
    CHECK(declare("udps.own_element", IeType::kFloat64)->ie == own);
    std::vector<std::uint16_t> ids;
    for (int i = 0; i < 300; ++i) ids.push_back(declare("udps.n" + std::to_string(i), IeType::kUnsigned64)->ie.id);
    std::sort(ids.begin(), ids.end());
    CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
}

TEST_CASE("declared fields: errors say what is wrong") {
    const auto error_of = [](const FieldDeclaration& declaration) {
        const auto made = declare_field(declaration);
        return made ? std::string() : made.error().message;
    };
    CHECK(error_of({.column = "a b"}).find("letters, digits") != std::string::npos);
    CHECK(error_of({.column = ""}).find("letters, digits") != std::string::npos);
    CHECK(error_of({.column = std::string(200, 'x')}).find("128 octets") != std::string::npos);
    CHECK(error_of({.column = "src_ip"}) == "field \"src_ip\": is a field of nfstreamd already");
    CHECK(error_of({.column = "udps.x", .type = IeType::kGapList}).find("cannot be declared") != std::string::npos);
    CHECK(error_of({.column = "udps.x", .element = "octetDeltaCount"}).find("one of nfstreamd") != std::string::npos);
    CHECK(error_of({.column = "udps.x", .ie = {0, 7}}).find("that of \"src_port\"") != std::string::npos);
    CHECK(error_of({.column = "udps.x", .ie = {1, 40000}}).find("1 to 32767") != std::string::npos);
    CHECK(error_of({.column = "udps.x", .ie = {kReversePen, 5}}).find("RFC 5103") != std::string::npos);
}

TEST_CASE("declared fields: CSV and JSON have them where nfstream does, what has no value is empty") {
    const Filled f;
    const auto selected = select_fields({"src_port", "plugins"}, {}, f.groups);
    REQUIRE(selected);
    std::string csv, json;
    const exporters::CsvEncoder csv_encoder(selected.value(), nullptr);
    csv_encoder.preamble(csv);
    csv_encoder.encode(f.record, csv);
    CHECK(csv ==
          "src_port,udps.filled_count,udps.filled_delta,udps.filled_ratio,udps.filled_flag,udps.filled_text,"
          "udps.filled_any,udps.filled_list,udps.filled_unset\n"
          "0,40,-7,0.5,True,\"a,b\",12,\"[0, -1, 70000]\",\n");
    exporters::JsonEncoder(selected.value(), nullptr).encode(f.record, json);
    CHECK(json ==
          "{\"src_port\":0,\"udps.filled_count\":40,\"udps.filled_delta\":-7,\"udps.filled_ratio\":0.5,"
          "\"udps.filled_flag\":true,\"udps.filled_text\":\"a,b\",\"udps.filled_any\":12,"
          "\"udps.filled_list\":[0, -1, 70000],\"udps.filled_unset\":null}\n");

    FieldGroups groups = f.groups;
    groups.system = true;
    const auto all = columns(nfstream_fields(groups));
    CHECK(all.back() == "system_process_name");
    CHECK(all[all.size() - 3] == "udps.filled_unset");
    CHECK(all[all.size() - 11] == "content_type");
    const auto older = columns(schema_fields(Generation::kNfstream3, groups));
    CHECK(older.back() == "filled_unset");
    const auto renamed = schema_fields(Generation::kNfstream3, groups);
    CHECK(std::get<std::uint64_t>(renamed[renamed.size() - 8]->value(f.record)) == 40);
}

TEST_CASE("declared fields: a record of nobody's plugins has none") {
    const Filled f;
    CHECK(std::holds_alternative<std::monostate>(f.count->value(FlowRecord{})));
    CHECK_FALSE(FieldGroups().has(IeGroup::kDeclared));
    CHECK(select_fields({"plugins"}, {}, FieldGroups()).error().message ==
          "\"plugins\" needs plugins that declare fields");
    CHECK(select_fields({"udps.filled_count"}, {}, FieldGroups()).error().message.find("there is no field") == 0);
}

TEST_CASE("declared fields: filters compare them") {
    const Filled f;
    const auto holds = [&](const char* text) {
        const auto parsed = FilterExpression::parse(text, f.groups);
        REQUIRE_MESSAGE(parsed, text);
        return parsed.value().matches(f.record);
    };
    CHECK(holds("udps.filled_count >= 40 and udps.filled_delta < 0"));
    CHECK(holds("udps.filled_ratio == 0.5 and udps.filled_flag and udps.filled_text ~ A"));
    CHECK(holds("udps.filled_any == 12"));
    CHECK(holds("udps.filled_any in [3, 12, x]"));
    CHECK_FALSE(holds("udps.filled_any == twelve"));
    CHECK_FALSE(holds("udps.filled_unset == 0"));
    CHECK_FALSE(FilterExpression::parse("udps.filled_list == 1", f.groups));
    CHECK_FALSE(FilterExpression::parse("udps.filled_count > 1", FieldGroups()));
}

TEST_CASE("declared fields: reversed flows keep them, a codec brings them back") {
    const Filled f;
    const ReversedFlow reversed(f.record);
    CHECK(std::get<std::uint64_t>(f.count->value(reversed.record)) == 40);

    const FlowRecord records[] = {f.record, FlowRecord(), f.record};
    std::string octets;
    append_records(octets, records);
    RecordBatch back;
    REQUIRE(read_records(octets, 3, back));
    for (const auto* field : f.groups.declared) {
        CHECK(test::same_value(field->value(f.record), field->value(back.records[0])));
        CHECK(test::same_value(field->value(f.record), field->value(back.records[2])));
    }
    CHECK(back.records[1].declared.empty());
}

TEST_CASE("declared fields: a codec leaves out what nobody has declared in this process, and what does not suit") {
    const DeclaredColumn unknown{"udps.of_another_process", IeType::kUnsigned64};
    const auto* known = declare("udps.of_this_process", IeType::kUnsigned64);
    const DeclaredValue values[] = {{&unknown, std::uint64_t{1}},
                                    {known->value.declared, std::uint64_t{2}},
                                    {&unknown, std::uint64_t{3}},
                                    {known->value.declared, std::string_view("not a number")}};
    FlowRecord record;
    record.declared = values;
    std::string octets;
    append_records(octets, {&record, 1});
    RecordBatch back;
    REQUIRE(read_records(octets, 1, back));
    REQUIRE(back.records[0].declared.size() == 1);
    CHECK(std::get<std::uint64_t>(known->value(back.records[0])) == 2);
}

TEST_CASE("declared fields: --list-fields has them at its end") {
    const Filled f;
    const std::string text = fields_text(f.groups.declared);
    CHECK(text.find("\nudps.filled_count ") != std::string::npos);
    CHECK(text.find("\nudps.filled_count ") > text.find("\ndst_mac_vendor "));
    CHECK(fields_text().find("udps.") == std::string::npos);
}
