// SPDX-License-Identifier: Apache-2.0
#include "daemon/facts_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace nfstreamd;
using namespace nfstreamd::daemon;

namespace {

MeterFacts meter(std::uint32_t process, IgnoredPackets ignored, std::uint32_t index = 0, std::string name = {}) {
    MeterFacts facts{process, ignored, {}};
    if (index != 0 || !name.empty()) {
        facts.interfaces.emplace_back();
        facts.interfaces.back().name = std::move(name);
        facts.interfaces.back().interface_index = index;
    }
    return facts;
}

}  // namespace

TEST_CASE("FactsWriter: the sum has the meters that are gone, and times are those at which losses were noticed") {
    FactsWriter writer(1);
    const MeterFacts quiet[] = {meter(1, {}), meter(2, {})};
    writer.update(quiet, {}, 1000);
    CHECK(writer.facts()->metering() ==
          std::vector<MeteringStatistics>{{0, 0, 0, 0, 0}, {1, 0, 0, 0, 0}, {2, 0, 0, 0, 0}});
    const MeterFacts losing[] = {meter(1, {10, 500}), meter(2, {})};
    writer.update(losing, {}, 2000);
    writer.update(losing, {}, 3000);
    CHECK(writer.facts()->metering() ==
          std::vector<MeteringStatistics>{{0, 10, 500, 2000, 2000}, {1, 10, 500, 2000, 2000}, {2, 0, 0, 0, 0}});
    const MeterFacts one[] = {meter(2, {1, 60})};
    writer.update(one, {10, 500}, 4000);
    CHECK(writer.facts()->metering() ==
          std::vector<MeteringStatistics>{{0, 11, 560, 2000, 4000}, {2, 1, 60, 4000, 4000}});
}

TEST_CASE("FactsWriter: each interface once, whoever captures on it; of any, those that there are") {
    FactsWriter writer(1);
    const MeterFacts meters[] = {meter(1, {}, 70001, "eth1"), meter(2, {}, 70001, "eth1"), meter(3, {}, 70000, "eth0"),
                                 meter(4, {}, 0, "eth9")};  // which is not there
    writer.update(meters, {}, 1000);
    CHECK(writer.facts()->interfaces() == std::vector<InterfaceInfo>{{70000, "eth0", ""}, {70001, "eth1", ""}});
    const MeterFacts any[] = {meter(1, {}, 0, "any")};
    writer.update(any, {}, 2000);
    const auto interfaces = writer.facts()->interfaces();
    CHECK(std::any_of(interfaces.begin(), interfaces.end(), [](const auto& one) { return one.name == "lo"; }));
}
