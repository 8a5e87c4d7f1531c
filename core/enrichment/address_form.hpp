// SPDX-License-Identifier: Apache-2.0
// The form in which an address is looked up. Any thread.
#pragma once
#include <algorithm>
#include <cstdint>

#include "core/base/ip_address.hpp"

namespace nfstreamd {

// IPv4 for an IPv4-mapped IPv6 address (::ffff:a.b.c.d, RFC 4291, 2.5.5.2), others as they are.
inline IpAddress unmapped(const IpAddress& address) noexcept {
    constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (address.version != 6 || !std::equal(std::begin(kMapped), std::end(kMapped), address.bytes.begin()))
        return address;
    IpAddress plain{.version = 4};
    std::copy_n(address.bytes.begin() + sizeof kMapped, 4, plain.bytes.begin());
    return plain;
}

}  // namespace nfstreamd
