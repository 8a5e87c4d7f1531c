// SPDX-License-Identifier: Apache-2.0
// One client of the metrics port: its request, the answer to it, its end. Keeps
// itself alive until then. Control thread.
#pragma once
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>  // before asio: Boost 1.74 forgets it

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace nfstreamd::daemon {

struct HttpAnswer {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
public:
    // By the path of a request, without its query; none: there is no such path.
    using Handler = std::function<std::optional<HttpAnswer>(std::string_view path)>;

    static constexpr std::size_t kMaxRequest = 8192;

    // Counts itself among the clients.
    HttpSession(boost::asio::ip::tcp::socket socket, std::shared_ptr<const Handler> handler,
                std::shared_ptr<std::size_t> clients);
    ~HttpSession();
    HttpSession(const HttpSession&) = delete;
    HttpSession& operator=(const HttpSession&) = delete;

    void start();

private:
    void on_header(const boost::beast::error_code& error);
    HttpAnswer answer();
    void reply(HttpAnswer answer);
    void await_end();

    boost::beast::tcp_stream stream_;
    std::shared_ptr<const Handler> handler_;
    std::shared_ptr<std::size_t> clients_;
    boost::beast::flat_buffer buffer_{kMaxRequest};
    boost::beast::http::request_parser<boost::beast::http::empty_body> request_;
    boost::beast::http::response<boost::beast::http::string_body> response_;
    std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>> serializer_;
    std::array<char, 1024> rest_{};
};

}  // namespace nfstreamd::daemon
