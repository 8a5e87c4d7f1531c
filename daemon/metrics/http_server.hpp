// SPDX-License-Identifier: Apache-2.0
// A small server of HTTP/1.1: GET and HEAD, one request for each connection,
// bounded in clients, size of a request and time. What a path is answered with
// comes from outside. Control thread.
#pragma once
#include <cstddef>
#include <memory>
#include <utility>  // before asio: Boost 1.74 forgets it

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/result.hpp"
#include "daemon/metrics/http_session.hpp"

namespace nfstreamd::daemon {

class HttpServer {
public:
    using Endpoint = boost::asio::ip::tcp::endpoint;

    static constexpr std::size_t kMaxClients = 32;

    HttpServer(boost::asio::io_context& context, HttpHandler handler);
    ~HttpServer();

    // Listens there, and no longer elsewhere. A failure changes nothing.
    Status move_to(const Endpoint& endpoint);
    void close();
    bool is_open() const { return listener_ != nullptr; }
    Endpoint endpoint() const;  // in use; while open

private:
    class Listener;
    Result<std::shared_ptr<Listener>> listen(const Endpoint& endpoint);

    boost::asio::io_context& context_;
    // sessions may outlive the server until their client has gone
    std::shared_ptr<const HttpHandler> handler_;
    std::shared_ptr<std::size_t> clients_ = std::make_shared<std::size_t>(0);
    std::shared_ptr<Listener> listener_;  // null: closed
};

}  // namespace nfstreamd::daemon
