// SPDX-License-Identifier: Apache-2.0
// Where an endpoint leads: the addresses of its host, of which the first that can
// be reached is used, and whether its name has since moved elsewhere. Belongs to
// its transport.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "exporters/transport/endpoint.hpp"
#include "exporters/transport/host_addresses.hpp"
#include "exporters/transport/transport_options.hpp"

namespace nfstreamd::exporters {

class Destination {
public:
    using Clock = std::chrono::steady_clock;
    using Address = boost::asio::ip::address;
    using Connect = std::function<Status(const Address& address, Clock::time_point deadline)>;

    // `options.source_address` is an address or empty. `lookup` empty: by the
    // system's resolver.
    Destination(Endpoint endpoint, const TransportOptions& options, HostAddresses::Lookup lookup = {});

    // Calls `connect` for one address after the other until it succeeds. None takes
    // the time of those behind it. The error is that of the last one.
    Status reach(Clock::time_point deadline, const Connect& connect);

    // Error: the name no longer stands for the address in use. Never waits.
    Status check();

    // Nobody is at the address in use. With others of its name it is the last one
    // next time, and the error says so.
    Status leave();

    const Endpoint& endpoint() const noexcept { return endpoint_; }
    const std::string& text() const noexcept { return text_; }  // "udp://HOST:PORT"
    const std::optional<Address>& source() const noexcept { return source_; }

    Error failure(std::string_view what, const boost::system::error_code& error) const;

private:
    Result<Addresses> addresses(Clock::time_point deadline);

    const Endpoint endpoint_;
    const std::string text_;
    const std::chrono::milliseconds connect_timeout_, resolve_interval_;
    std::optional<Address> source_;
    HostAddresses host_;
    std::optional<Address> used_, left_;
    bool others_ = false;  // there were, at the last reach()
};

}  // namespace nfstreamd::exporters
