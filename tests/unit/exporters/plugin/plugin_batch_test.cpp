// SPDX-License-Identifier: Apache-2.0
#include "exporters/plugin/plugin_batch.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstring>

#include "tests/unit/exporters/anonymize/identifying_record.hpp"

using namespace nfstreamd;
using namespace nfstreamd::exporters;

namespace {

constexpr std::chrono::milliseconds kPatience{1500};

FieldSelection select(std::initializer_list<const char*> columns) {
    FieldSelection fields;
    for (const char* column : columns) {
        fields.push_back(find_field(column));
        REQUIRE(fields.back() != nullptr);
    }
    return fields;
}

std::string text(const nfstreamd_value& value) {
    REQUIRE(value.type == NFSTREAMD_TEXT);
    return {value.as.text, value.length};
}

}  // namespace

TEST_CASE("PluginBatch: values have the type of their field, or are absent, for the whole field table") {
    RecordBatch batch;
    FlowRecord bare;
    FlowRecord full = test::add_identifying(batch, 1);
    const StatisticsRecord statistics{};
    const std::array<std::int32_t, 2> numbers{1, -1};
    const SequenceRecord sequence{numbers, numbers, numbers};
    TcpQualityRecord quality;
    quality.client_handshake_us = quality.server_handshake_us = quality.first_response_us = 3;
    full.statistics = &statistics;
    full.sequence = &sequence;
    full.tcp_quality = &quality;
    for (const InformationElement& field : builtin_elements()) {
        CAPTURE(field.column);
        const auto of_full = plugin_value(field, full), of_bare = plugin_value(field, bare);
        CHECK((of_full.type == plugin_type_of(field) || of_full.type == NFSTREAMD_ABSENT));
        CHECK((of_bare.type == plugin_type_of(field) || of_bare.type == NFSTREAMD_ABSENT));
        if (std::holds_alternative<std::monostate>(field.value(full)))
            CHECK(of_full.type == NFSTREAMD_ABSENT);
        else
            CHECK(of_full.type != NFSTREAMD_ABSENT);
    }
}

TEST_CASE("PluginBatch: values are those of the record, some fields or all") {
    RecordBatch batch;
    test::add_identifying(batch, 7);
    FlowRecord& second = test::add_identifying(batch, 8);
    second.destination_address = test::ip("2001:db8::9");
    second.process = nullptr;
    const FieldSelection fields =
        select({"id", "src_ip", "dst_ip", "src_mac", "src_oui", "dst_oui", "user_agent", "system_process_pid"});
    const PluginBatch outside(batch, fields, kPatience);
    const nfstreamd_batch* c = outside.batch();
    CHECK(c->records == 2);
    CHECK(c->patience_ms == 1500);
    nfstreamd_value values[8];
    c->read(c, 1, 0, 8, values);
    CHECK(values[0].as.u == 8);
    CHECK(values[1].length == 4);
    CHECK(std::memcmp(values[1].as.octets, "\xc0\x00\x02\x82", 4) == 0);
    CHECK(values[2].length == 16);
    CHECK(values[2].as.octets[15] == 9);
    CHECK(values[3].length == 6);
    CHECK(values[3].as.octets[5] == 0x1b);
    CHECK(text(values[4]) == "30:52:cb");
    CHECK(text(values[5]) == "00:1a:8c");
    CHECK(text(values[6]) == "Browser/1.0");
    CHECK(values[7].type == NFSTREAMD_SIGNED);
    CHECK(values[7].as.i == -1);
    c->read(c, 0, 7, 1, values);
    CHECK(values[0].as.i == 4711);
}

TEST_CASE("PluginBatch: what does not exist is absent") {
    RecordBatch batch;
    test::add_identifying(batch, 7);
    const FieldSelection fields = select({"id", "src_ip"});
    const PluginBatch outside(batch, fields, kPatience);
    const nfstreamd_batch* c = outside.batch();
    nfstreamd_value values[4];
    std::memset(values, 0xff, sizeof values);
    c->read(c, 0, 1, 4, values);
    CHECK(values[0].type == NFSTREAMD_ADDRESS);
    for (int i = 1; i < 4; ++i) CHECK(values[i].type == NFSTREAMD_ABSENT);
    for (const auto& [record, first] :
         {std::pair<std::size_t, std::size_t>{1, 0}, {SIZE_MAX, 0}, {0, 2}, {0, SIZE_MAX}}) {
        std::memset(values, 0xff, sizeof values);
        c->read(c, record, first, 4, values);
        for (const auto& value : values) CHECK(value.type == NFSTREAMD_ABSENT);
    }
}
