// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/ipfix/record_layout.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/exporters/ipfix/sample.hpp"

using namespace nfstreamd;
using exporters::ipfix::kVariableLength;
using exporters::ipfix::RecordLayout;

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
