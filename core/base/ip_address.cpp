// SPDX-License-Identifier: Apache-2.0
#include "core/base/ip_address.hpp"

#include <arpa/inet.h>

namespace nfstreamd {

void append_text(std::string& out, const IpAddress& address) {
    if (address.version == 0) return;
    char text[INET6_ADDRSTRLEN];
    inet_ntop(address.version == 4 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text);
    out += text;
}

void append_text(std::string& out, const MacAddress& address) {
    static constexpr char kHex[] = "0123456789abcdef";
    for (std::size_t i = 0; i < address.size(); ++i) {
        if (i != 0) out += ':';
        out += kHex[address[i] >> 4];
        out += kHex[address[i] & 15];
    }
}

std::string to_string(const IpAddress& address) {
    std::string out;
    append_text(out, address);
    return out;
}

std::string to_string(const MacAddress& address) {
    std::string out;
    append_text(out, address);
    return out;
}

}  // namespace nfstreamd
