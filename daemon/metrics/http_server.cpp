// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics/http_server.hpp"

#include <array>
#include <chrono>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "daemon/version.hpp"

namespace nfstreamd::daemon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

// For one client: until its request is there, and then until the answer is taken.
constexpr auto kPatienceForRequest = 5s;
constexpr auto kPatienceForAnswer = 10s;
constexpr auto kPause = 200ms;

// The page is made of what comes from here, and of nothing else.
constexpr const char* kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

std::string_view as_std(beast::string_view text) {
    return {text.data(), text.size()};
}

// "probe.example:9587" without its port, "[::1]:9587" without brackets, too.
std::string_view host_of(std::string_view field) {
    if (const auto end = field.find(']'); field.starts_with('[') && end != std::string_view::npos)
        return field.substr(1, end - 1);
    return field.substr(0, field.rfind(':'));
}

// A page of others may have a name of its own that leads to this host's loopback, and
// then counts as of the same origin: on loopback only addresses and localhost are served.
bool is_foreign(std::string_view host_field, const tcp::endpoint& here) {
    if (!here.address().is_loopback()) return false;
    const auto host = host_of(host_field);
    boost::system::error_code error;
    asio::ip::make_address(std::string(host), error);
    return error && host != "localhost";
}

}  // namespace

class HttpServer::Session : public std::enable_shared_from_this<Session> {
public:
    Session(tcp::socket socket, std::shared_ptr<const Handler> handler, std::shared_ptr<std::size_t> clients)
        : stream_(std::move(socket)), handler_(std::move(handler)), clients_(std::move(clients)) {
        ++*clients_;
        request_.header_limit(kMaxRequest);
        request_.body_limit(0);
    }
    ~Session() { --*clients_; }

    void start() {
        stream_.expires_after(kPatienceForRequest);
        http::async_read_header(
            stream_, buffer_, request_,
            [self = shared_from_this()](const beast::error_code& error, std::size_t) { self->on_header(error); });
    }

private:
    void on_header(const beast::error_code& error) {
        if (!error) return reply(answer());
        if (error == http::error::header_limit || error == http::error::buffer_overflow)
            return reply(plain(431, "the request is too large"));
        if (error == http::error::body_limit) return reply(plain(413, "a request here has no body"));
        if (error.category() == make_error_code(http::error::bad_method).category() &&
            error != http::error::end_of_stream && error != http::error::partial_message)
            return reply(plain(400, "that is no request of HTTP"));
        // the client has gone, or its time is over: nobody waits for an answer
    }

    static HttpAnswer plain(unsigned status, std::string_view text) {
        return {status, "text/plain; charset=utf-8", std::string(text) + "\n"};
    }

    HttpAnswer answer() {
        const auto& request = request_.get();
        const auto host = request.find(http::field::host);
        if (request.version() == 11 && (host == request.end() || request.count(http::field::host) != 1))
            return plain(400, "one header Host is missing");
        boost::system::error_code error;
        const auto here = beast::get_lowest_layer(stream_).socket().local_endpoint(error);
        if (!error && host != request.end() && is_foreign(as_std(host->value()), here))
            return plain(403, "this port is of this host alone: ask by its address or as localhost");
        if (request.method() != http::verb::get && request.method() != http::verb::head)
            return plain(405, "only GET and HEAD");
        auto path = as_std(request.target());
        path = path.substr(0, path.find_first_of("?#"));
        try {
            if (auto found = (*handler_)(path)) return std::move(*found);
        } catch (const std::exception&) {
            return plain(500, "the answer could not be made");
        }
        return plain(404, "there is nothing here; /metrics and /healthz are");
    }

    void reply(HttpAnswer answer) {
        response_.result(answer.status);
        response_.version(11);
        response_.set(http::field::server, "nfstreamd/" + std::string(version()));
        response_.set(http::field::content_type, answer.content_type);
        response_.set(http::field::cache_control, "no-store");
        response_.set("Content-Security-Policy", kContentPolicy);
        response_.set("X-Content-Type-Options", "nosniff");
        response_.set("Referrer-Policy", "no-referrer");
        if (answer.status == 405) response_.set(http::field::allow, "GET, HEAD");
        response_.keep_alive(false);
        response_.body() = std::move(answer.body);
        response_.prepare_payload();
        if (request_.is_header_done() && request_.get().method() == http::verb::head) {
            // the length that a GET has, and not its body
            const auto length = response_.body().size();
            response_.body().clear();
            response_.content_length(length);
        }
        stream_.expires_after(kPatienceForAnswer);
        serializer_.emplace(response_);
        const auto written = [self = shared_from_this()](const beast::error_code& error, std::size_t) {
            beast::error_code ignored;
            self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
            if (!error) self->await_end();
        };
        if (request_.is_header_done() && request_.get().method() == http::verb::head)
            http::async_write_header(stream_, *serializer_, written);
        else
            http::async_write(stream_, *serializer_, written);
    }

    // Closing over what was not read would reset the connection, and the answer
    // might be lost with it.
    void await_end() {
        stream_.async_read_some(asio::buffer(rest_),
                                [self = shared_from_this()](const beast::error_code& error, std::size_t) {
                                    if (!error) self->await_end();
                                });
    }

    beast::tcp_stream stream_;
    std::shared_ptr<const Handler> handler_;
    std::shared_ptr<std::size_t> clients_;
    beast::flat_buffer buffer_{kMaxRequest};
    http::request_parser<http::empty_body> request_;
    http::response<http::string_body> response_;
    std::optional<http::response_serializer<http::string_body>> serializer_;
    std::array<char, 1024> rest_{};
};

// Accepts until it is closed.
class HttpServer::Listener : public std::enable_shared_from_this<Listener> {
public:
    Listener(asio::io_context& context, std::shared_ptr<const Handler> handler, std::shared_ptr<std::size_t> clients)
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
                std::make_shared<Session>(std::move(socket), self->handler_, self->clients_)->start();
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
    std::shared_ptr<const Handler> handler_;
    std::shared_ptr<std::size_t> clients_;
};

HttpServer::HttpServer(asio::io_context& context, Handler handler)
    : context_(context), handler_(std::make_shared<const Handler>(std::move(handler))) {}

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
