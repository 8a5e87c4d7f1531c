// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/stable_template_ids.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>

using namespace nfstreamd;
using exporters::ipfix::RecordLayout;
using exporters::ipfix::StableTemplateIds;

namespace {

RecordLayout layout(std::initializer_list<const char*> columns, int ip_version = 4) {
    FieldSelection fields;
    for (const char* column : columns) fields.push_back(find_field(column));
    return RecordLayout(fields, ip_version, true, {}, 0);
}

}  // namespace

TEST_CASE("StableTemplateIds: the same fields have the same id in every run, any change another one") {
    const RecordLayout one = layout({"src_ip", "dst_ip", "src_port"});
    const std::uint16_t id = StableTemplateIds(1).of(one);
    CHECK(id >= 256);
    CHECK(StableTemplateIds(1).of(one) == id);
    CHECK(StableTemplateIds(2).of(one) != id);
    CHECK(StableTemplateIds(1).of(layout({"src_ip", "dst_ip", "dst_port"})) != id);
    CHECK(StableTemplateIds(1).of(layout({"dst_ip", "src_ip", "src_port"})) != id);
    CHECK(StableTemplateIds(1).of(layout({"src_ip", "dst_ip"})) != id);
    CHECK(StableTemplateIds(1).of(layout({"src_ip", "dst_ip", "src_port"}, 6)) != id);
}

TEST_CASE("StableTemplateIds: no id is given twice, not even to templates of the same fields") {
    StableTemplateIds ids(1);
    const RecordLayout one = layout({"src_ip"});
    std::set<std::uint16_t> seen;
    for (int i = 0; i < 1000; ++i) CHECK(seen.insert(ids.of(one)).second);
    const std::array<std::uint8_t, 4> specifiers{0, 95, 0, 8};
    for (int i = 0; i < 100; ++i) CHECK(seen.insert(ids.of_options(specifiers)).second);
    for (const std::uint16_t id : seen) CHECK(id >= 256);
}
