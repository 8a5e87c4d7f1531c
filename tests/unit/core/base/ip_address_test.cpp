// SPDX-License-Identifier: Apache-2.0
#include "core/base/ip_address.hpp"

#include <doctest/doctest.h>

using namespace nfstreamd;

TEST_CASE("IpAddress: text is inet_ntop's, and empty when absent") {
    CHECK(to_string(IpAddress{}) == "");
    CHECK(to_string(IpAddress{{192, 0, 2, 255}, 4}) == "192.0.2.255");
    CHECK(to_string(IpAddress{{}, 4}) == "0.0.0.0");
    CHECK(to_string(IpAddress{{}, 6}) == "::");
    CHECK(to_string(IpAddress{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 6}) == "2001:db8::1");
    CHECK(to_string(IpAddress{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, 6}) == "2001:db8:0:1:1:1:1:1");
    CHECK(to_string(IpAddress{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}, 6}) == "::ffff:10.0.0.1");
}

TEST_CASE("MacAddress: text is lower case with colons") {
    CHECK(to_string(MacAddress{0x30, 0x52, 0xcb, 0x6c, 0x9c, 0x1b}) == "30:52:cb:6c:9c:1b");
    std::string out = "mac=";
    append_text(out, MacAddress{});
    CHECK(out == "mac=00:00:00:00:00:00");
}
