// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/ipfix/enterprise_elements.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/unit/exporters/ipfix/random_record.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using exporters::ipfix::enterprise_elements;
using exporters::ipfix::EnterpriseElement;
using exporters::ipfix::RecordLayout;

namespace {

const EnterpriseElement* find(const std::vector<EnterpriseElement>& elements, std::uint32_t pen, std::uint16_t id) {
    const auto at =
        std::find_if(elements.begin(), elements.end(), [&](const auto& e) { return e.pen == pen && e.id == id; });
    return at == elements.end() ? nullptr : &*at;
}

}  // namespace

TEST_CASE("enterprise_elements: everything in the templates that is not IANA's, each once, lists' entries too") {
    const IpfixOptions all = every_field(65535);
    const auto elements = enterprise_elements(all.fields, all.groups, kTestPen);
    std::set<std::pair<std::uint32_t, std::uint16_t>> wanted, got;
    for (const int version : {4, 6}) {
        const RecordLayout layout(all.fields, version, true, all.groups, kTestPen);
        for (const auto& plan : layout.fields()) {
            const IeId ie = plan.is_list() ? plan.entry_ie : plan.ie;
            if (ie.pen != 0 && ie.pen != kReversePen) wanted.emplace(ie.pen, ie.id);
        }
    }
    std::set<std::string_view> names;
    for (const EnterpriseElement& e : elements) {
        CHECK(got.emplace(e.pen, e.id).second);
        CHECK_MESSAGE(names.insert(e.name).second, std::string(e.name));
        CHECK(e.id < 0x8000);
        CHECK_FALSE(e.description.empty());
    }
    CHECK(got == wanted);
    CHECK(got.size() > 60);
}

TEST_CASE("enterprise_elements: types, semantics and units have IANA's numbers") {
    const IpfixOptions all = every_field(65535);
    const auto elements = enterprise_elements(all.fields, all.groups, kTestPen);
    struct Row {
        std::uint32_t pen;
        std::uint16_t id;
        int type, semantics, units;
    };
    for (const Row& row :
         {Row{35632, 531, 3, 1, 6},                                         // unsigned32 quantity in milliseconds
          Row{35632, 188, 13, 0, 0},                                        // string
          Row{kTestPen, 9, 10, 1, 6},                                       // float64
          Row{kTestPen, 9 | 0x4000, 10, 1, 6}, Row{kTestPen, 15, 4, 2, 3},  // unsigned64 totalCounter of packets
          Row{kTestPen, 17, 2, 1, 2},                                       // unsigned16 quantity in octets, in a list
          Row{kTestPen, 20, 19, 0, 0},                                      // ipv6Address
          Row{kTestPen, 1, 7, 0, 0},                                        // signed32
          Row{kTestPen, 60, 3, 1, 7},                                       // microseconds
          Row{35632, 509, 4, 5, 0},                                         // flags
          Row{8057, 1016, 5, 0, 0},                                         // signed8
          Row{8057, 1014, 15, 0, 6}}) {                                     // dateTimeMilliseconds
        CAPTURE(row.pen);
        CAPTURE(row.id);
        const EnterpriseElement* e = find(elements, row.pen, row.id);
        REQUIRE(e != nullptr);
        CHECK(e->data_type == row.type);
        CHECK(e->semantics == row.semantics);
        CHECK(e->units == row.units);
        CHECK(e->range_begin == 0);
        CHECK(e->range_end == 0);
    }
}

TEST_CASE("enterprise_elements: they go by the selection, by the number and by accounting_mode") {
    FieldGroups groups = all_groups();
    const FieldSelection few{find_field("src_ip"), find_field("dst2src_min_piat_ms"), find_field("expiration_id")};
    auto elements = enterprise_elements(few, groups, kTestPen);
    REQUIRE(elements.size() == 2);
    CHECK(elements[0].name == "dstToSrcIatMin");
    CHECK(elements[1].name == "nfstreamExpirationId");
    CHECK(elements[1].pen == kTestPen);
    CHECK(enterprise_elements(few, groups, 0).size() == 1);
    CHECK(enterprise_elements(few, groups, kTestPen, false).size() == 1);  // no reverse direction

    const FieldSelection sizes{find_field("src2dst_min_ps"), find_field("splt_ps")};
    elements = enterprise_elements(sizes, groups, kTestPen);
    REQUIRE(elements.size() == 1);
    CHECK(elements[0].id == 17);
    groups.accounting_mode = 1;  // IANA's for IPv4, ours for IPv6
    elements = enterprise_elements(sizes, groups, kTestPen);
    REQUIRE(elements.size() == 2);
    CHECK(find(elements, kTestPen, 24) != nullptr);
    groups.accounting_mode = 3;
    elements = enterprise_elements(sizes, groups, kTestPen);
    REQUIRE(elements.size() == 2);
    CHECK(find(elements, 8057, 1013)->name == "ppiPktLengths");
}
#endif
