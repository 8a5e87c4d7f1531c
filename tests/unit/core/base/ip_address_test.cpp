// SPDX-License-Identifier: Apache-2.0
#include "core/base/ip_address.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <iterator>
#include <random>

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

namespace {

std::string by_inet_ntop(const IpAddress& address) {
    char text[INET6_ADDRSTRLEN];
    return ::inet_ntop(address.version == 4 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text);
}

}  // namespace

TEST_CASE("IpAddress: the text of any IPv4 address is inet_ntop's") {
    std::mt19937 random(1);
    for (unsigned i = 0; i < 50'000; ++i) {
        const std::uint32_t bits = i < 256 ? i * 0x01010101 : static_cast<std::uint32_t>(random());
        IpAddress address{{}, 4};
        for (unsigned octet = 0; octet < 4; ++octet)
            address.bytes[octet] = static_cast<std::uint8_t>(bits >> (8 * octet));
        if (to_string(address) != by_inet_ntop(address)) CHECK(to_string(address) == by_inet_ntop(address));
    }
}

TEST_CASE("IpAddress: the text of any IPv6 address is inet_ntop's, wherever its zeros are") {
    std::mt19937 random(2);
    const std::uint16_t kinds[] = {0, 1, 0xf, 0x10, 0xff, 0x100, 0xfff, 0x1000, 0xffff};
    for (unsigned i = 0; i < 200'000; ++i) {
        IpAddress address{{}, 6};
        for (unsigned group = 0; group < 8; ++group) {
            // each pattern of zero groups comes up, and each length of a group
            const bool zero = (i >> group & 1) != 0;
            const std::uint16_t value = zero           ? 0
                                        : random() % 2 ? kinds[random() % std::size(kinds)]
                                                       : static_cast<std::uint16_t>(random());
            address.bytes[2 * group] = static_cast<std::uint8_t>(value >> 8);
            address.bytes[2 * group + 1] = static_cast<std::uint8_t>(value);
        }
        if (to_string(address) != by_inet_ntop(address)) CHECK(to_string(address) == by_inet_ntop(address));
    }
}

TEST_CASE("MacAddress: text is lower case with colons") {
    CHECK(to_string(MacAddress{0x30, 0x52, 0xcb, 0x6c, 0x9c, 0x1b}) == "30:52:cb:6c:9c:1b");
    std::string out = "mac=";
    append_text(out, MacAddress{});
    CHECK(out == "mac=00:00:00:00:00:00");
}
