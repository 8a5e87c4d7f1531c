// SPDX-License-Identifier: Apache-2.0
// Messages one after the other over a TCP connection. Belongs to the thread of
// its exporter.
#pragma once
#include <string>

#include "exporters/transport/destination.hpp"
#include "exporters/transport/message_transport.hpp"
#include "exporters/transport/tcp_connection.hpp"

namespace nfstreamd::exporters {

class TcpTransport final : public MessageTransport {
public:
    explicit TcpTransport(const Endpoint& endpoint, const TransportOptions& options = {});

    Status open(Clock::time_point deadline) override;
    Status send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                Clock::time_point deadline) override;
    Status check() override;
    void close() noexcept override { connection_.close(); }
    std::size_t unconfirmed() noexcept override { return connection_.unconfirmed(); }
    Status conclude(Clock::time_point deadline) override { return connection_.conclude(deadline); }
    std::string description() const override { return destination_.text(); }

private:
    Destination destination_;
    TcpConnection connection_;
    std::size_t sent_ = 0;  // octets that are out of the first message to send
};

}  // namespace nfstreamd::exporters
