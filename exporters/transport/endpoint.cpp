// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/endpoint.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <charconv>
#include <future>
#include <memory>
#include <system_error>
#include <thread>

namespace nfstreamd::exporters {
namespace {

namespace asio = boost::asio;
using Addresses = std::vector<asio::ip::address>;

Error bad_endpoint(std::string_view text, std::string_view why) {
    return {ErrorCode::kInvalidArgument,
            fmt::format("\"{}\": {}; write udp://HOST:PORT or tcp://HOST:PORT, an IPv6 address in brackets", text, why),
            ""};
}

Result<Addresses> look_up(const std::string& host) {
    asio::io_context io;
    asio::ip::tcp::resolver resolver(io);
    boost::system::error_code error;
    Addresses addresses;
    for (const auto& entry : resolver.resolve(host, "", error)) addresses.push_back(entry.endpoint().address());
    if (error || addresses.empty())
        return Error{ErrorCode::kUnavailable, fmt::format("cannot resolve {}: {}", host, error.message()), ""};
    return addresses;
}

}  // namespace

std::string Endpoint::text() const {
    const bool v6 = host.find(':') != std::string::npos;
    return fmt::format("{}://{}{}{}:{}", protocol == EndpointProtocol::kUdp ? "udp" : "tcp", v6 ? "[" : "", host,
                       v6 ? "]" : "", port);
}

Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
    Endpoint endpoint;
    endpoint.port = default_port;
    std::string_view rest = text;
    if (rest.starts_with("udp://"))
        endpoint.protocol = EndpointProtocol::kUdp;
    else if (rest.starts_with("tcp://"))
        endpoint.protocol = EndpointProtocol::kTcp;
    else
        return bad_endpoint(text, "it begins with neither udp:// nor tcp://");
    rest.remove_prefix(6);

    std::string_view port;
    bool has_port = false;
    if (rest.starts_with('[')) {
        const auto end = rest.find(']');
        if (end == std::string_view::npos) return bad_endpoint(text, "the bracket is not closed");
        endpoint.host = rest.substr(1, end - 1);
        rest.remove_prefix(end + 1);
        if (!rest.empty() && rest.front() != ':') return bad_endpoint(text, "something other than :PORT follows ]");
        has_port = !rest.empty();
        if (has_port) port = rest.substr(1);
    } else {
        const auto colon = rest.find(':');
        if (colon != rest.rfind(':')) return bad_endpoint(text, "it has more than one colon");
        endpoint.host = rest.substr(0, colon);
        has_port = colon != std::string_view::npos;
        if (has_port) port = rest.substr(colon + 1);
    }
    if (endpoint.host.empty()) return bad_endpoint(text, "the host is missing");
    if (endpoint.host.find('/') != std::string::npos) return bad_endpoint(text, "a path has no meaning here");
    if (has_port) {
        const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
        if (code != std::errc{} || end != port.data() + port.size() || endpoint.port == 0)
            return bad_endpoint(text, "the port is not a number from 1 to 65535");
    }
    return endpoint;
}

// getaddrinfo cannot be called off. A thread of its own may outlive this call, so
// that neither an export nor a shutdown hangs on a name server; it owns all it
// touches.
Result<Addresses> resolve_host(const std::string& host, std::chrono::milliseconds timeout) {
    boost::system::error_code error;
    const auto literal = asio::ip::make_address(host, error);
    if (!error) return Addresses{literal};

    auto promise = std::make_shared<std::promise<Result<Addresses>>>();
    auto future = promise->get_future();
    try {
        std::thread([promise, host] { promise->set_value(look_up(host)); }).detach();
    } catch (const std::system_error& e) {
        return Error{ErrorCode::kUnavailable, fmt::format("cannot resolve {}: {}", host, e.what()), ""};
    }
    if (future.wait_for(timeout) != std::future_status::ready)
        return Error{ErrorCode::kUnavailable,
                     fmt::format("cannot resolve {}: no answer within {} ms", host, timeout.count()), ""};
    return future.get();
}

}  // namespace nfstreamd::exporters
