// SPDX-License-Identifier: Apache-2.0
// One message, one datagram, over a connected socket, so that the kernel tells
// of ICMP errors. Many leave in one system call, those of one length in one pass
// through the kernel (UDP GSO). Belongs to the thread of its exporter.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include "exporters/transport/message_transport.hpp"

namespace nfstreamd::exporters {

class UdpTransport final : public MessageTransport {
public:
    // `segmentation` false: never GSO, whatever the kernel has.
    UdpTransport(Endpoint endpoint, std::string source_address, bool segmentation = true);

    Status open(Clock::time_point deadline) override;
    Status send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                Clock::time_point deadline) override;
    Status check() override;
    void close() noexcept override;
    std::vector<std::uint64_t> take_refused() override { return std::exchange(refused_, {}); }
    bool is_datagram() const noexcept override { return true; }
    std::string description() const override { return description_; }

    bool segments() const noexcept { return segments_; }  // whether GSO is in use

private:
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

    Status open_address(const boost::asio::ip::address& address);
    void prepare();
    std::size_t send_some(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t first,
                          int& error);
    Group next_group(std::span<const std::size_t> ends, std::size_t first) const;
    void remember(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, const Group& group);
    bool read_errors();
    void refuse(std::uint64_t number);
    void refuse_quoted(std::span<const std::uint8_t> quoted);
    bool wait_writable(Clock::time_point deadline);
    Error failure(std::string_view what, const boost::system::error_code& error) const;

    const Endpoint endpoint_;
    const std::string source_address_, description_;
    const bool segmentation_;
    boost::asio::io_context io_;
    boost::asio::ip::udp::socket socket_{io_};
    bool segments_ = false;
    std::vector<Left> left_;    // a ring by number
    std::uint64_t number_ = 0;  // of the next message
    std::vector<std::uint64_t> refused_;
};

}  // namespace nfstreamd::exporters
