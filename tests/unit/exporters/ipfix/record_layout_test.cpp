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

TEST_CASE("RecordLayout: reverse elements stand before forward ones, strings behind them, lists last") {
    const FieldGroups groups = test::all_groups();
    const RecordLayout layout(ipfix_fields(groups, 0), 4, true, groups, 0);
    bool strings = false, lists = false;
    for (const auto& plan : layout.fields()) {
        CHECK_FALSE((strings && plan.length != kVariableLength));
        CHECK_FALSE((lists && !plan.is_list()));
        strings = strings || plan.length == kVariableLength;
        lists = lists || plan.is_list();
    }
    CHECK(lists);
    std::size_t last_reverse = 0, first_forward = SIZE_MAX;
    for (std::size_t i = 0; i < layout.fields().size(); ++i) {
        if (layout.fields()[i].ie.pen == kReversePen) last_reverse = i;
        if (layout.fields()[i].ie == IeId{0, 152} || layout.fields()[i].ie == IeId{0, 1})
            first_forward = std::min(first_forward, i);
    }
    CHECK(last_reverse < first_forward);
    CHECK(layout.fields().back().length == kVariableLength);
}

TEST_CASE("RecordLayout: what accounting_mode counts has IANA's element where one means it, else ours") {
    struct Row {
        int mode, version;
        IeId bytes, minimum, maximum, squares, reverse_squares;
    };
    const IeId own_bytes{test::kTestPen, 2}, own_minimum{test::kTestPen, 24}, own_maximum{test::kTestPen, 25},
        own_squares{test::kTestPen, 8}, own_reverse{test::kTestPen, 8 | 0x4000};
    for (const Row& row : {Row{0, 4, {0, 352}, {0, 422}, {0, 423}, {0, 428}, {kReversePen, 428}},
                           Row{0, 6, {0, 352}, {0, 422}, {0, 423}, {0, 428}, {kReversePen, 428}},
                           Row{1, 4, {}, {0, 25}, {0, 26}, {0, 198}, {kReversePen, 198}},
                           Row{1, 6, own_bytes, own_minimum, own_maximum, own_squares, own_reverse},
                           Row{2, 4, own_bytes, own_minimum, own_maximum, own_squares, own_reverse},
                           Row{3, 6, {0, 401}, own_minimum, own_maximum, own_squares, own_reverse}}) {
        CAPTURE(row.mode);
        CAPTURE(row.version);
        const FieldGroups groups = test::all_groups(row.mode);
        const auto element = [&](const char* column) {
            return ipfix_element(*find_field(column), row.version, groups, test::kTestPen);
        };
        CHECK(element("src2dst_bytes") == row.bytes);
        CHECK(element("src2dst_min_ps") == row.minimum);
        CHECK(element("src2dst_max_ps") == row.maximum);
        CHECK(element("src2dst_ps_squares") == row.squares);
        CHECK(element("dst2src_ps_squares") == row.reverse_squares);
        const RecordLayout layout({find_field("src2dst_min_ps"), find_field("src2dst_ps_squares")}, row.version, false,
                                  groups, test::kTestPen);
        CHECK(layout.fields()[0].length == 4);  // sizes of packets have 16 bits
        CHECK(layout.fields()[1].length == 8);
    }
}

TEST_CASE("RecordLayout: lists are basicLists of an element of ipfixprobe's, sizes only when they are of payloads") {
    for (const int mode : {0, 1, 2, 3}) {
        const FieldGroups groups = test::all_groups(mode);
        const FieldSelection fields{find_field("splt_direction"), find_field("splt_ps"), find_field("splt_piat_ms")};
        const RecordLayout layout(fields, 4, true, groups, test::kTestPen);
        REQUIRE(layout.fields().size() == 3);
        for (const auto& plan : layout.fields()) {
            CHECK(plan.ie == IeId{0, 291});
            CHECK(plan.length == kVariableLength);
        }
        CHECK(layout.fields()[0].entry_ie == IeId{8057, 1016});
        CHECK(layout.fields()[1].entry_ie == (mode == 3 ? IeId{8057, 1013} : IeId{test::kTestPen, 17}));
        CHECK(layout.fields()[2].entry_ie == IeId{8057, 1014});
        CHECK(layout.minimum_wire_length() == 3 * 10);  // prefix, semantic, element, length, number
        CHECK(layout.template_wire_length() == 4 + 3 * 4);
        CHECK(RecordLayout(fields, 4, true, groups, 0).fields().size() == (mode == 3 ? 3 : 2));
    }
}

TEST_CASE("left_out: what needs a number of one's own, what a reader computes") {
    const FieldGroups groups = test::all_groups();
    const FieldSelection fields{find_field("src_ip"),        find_field("src_oui"),
                                find_field("splt_ps"),       find_field("splt_direction"),
                                find_field("src2dst_bytes"), find_field("bidirectional_mean_ps"),
                                find_field("expiration_id"), find_field("src2dst_flow_label")};
    auto out = exporters::ipfix::left_out(fields, groups, 0);
    CHECK(out.need_number == FieldSelection{find_field("splt_ps"), find_field("expiration_id")});
    CHECK(out.derived == FieldSelection{find_field("src_oui"), find_field("bidirectional_mean_ps")});
    CHECK(out.no_element.empty());
    out = exporters::ipfix::left_out(fields, groups, test::kTestPen);
    CHECK(out.need_number.empty());
    CHECK(out.derived.size() == 2);
}
#endif
