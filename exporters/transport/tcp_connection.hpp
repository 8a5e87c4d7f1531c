// SPDX-License-Identifier: Apache-2.0
// A TCP connection that is mostly written to. A read is always pending, as the
// first write after the peer closed would succeed and be lost. Belongs to its
// transport.
#pragma once
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "core/base/result.hpp"
#include "exporters/transport/unconfirmed_messages.hpp"

namespace nfstreamd::exporters {

class TcpConnection {
public:
    using Clock = std::chrono::steady_clock;
    using Address = boost::asio::ip::address;
    using Receive = std::function<void(std::span<const std::uint8_t> octets)>;

    // `description` is for errors. A connection on which nothing moved for
    // `stall_timeout` is given up. What the peer says goes to `receive`; without one
    // it is thrown away.
    TcpConnection(std::string description, std::chrono::milliseconds stall_timeout, Receive receive = {});
    ~TcpConnection() { close(); }

    Status open(const Address& peer, std::uint16_t port, const std::optional<Address>& source,
                Clock::time_point deadline);

    // Goes on behind the first `sent` octets. ErrorCode::kBusy at the deadline.
    Status write(std::span<const std::uint8_t> bytes, std::size_t& sent, Clock::time_point deadline);

    // Hands on what the peer has said; the error is the connection's end. The second
    // waits until it says something, or for the deadline.
    Status poll();
    Status wait(Clock::time_point deadline);

    // Our end of the stream; waits until the deadline for the peer's, which it sends
    // when it has read everything. ErrorCode::kBusy: not yet, call again. `told`: it
    // has been told in words of its protocol before, and may have ended first.
    Status conclude(Clock::time_point deadline, bool told = false);
    bool is_ended() const noexcept { return ended_; }

    // What the kernel has taken still leaves.
    void close() noexcept;
    bool is_open() const noexcept { return socket_.is_open(); }

    // A message ended so many octets before the last that was written.
    void end_message(std::size_t octets_behind = 0) { messages_.add(written_ - octets_behind); }
    // Brings up to date what unconfirmed() says; after each write is enough.
    void look_at_progress() noexcept;
    // Kept after close().
    std::size_t unconfirmed() noexcept;

private:
    using Tcp = boost::asio::ip::tcp;

    Status status() const;
    void set_options();
    void read_ahead();
    void wait_writable(Clock::time_point until);
    void cancel_and_drain() noexcept;
    Error failure(std::string_view what, const boost::system::error_code& error) const;

    const std::string description_;
    const std::chrono::milliseconds stall_timeout_;
    const Receive receive_;
    boost::asio::io_context io_;
    Tcp::socket socket_{io_};
    std::array<std::uint8_t, 4096> received_{};
    boost::system::error_code peer_;  // set when the peer closed or reset the connection
    bool said_ = false;               // the peer, since wait() began
    bool busy_ = false;               // the last write was: its time goes on
    bool draining_ = false;
    bool ended_ = false;  // our end of the stream is out
    Clock::time_point progress_{};
    std::uint64_t written_ = 0;  // octets, since open()
    UnconfirmedMessages messages_;
};

}  // namespace nfstreamd::exporters
