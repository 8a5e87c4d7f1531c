// SPDX-License-Identifier: Apache-2.0
// Addresses as tests write them.
#pragma once
#include <arpa/inet.h>

#include <stdexcept>
#include <string>

#include "core/base/ip_address.hpp"

namespace nfstreamd::test {

inline IpAddress address(const std::string& text) {
    IpAddress out;
    out.version = text.find(':') == std::string::npos ? 4 : 6;
    if (::inet_pton(out.version == 4 ? AF_INET : AF_INET6, text.c_str(), out.bytes.data()) != 1)
        throw std::invalid_argument(text);
    return out;
}

}  // namespace nfstreamd::test
