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
    // The JSON that answers a command; empty: there is no such command.
    using Handler = std::function<std::string(std::string_view command)>;
    // Of a command that takes time: true, and the reply comes later, once, or the client is
    // let go after kLongestAnswer. False: it is none of these.
    using Reply = std::function<void(std::string json)>;
    using SlowHandler = std::function<bool(std::string_view command, Reply reply)>;

    static constexpr std::size_t kMaxRequest = 8192;  // octets, the newline included
    static constexpr std::size_t kMaxClients = 32;
    static constexpr std::chrono::seconds kLongestAnswer{120};

    ControlServer(boost::asio::io_context& context, Handler handler, SlowHandler slow_handler = {});
    ~ControlServer();

    // Makes the folder, replaces a socket that nobody listens on.
    Status open(const std::string& path);
    void close();  // removes the socket

private:
    class Session;
    void accept();

    boost::asio::io_context& context_;
    // sessions may outlive the server until their client has gone
    struct Handlers {
        Handler handler;
        SlowHandler slow;
    };
    std::shared_ptr<const Handlers> handlers_;
    std::shared_ptr<std::size_t> clients_ = std::make_shared<std::size_t>(0);
    boost::asio::local::stream_protocol::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    std::string path_;
};

}  // namespace nfstreamd::daemon
