// SPDX-License-Identifier: Apache-2.0
// An IPv4 or IPv6 address, in network byte order. IPv4 is kept in the first
// four bytes, the rest is zero.
#pragma once
#include <array>
#include <cstdint>
#include <string>

namespace nfstreamd {

struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};
    std::uint8_t version = 0;  // 4, 6, or 0 when absent

    friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

using MacAddress = std::array<std::uint8_t, 6>;

std::string to_string(const IpAddress& address);   // inet_ntop's form
std::string to_string(const MacAddress& address);  // "30:52:cb:6c:9c:1b"
void append_text(std::string& out, const IpAddress& address);
void append_text(std::string& out, const MacAddress& address);

}  // namespace nfstreamd
