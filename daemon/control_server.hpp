// SPDX-License-Identifier: Apache-2.0
// The control socket: a UNIX stream socket that takes one line, a command, and
// answers with one JSON document, then closes. Bounded in clients, request size
// and time. Control thread.
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/result.hpp"

namespace nfstreamd::daemon {

class ControlServer {
public:
    // Takes the JSON that answers a command, once, now or later; empty: there is no such
    // command. The client is let go after kLongestAnswer.
    using Reply = std::function<void(std::string json)>;
    using Handler = std::function<void(std::string_view command, Reply reply)>;

    static constexpr std::size_t kMaxRequest = 8192;  // octets, the newline included
    static constexpr std::size_t kMaxClients = 32;
    static constexpr std::chrono::seconds kLongestAnswer{120};

    ControlServer(boost::asio::io_context& context, Handler handler);
    ~ControlServer();

    // Makes the folder, replaces a socket that nobody listens on.
    Status open(const std::string& path);
    void close();  // removes the socket

private:
    class Session;
    void accept();

    boost::asio::io_context& context_;
    // sessions may outlive the server until their client has gone
    std::shared_ptr<const Handler> handler_;
    std::shared_ptr<std::size_t> clients_ = std::make_shared<std::size_t>(0);
    boost::asio::local::stream_protocol::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    std::string path_;
};

}  // namespace nfstreamd::daemon
