// SPDX-License-Identifier: Apache-2.0
// The port that serves metrics, health and the page: what a client sends, in
// pieces parted by 0xff. Each whole request is answered, by HTTP, with one of our
// own words; and the text of an address to listen on.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "daemon/metrics/listen_address.hpp"
#include "daemon/metrics/metrics_server.hpp"
#include "tests/fuzz/promises.hpp"

namespace {

using namespace nfstreamd;
using fuzz::require;

constexpr std::uint8_t kParting = 0xff;

daemon::MetricsServer::View view() {
    daemon::MetricsServer::View view;
    view.status.version = "1";
    view.status.instance = "fuzz";
    view.status.interfaces.emplace_back().input = "eth0";
    view.status.exporters.emplace_back().name = "main";
    return view;
}

std::uint16_t free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(probe, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(probe);
    return ntohs(address.sin_port);
}

class Server {
public:
    Server() {
        Status opened = ok();
        for (int tries = 0; tries < 20; ++tries) {
            port_ = free_port();
            opened = server_.configure({"127.0.0.1:" + std::to_string(port_), true, ""});
            if (opened) break;
        }
        require(opened.has_value(), "there is a port");
    }
    // -1: this host has no port left for it, which is no fault of the server's.
    int connect() const {
        const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port_);
        int error = ::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
        if (error == EINPROGRESS) {  // a blocking call might be interrupted by the fuzzer's own timer
            pollfd connected{client, POLLOUT, 0};
            while (::poll(&connected, 1, 10'000) < 0 && errno == EINTR) {
            }
            socklen_t size = sizeof error;
            ::getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size);
        }
        if (error != 0) {
            require(error == EADDRNOTAVAIL, std::strerror(error));
            ::close(client);
            return -1;
        }
        const linger at_once{1, 0};  // no port is left waiting
        ::setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        return client;
    }
    void turn() {
        while (context_.poll() > 0) {
        }
    }

private:
    boost::asio::io_context context_;
    daemon::MetricsServer server_{context_, view};
    std::uint16_t port_ = 0;
};

bool is_known(std::string_view status) {
    for (const std::string_view known : {"200", "400", "403", "404", "405", "413", "431", "503"})
        if (status == known) return true;
    return false;
}

void check_answer(const std::string& text) {
    require(text.starts_with("HTTP/1.1 ") && is_known(std::string_view(text).substr(9, 3)),
            "an answer has a status of ours");
    const auto head = text.find("\r\n\r\n");
    require(head != text.npos, "an answer has a head");
    const auto length = text.find("\r\nContent-Length: ");
    require(length < head, "an answer tells its length");
    const std::size_t body = text.size() - head - 4;
    require(body == 0 || body == std::stoul(text.substr(length + 18)), "an answer has the length it tells");
    require(text.find("\r\nX-Content-Type-Options: nosniff\r\n") < head, "an answer is not guessed at");
}

void check_listen(std::string_view text) {
    const auto parsed = daemon::parse_listen_address(text);
    if (!parsed) return require(!parsed.error().message.empty(), "a refusal has a reason");
    require(parsed.value().port() != 0, "a port is one");
    std::string again = parsed.value().address().to_string();
    if (parsed.value().address().is_v6()) again = '[' + again + ']';
    again += ':' + std::to_string(parsed.value().port());
    const auto same = daemon::parse_listen_address(again);
    require(same && same.value() == parsed.value(), "an address is read as it is written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    const std::string_view all(reinterpret_cast<const char*>(input), size);
    if (all.starts_with("listen ")) {
        check_listen(all.substr(7));
        return 0;
    }
    static Server server;
    const int client = server.connect();
    if (client < 0) return -1;
    server.turn();
    for (const std::uint8_t* at = input; at != input + size;) {
        const std::uint8_t* end = std::find(at, input + size, kParting);
        if (end != at) [[maybe_unused]]
            const auto sent = ::send(client, at, static_cast<std::size_t>(end - at), MSG_NOSIGNAL);
        at = end == input + size ? end : end + 1;
        server.turn();
    }
    server.turn();
    std::string text;
    char part[65536];
    for (ssize_t got; (got = ::read(client, part, sizeof part)) > 0; server.turn())
        text.append(part, static_cast<std::size_t>(got));
    if (!text.empty()) check_answer(text);
    ::close(client);
    server.turn();
    return 0;
}
