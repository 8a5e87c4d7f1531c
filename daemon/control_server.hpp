// SPDX-License-Identifier: Apache-2.0
// The control socket: a UNIX stream socket that takes one line, a command, and
// answers with one JSON document, then closes. Bounded in clients, request size
// and time. Control thread.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/result.hpp"
#include "daemon/control_session.hpp"

namespace nfstreamd::daemon {

class ControlServer {
public:
    static constexpr std::size_t kMaxClients = 32;

    ControlServer(boost::asio::io_context& context, ControlSession::Handler handler);
    ~ControlServer();

    // Makes the folder, replaces a socket that nobody listens on.
    Status open(const std::string& path);
    void close();  // removes the socket

private:
    void accept();

    boost::asio::io_context& context_;
    // sessions may outlive the server until their client has gone
    std::shared_ptr<const ControlSession::Handler> handler_;
    std::shared_ptr<std::size_t> clients_ = std::make_shared<std::size_t>(0);
    boost::asio::local::stream_protocol::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    std::string path_;
};

}  // namespace nfstreamd::daemon
