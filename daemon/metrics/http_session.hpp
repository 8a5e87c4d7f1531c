// SPDX-License-Identifier: Apache-2.0
// One client of the metrics port: its request, the answer to it, its end. Control
// thread.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>  // before asio: Boost 1.74 forgets it

#include <boost/asio/ip/tcp.hpp>

namespace nfstreamd::daemon {

struct HttpAnswer {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
};

// By the path of a request, without its query; none: there is no such path.
using HttpHandler = std::function<std::optional<HttpAnswer>(std::string_view path)>;

constexpr std::size_t kMaxHttpRequest = 8192;

// Is among the clients that are counted until the client has gone.
void serve_http_client(boost::asio::ip::tcp::socket socket, std::shared_ptr<const HttpHandler> handler,
                       std::shared_ptr<std::size_t> clients);

}  // namespace nfstreamd::daemon
