// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/ipfix/record_layout.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/exporters/ipfix/sample.hpp"

using namespace nfstreamd;
using exporters::ipfix::FieldPlan;
using exporters::ipfix::kVariableLength;
using exporters::ipfix::RecordLayout;

TEST_CASE("RecordLayout: every field is aligned and nothing lies between them") {
    const FieldGroups groups = test::all_groups();
    for (const int version : {4, 6}) {
        const RecordLayout layout(ipfix_fields(groups, test::kTestPen), version, true, groups, test::kTestPen);
        std::size_t end = 0;
        for (const FieldPlan* plan : layout.by_offset()) {
            CHECK(plan->offset == end);
            const std::size_t size = plan->length == kVariableLength ? 16 : plan->length;
            const bool is_number = plan->length == 2 || plan->length == 4 || plan->length == 8;
            if (is_number) CHECK(plan->offset % plan->length == 0);
            if (plan->length == kVariableLength) CHECK(plan->offset % 8 == 0);
            end += size;
        }
        CHECK(end == layout.record_size());
    }
}

TEST_CASE("RecordLayout: a uniflow has no reverse element, IPv4 no flow label, IPv6 its own addresses") {
    const FieldGroups groups = test::all_groups();
    const auto fields = ipfix_fields(groups, test::kTestPen);
    const RecordLayout v4(fields, 4, false, groups, test::kTestPen), v6(fields, 6, false, groups, test::kTestPen);
    const auto has = [](const RecordLayout& layout, IeId ie) {
        return std::any_of(layout.fields().begin(), layout.fields().end(), [&](const auto& f) { return f.ie == ie; });
    };
    for (const auto& plan : v4.fields()) CHECK(plan.ie.pen != kReversePen);
    CHECK(has(v4, {0, 8}));
    CHECK_FALSE(has(v4, {0, 31}));
    CHECK(has(v6, {0, 27}));
    CHECK(has(v6, {0, 31}));
    CHECK_FALSE(has(v6, {0, 8}));
}

TEST_CASE("RecordLayout: outer addresses have 16 octets whatever the flow's version, IPv4 is mapped into IPv6") {
    const FieldGroups groups = test::all_groups();
    const FieldSelection fields{find_field("outer_src_ip"), find_field("outer_dst_ip")};
    TunnelRecord tunnel;
    tunnel.source_address = {{192, 0, 2, 1}, 4};
    tunnel.destination_address = {{0x20, 1, 0xd, 0xb8}, 6};
    FlowRecord record = test::sample(1);
    for (const int version : {4, 6}) {
        RecordLayout layout(fields, version, true, groups, test::kTestPen);
        REQUIRE(layout.record_size() == 32);
        std::vector<std::uint8_t> packed(32, 0x55);
        record.tunnel = &tunnel;
        layout.fill(record, packed.data(), 100);
        CHECK(packed == std::vector<std::uint8_t>{0,    0, 0,   0,    0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1,  //
                                                  0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0,    0,    0,   0, 0, 0});
        record.tunnel = nullptr;
        layout.fill(record, packed.data(), 100);
        CHECK(packed == std::vector<std::uint8_t>(32, 0));
    }
}

TEST_CASE("RecordLayout: reverse elements stand before forward ones, strings last") {
    const FieldGroups groups = test::all_groups();
    const RecordLayout layout(ipfix_fields(groups, 0), 4, true, groups, 0);
    std::size_t last_reverse = 0, first_forward = SIZE_MAX;
    for (std::size_t i = 0; i < layout.fields().size(); ++i) {
        if (layout.fields()[i].ie.pen == kReversePen) last_reverse = i;
        if (layout.fields()[i].ie == IeId{0, 152} || layout.fields()[i].ie == IeId{0, 1})
            first_forward = std::min(first_forward, i);
    }
    CHECK(last_reverse < first_forward);
    CHECK(layout.fields().back().length == kVariableLength);
}
#endif
