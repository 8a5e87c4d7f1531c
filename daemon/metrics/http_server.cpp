// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics/http_server.hpp"

#include <chrono>

#include <boost/asio/ip/v6_only.hpp>

namespace nfstreamd::daemon {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono_literals::operator""ms;

constexpr auto kPause = 200ms;

}  // namespace

// Accepts until it is closed.
class HttpServer::Listener : public std::enable_shared_from_this<Listener> {
public:
    Listener(asio::io_context& context, std::shared_ptr<const HttpHandler> handler,
             std::shared_ptr<std::size_t> clients)
        : acceptor_(context), pause_(context), handler_(std::move(handler)), clients_(std::move(clients)) {}

    boost::system::error_code open(const Endpoint& endpoint) {
        boost::system::error_code error;
        acceptor_.open(endpoint.protocol(), error);
        if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (!error) accept();
        return error;
    }
    void close() {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        pause_.cancel();
    }
    Endpoint endpoint() const { return acceptor_.local_endpoint(); }

private:
    void accept() {
        acceptor_.async_accept([self = shared_from_this()](const boost::system::error_code& error, tcp::socket socket) {
            if (!self->acceptor_.is_open()) return;
            // one client too many is turned away; so is one that left already
            if (!error && *self->clients_ < kMaxClients)
                serve_http_client(std::move(socket), self->handler_, self->clients_);
            if (!error) return self->accept();
            // out of descriptors, most likely: not at once again
            self->pause_.expires_after(kPause);
            self->pause_.async_wait([self](const boost::system::error_code& cancelled) {
                if (!cancelled && self->acceptor_.is_open()) self->accept();
            });
        });
    }

    tcp::acceptor acceptor_;
    asio::steady_timer pause_;
    std::shared_ptr<const HttpHandler> handler_;
    std::shared_ptr<std::size_t> clients_;
};

HttpServer::HttpServer(asio::io_context& context, HttpHandler handler)
    : context_(context), handler_(std::make_shared<const HttpHandler>(std::move(handler))) {}

HttpServer::~HttpServer() {
    close();
}

Result<std::shared_ptr<HttpServer::Listener>> HttpServer::listen(const Endpoint& endpoint) {
    auto listener = std::make_shared<Listener>(context_, handler_, clients_);
    if (const auto error = listener->open(endpoint)) {
        listener->close();
        const auto code = error == asio::error::access_denied ? ErrorCode::kPermission : ErrorCode::kIo;
        return Error{code, "cannot listen: " + error.message(), ""};
    }
    return listener;
}

// The new one may be in the way of the old one's port, as 0.0.0.0 is of 127.0.0.1:
// then the old one closes first, and comes back if that was of no use.
Status HttpServer::move_to(const Endpoint& endpoint) {
    if (is_open() && this->endpoint() == endpoint) return ok();
    auto opened = listen(endpoint);
    if (!opened && is_open() && this->endpoint().port() == endpoint.port()) {
        const auto former = this->endpoint();
        close();
        opened = listen(endpoint);
        if (!opened) {
            if (auto again = listen(former)) listener_ = again.value();
        }
    }
    if (!opened) return opened.error();
    close();
    listener_ = opened.value();
    return ok();
}

void HttpServer::close() {
    if (listener_) listener_->close();
    listener_.reset();
}

HttpServer::Endpoint HttpServer::endpoint() const {
    return listener_->endpoint();
}

}  // namespace nfstreamd::daemon
