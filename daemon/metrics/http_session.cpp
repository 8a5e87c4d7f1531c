// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics/http_session.hpp"

#include <array>
#include <chrono>
#include <exception>

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "daemon/version.hpp"

namespace nfstreamd::daemon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using std::chrono_literals::operator""s;

// For one client: until its request is there, and then until the answer is taken.
constexpr auto kPatienceForRequest = 5s;
constexpr auto kPatienceForAnswer = 10s;

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

HttpAnswer plain(unsigned status, std::string_view text) {
    return {status, "text/plain; charset=utf-8", std::string(text) + "\n"};
}

class Session : public std::enable_shared_from_this<Session> {
public:
    Session(tcp::socket socket, std::shared_ptr<const HttpHandler> handler, std::shared_ptr<std::size_t> clients)
        : stream_(std::move(socket)), handler_(std::move(handler)), clients_(std::move(clients)) {
        ++*clients_;
        request_.header_limit(kMaxHttpRequest);
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
    std::shared_ptr<const HttpHandler> handler_;
    std::shared_ptr<std::size_t> clients_;
    beast::flat_buffer buffer_{kMaxHttpRequest};
    http::request_parser<http::empty_body> request_;
    http::response<http::string_body> response_;
    std::optional<http::response_serializer<http::string_body>> serializer_;
    std::array<char, 1024> rest_{};
};

}  // namespace

void serve_http_client(tcp::socket socket, std::shared_ptr<const HttpHandler> handler,
                       std::shared_ptr<std::size_t> clients) {
    std::make_shared<Session>(std::move(socket), std::move(handler), std::move(clients))->start();
}

}  // namespace nfstreamd::daemon
