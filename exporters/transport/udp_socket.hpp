// SPDX-License-Identifier: Apache-2.0
// A connected UDP socket, so that the kernel tells of ICMP errors. Many datagrams
// leave in one system call, those of one length in one pass through the kernel
// (UDP GSO). IPv4 packets that fit the path have DF set; UDP checksums are on.
// Belongs to its transport.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include "exporters/transport/message_transport.hpp"

namespace nfstreamd::exporters {

class UdpSocket {
public:
    using Clock = MessageTransport::Clock;
    using Address = boost::asio::ip::address;
    static constexpr std::size_t kRemembered = MessageTransport::kRemembered;

    // `description` is for errors. `segmentation` false: never GSO, whatever the
    // kernel has.
    UdpSocket(std::string description, bool segmentation);

    // What was refused before is forgotten; datagrams are counted from 0 again.
    Status open(const Address& peer, std::uint16_t port, const std::optional<Address>& source);
    void close() noexcept;

    // As MessageTransport has them, a message being a datagram.
    Status send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                Clock::time_point deadline);
    std::vector<std::uint64_t> take_refused() { return std::exchange(refused_, {}); }

    // Reads what ICMP told since; looks up what the path takes now.
    void check();

    // One datagram of the peer; 0: none is there.
    std::size_t receive(std::span<std::uint8_t> datagram);
    bool wait_readable(Clock::time_point deadline) { return wait(Socket::wait_read, deadline); }

    std::uint64_t count() const noexcept { return number_; }  // of datagrams that left
    std::size_t limit() const noexcept { return limit_; }     // octets of a datagram that the path takes whole
    bool segments() const noexcept { return segments_; }      // whether GSO is in use

private:
    using Socket = boost::asio::ip::udp::socket;
    // Messages that leave as one: one datagram, or several of one length with a
    // shorter one behind them.
    struct Group {
        std::size_t first, count;  // messages
    };
    // A message that has left: what an ICMP error can quote of it, and with whom it left.
    struct Left {
        std::uint64_t key = 0;
        Group group{};  // in numbers of the session
        bool refused = false;
    };
    struct Batch;  // of one system call

    void prepare();
    void look_at_path();
    std::size_t send_some(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t first,
                          int& error);
    Group next_group(std::span<const std::size_t> ends, std::size_t first) const;
    void remember(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, const Group& group);
    bool read_errors();
    void refuse(std::uint64_t number);
    void refuse_quoted(std::span<const std::uint8_t> quoted);
    void refuse_last();
    bool wait(Socket::wait_type what, Clock::time_point deadline);
    Error failure(std::string_view what, const boost::system::error_code& error) const;

    const std::string description_;
    const bool segmentation_;
    boost::asio::io_context io_;
    Socket socket_{io_};
    bool v4_ = true, segments_ = false;
    std::size_t limit_ = 0;
    std::vector<Left> left_;    // a ring by number
    std::uint64_t number_ = 0;  // of the next message
    std::vector<std::uint64_t> refused_;
};

}  // namespace nfstreamd::exporters
