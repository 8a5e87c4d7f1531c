// SPDX-License-Identifier: Apache-2.0
#include "daemon/inquiries.hpp"

#include <doctest/doctest.h>

#include <string>

namespace nfstreamd::daemon {
namespace {

FlowRequest parsed(const std::string& words) {
    auto request = parse_flow_request(words, {});
    REQUIRE_MESSAGE(request.has_value(), (request ? "" : request.error().message));
    return std::move(request.value());
}

std::string refused(const std::string& words) {
    const auto request = parse_flow_request(words, {});
    REQUIRE_FALSE(request.has_value());
    return request.error().message;
}

TEST_CASE("flow request: words in any order, the filter to the end of the line") {
    const auto none = parsed("");
    CHECK(none.limit == 20);
    CHECK(none.order == FlowOrder::kOctets);
    CHECK(none.filter == nullptr);
    const auto all = parsed("sort=newest limit=7 filter=dst_port == 443 and protocol != 17");
    CHECK(all.limit == 7);
    CHECK(all.order == FlowOrder::kNewest);
    REQUIRE(all.filter != nullptr);
    FlowRecord record;
    record.protocol = 6;
    record.destination_port = 443;
    CHECK(all.filter->matches(record));
    record.protocol = 17;
    CHECK_FALSE(all.filter->matches(record));
    CHECK(parsed("limit=4096").limit == FlowRequest::kMostFlows);
}

TEST_CASE("flow request: what is wrong is said, whatever the octets") {
    CHECK(refused("limit=0").find("from 1 to 4096") != std::string::npos);
    CHECK(refused("limit=4097").find("from 1 to 4096") != std::string::npos);
    CHECK(refused("limit=99999999999999999999").find("limit") != std::string::npos);
    CHECK(refused("limit=5x").find("limit") != std::string::npos);
    CHECK(refused("sort=colour").find("'colour' is none of octets, packets") != std::string::npos);
    CHECK(refused("filter=dst_port ===").find("filter: ") == 0);
    CHECK(refused("filter=no_such_field == 1").find("no_such_field") != std::string::npos);
    CHECK(refused("nonsense").find("has no value") != std::string::npos);
    CHECK(refused("what=ever").find("none of sort, limit, filter") != std::string::npos);
    CHECK(refused(std::string("\x01\x1b[2J=\xff", 7)).find("none of") != std::string::npos);
}

}  // namespace
}  // namespace nfstreamd::daemon
