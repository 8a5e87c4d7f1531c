// SPDX-License-Identifier: Apache-2.0
// Receives IPFIX and NetFlow over UDP, or IPFIX over any number of TCP connections, and feeds it
// to a reader. One thread: that of its io_context.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/result.hpp"
#include "daemon/ctl/line_output.hpp"
#include "exporters/ipfix/message_reader.hpp"
#include "exporters/transport/endpoint.hpp"

namespace nfstreamd::ctl {

using exporters::ipfix::MessageReader;

class CollectListener {
public:
    CollectListener(boost::asio::io_context& context, MessageReader& reader, LineOutput& output);

    // Binds and begins; returns where, with the port that the system chose for 0.
    Result<std::string> open(const exporters::Endpoint& endpoint);

    // Takes what has arrived already, then ends the io_context's run.
    void stop();

    std::uint64_t dropped() const { return dropped_; }  // datagrams that found the socket's buffer full

private:
    using Udp = boost::asio::ip::udp;
    using Tcp = boost::asio::ip::tcp;
    struct Connection {
        explicit Connection(Tcp::socket s) : socket(std::move(s)) {}
        Tcp::socket socket;
        std::string source;
    };

    Status open_udp(const Udp::endpoint& endpoint);
    Status open_tcp(const Tcp::endpoint& endpoint);
    void wait_for_datagrams();
    // `until`: senders that do not stop must not keep us from it.
    using Moment = std::chrono::steady_clock::time_point;
    void take_datagrams(int most, Moment until = Moment::max());
    void accept();
    void take_connection(Tcp::socket socket);
    void wait_for(const std::shared_ptr<Connection>& connection);
    bool take_bytes(Connection& connection, int most, Moment until = Moment::max());  // false: it is over
    void remove(const std::shared_ptr<Connection>& connection);
    void flush_later();
    void end_of_round();

    boost::asio::io_context& context_;
    MessageReader& reader_;
    LineOutput& output_;
    Udp::socket udp_;
    Tcp::acceptor acceptor_;
    boost::asio::steady_timer flush_timer_, accept_pause_;
    std::vector<std::shared_ptr<Connection>> connections_;
    std::vector<std::uint8_t> buffer_;
    Udp::endpoint last_sender_;
    std::string last_source_;
    std::uint64_t dropped_ = 0;
};

}  // namespace nfstreamd::ctl
