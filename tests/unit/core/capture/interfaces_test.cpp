// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>

#include "core/capture/packet_source.hpp"

namespace nfstreamd {
namespace {

TEST_CASE("list_interfaces: has the loopback with its address, and network interfaces only") {
    const auto interfaces = list_interfaces();
    REQUIRE(interfaces);
    const auto& all = interfaces.value();
    const auto loopback = std::ranges::find(all, "lo", &InterfaceDescription::name);
    REQUIRE(loopback != all.end());
    CHECK(loopback->loopback);
    if (loopback->up) CHECK(std::ranges::count(loopback->addresses, "127.0.0.1") == 1);
    for (const auto& interface : all) {
        CAPTURE(interface.name);
        for (const char* other : {"nflog", "nfqueue", "usbmon", "dbus-", "bluetooth"}) {
            CHECK(!interface.name.starts_with(other));
        }
    }
}

TEST_CASE("check_bpf_filter: accepts what some capture accepts, and says what is wrong with the rest") {
    for (const char* good : {"", "tcp port 80", "ip6 and not icmp6", "vlan 7", "ifindex 2", "inbound"}) {
        CAPTURE(good);
        CHECK(check_bpf_filter(good).has_value());
    }
    const auto bad = check_bpf_filter("tcp port 80 or or");
    REQUIRE(!bad);
    CHECK(bad.error().code == ErrorCode::kInvalidArgument);
    CHECK(bad.error().message.find("syntax error") != std::string::npos);
}

TEST_CASE("libpcap_version: names library and version") {
    CHECK(libpcap_version().find("libpcap version 1.") == 0);
}

}  // namespace
}  // namespace nfstreamd
