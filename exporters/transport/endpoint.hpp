// SPDX-License-Identifier: Apache-2.0
// "udp://collector.example:4739" as an operator writes it. Free functions, any
// thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>  // before asio: Boost 1.74 forgets it
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "core/base/result.hpp"

namespace nfstreamd::exporters {

enum class EndpointProtocol { kUdp, kTcp, kTls, kDtls, kSctp };

inline constexpr EndpointProtocol kEveryProtocol[] = {EndpointProtocol::kUdp, EndpointProtocol::kTcp,
                                                      EndpointProtocol::kTls, EndpointProtocol::kDtls,
                                                      EndpointProtocol::kSctp};

std::string_view name_of(EndpointProtocol protocol) noexcept;  // "udp"
constexpr bool is_secure(EndpointProtocol protocol) noexcept {
    return protocol == EndpointProtocol::kTls || protocol == EndpointProtocol::kDtls;
}

struct Endpoint {
    EndpointProtocol protocol = EndpointProtocol::kUdp;
    std::string host;  // name or address, without brackets
    std::uint16_t port = 0;

    std::string text() const;  // "udp://[::1]:4739"
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// Of an endpoint that has none; `secure` for TLS and DTLS.
struct DefaultPorts {
    std::uint16_t plain, secure;
};
inline constexpr DefaultPorts kIpfixPorts{4739, 4740};  // RFC 7011, 10.3.4, 10.4.4

// PROTOCOL://HOST[:PORT]; an IPv6 address stands in brackets.
Result<Endpoint> parse_endpoint(std::string_view text, DefaultPorts ports,
                                std::span<const EndpointProtocol> protocols = kEveryProtocol);

using Addresses = std::vector<boost::asio::ip::address>;

// Returns after `timeout` at the latest, whatever the system's resolver does.
Result<Addresses> resolve_host(const std::string& host, std::chrono::milliseconds timeout);

}  // namespace nfstreamd::exporters
