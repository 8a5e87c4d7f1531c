// SPDX-License-Identifier: Apache-2.0
// One message, one user message of SCTP (RFC 7011, 10.2), all reliable and in order
// on stream 0, by the kernel's one-to-one sockets. PR-SCTP is not used: nothing is
// given up once it is handed over. Belongs to the thread of its exporter.
#pragma once
#include <string>
#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include "exporters/transport/destination.hpp"
#include "exporters/transport/message_transport.hpp"

namespace nfstreamd::exporters {

class SctpTransport final : public MessageTransport {
public:
    explicit SctpTransport(const Endpoint& endpoint, const TransportOptions& options = {});
    // Over a connected socket that keeps messages apart, as SCTP's does.
    SctpTransport(const Endpoint& endpoint, const TransportOptions& options, int connected);

    Status open(Clock::time_point deadline) override;
    Status send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                Clock::time_point deadline) override;
    Status check() override;
    void close() noexcept override;
    std::string description() const override { return destination_.text(); }

private:
    Status connect(const Destination::Address& address, Clock::time_point deadline);
    void set_options(Clock::time_point deadline);
    Status send_one(std::span<const std::uint8_t> message, Clock::time_point deadline);
    bool wait_writable(Clock::time_point deadline);

    Destination destination_;
    const std::chrono::milliseconds stall_timeout_;
    boost::asio::io_context io_;
    boost::asio::generic::stream_protocol::socket socket_{io_};
    bool busy_ = false;  // the last send was: its time goes on
    Clock::time_point progress_{};
};

}  // namespace nfstreamd::exporters
