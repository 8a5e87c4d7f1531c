// SPDX-License-Identifier: Apache-2.0
#include "core/record/end_reason.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace nfstreamd;

TEST_CASE("EndReason: every reason has its row and a name of its own") {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < kEndReasons; ++i) {
        CHECK(static_cast<std::size_t>(end_reasons()[i].reason) == i);
        CHECK(&row(static_cast<EndReason>(i)) == &end_reasons()[i]);
        names.insert(end_reasons()[i].name);
    }
    CHECK(names.size() == kEndReasons);
}

TEST_CASE("EndReason: numbers of IE 136 and of nfstream's versions") {
    const auto is = [](EndReason reason, int element, int nfstream6, int nfstream0) {
        const auto& r = row(reason);
        return r.flow_end_reason == element && r.nfstream6 == nfstream6 && r.nfstream0 == nfstream0;
    };
    CHECK(is(EndReason::kIdle, 1, 0, 0));
    CHECK(is(EndReason::kActive, 2, 1, 1));
    CHECK(is(EndReason::kNatural, 3, 0, 0));
    CHECK(is(EndReason::kForced, 4, 0, 2));
    CHECK(is(EndReason::kPlugin, 4, -1, 2));
    CHECK(is(EndReason::kLackOfResources, 5, 0, 0));
    CHECK(is(EndReason::kEndOfInput, 4, 0, 2));
    CHECK(is(EndReason::kInterfaceGone, 4, 0, 2));
    CHECK(is(EndReason::kResourceConstraint, 5, 0, 0));
    CHECK(is(EndReason::kClockStep, 4, 0, 2));
    CHECK(row(EndReason::kPlugin).nfstream3 < 0);
}
