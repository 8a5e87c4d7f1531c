// SPDX-License-Identifier: Apache-2.0
// "udp://collector.example:4739" as an operator writes it, and the addresses a
// name stands for. Free functions, any thread.
#pragma once
#include <utility>  // before asio: Boost 1.74 forgets it

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace nfstreamd::exporters {

enum class EndpointProtocol { kUdp, kTcp };

struct Endpoint {
    EndpointProtocol protocol = EndpointProtocol::kUdp;
    std::string host;  // name or address, without brackets
    std::uint16_t port = 0;

    std::string text() const;  // "udp://[::1]:4739"
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// udp://HOST[:PORT] or tcp://HOST[:PORT]; an IPv6 address stands in brackets.
Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port);

// Returns after `timeout` at the latest, whatever the system's resolver does.
Result<std::vector<boost::asio::ip::address>> resolve_host(const std::string& host, std::chrono::milliseconds timeout);

}  // namespace nfstreamd::exporters
