// SPDX-License-Identifier: Apache-2.0
// Messages one after the other over a TCP connection. A read is always pending,
// as the first write after the peer closed would succeed and be lost. Belongs to
// the thread of its exporter.
#pragma once
#include <array>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "exporters/transport/message_transport.hpp"

namespace nfstreamd::exporters {

class TcpTransport final : public MessageTransport {
public:
    // A connection on which nothing moved for `stall_timeout` is given up.
    TcpTransport(Endpoint endpoint, std::string source_address,
                 std::chrono::milliseconds stall_timeout = std::chrono::seconds(30));
    ~TcpTransport() override;

    Status open(Clock::time_point deadline) override;
    Status send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                Clock::time_point deadline) override;
    Status check() override;
    void close() noexcept override;
    std::string description() const override { return description_; }

private:
    Status write_all(std::span<const std::uint8_t> bytes, Clock::time_point deadline);
    void wait_writable(Clock::time_point until);
    Status connect(const boost::asio::ip::address& address, Clock::time_point deadline);
    void set_options();
    void read_ahead();
    void cancel_and_drain() noexcept;
    Error failure(std::string_view what, const boost::system::error_code& error) const;

    const Endpoint endpoint_;
    const std::string source_address_, description_;
    const std::chrono::milliseconds stall_timeout_;
    boost::asio::io_context io_;
    boost::asio::ip::tcp::socket socket_{io_};
    std::array<char, 512> received_{};  // a collector has nothing to say; thrown away
    boost::system::error_code peer_;    // set when the peer closed or reset the connection
    std::size_t sent_ = 0;              // octets that are out of the first message to send
    bool busy_ = false;                 // the last send was: its time goes on
    bool draining_ = false;
    Clock::time_point progress_{};
};

}  // namespace nfstreamd::exporters
