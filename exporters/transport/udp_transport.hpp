// SPDX-License-Identifier: Apache-2.0
// One message, one datagram, over a connected socket, so that the kernel tells
// of ICMP errors. Belongs to the thread of its exporter.
#pragma once
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include "exporters/transport/message_transport.hpp"

namespace nfstreamd::exporters {

class UdpTransport final : public MessageTransport {
public:
    UdpTransport(Endpoint endpoint, std::string source_address);

    Status open(Clock::time_point deadline) override;
    Status send(std::span<const std::uint8_t> message, Clock::time_point deadline) override;
    Status check() override;
    void close() noexcept override;
    bool take_refused() noexcept override { return std::exchange(refused_, false); }
    bool is_datagram() const noexcept override { return true; }
    std::string description() const override { return description_; }

private:
    Status open_address(const boost::asio::ip::address& address);
    bool wait_writable(Clock::time_point deadline);
    Error failure(std::string_view what, const boost::system::error_code& error) const;

    const Endpoint endpoint_;
    const std::string source_address_, description_;
    boost::asio::io_context io_;
    boost::asio::ip::udp::socket socket_{io_};
    bool refused_ = false;
};

}  // namespace nfstreamd::exporters
