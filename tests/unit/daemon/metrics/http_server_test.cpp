// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics/http_server.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace nfstreamd::daemon {
namespace {

using boost::asio::ip::make_address;
using boost::asio::ip::tcp;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr const char* kHost = "Host: localhost\r\n";

// A free port of an address. The address is one that no other test listens on.
tcp::endpoint free_endpoint(const char* address) {
    boost::asio::io_context context;
    tcp::acceptor acceptor(context, tcp::endpoint(make_address(address), 0));
    return acceptor.local_endpoint();
}

std::optional<HttpAnswer> answer(std::string_view path) {
    if (path == "/metrics") return HttpAnswer{200, "text/plain", "some_total 1\n"};
    if (path == "/healthz") return HttpAnswer{503, "application/json", "{}"};
    if (path == "/large") return HttpAnswer{200, "text/plain", std::string(4'000'000, 'x')};
    if (path == "/broken") throw std::runtime_error("broken");
    return std::nullopt;
}

// A server on a thread of its own.
class RunningServer {
public:
    explicit RunningServer(const tcp::endpoint& endpoint = free_endpoint("127.0.0.21"))
        : server_(context_, answer), endpoint_(endpoint) {
        const auto opened = server_.move_to(endpoint);
        REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().text()));
        thread_ = std::thread([this] { context_.run(); });
    }
    ~RunningServer() {
        boost::asio::post(context_, [this] { server_.close(); });
        work_.reset();
        thread_.join();
    }
    const tcp::endpoint& endpoint() const { return endpoint_; }

    Status move_to(const tcp::endpoint& endpoint) {
        std::promise<Status> moved;
        boost::asio::post(context_, [&] { moved.set_value(server_.move_to(endpoint)); });
        return moved.get_future().get();
    }

private:
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
        boost::asio::make_work_guard(context_);
    HttpServer server_;
    tcp::endpoint endpoint_;
    std::thread thread_;
};

// A client by system calls: every octet is as the test has it.
class Client {
public:
    explicit Client(const tcp::endpoint& server) : socket_(::socket(server.protocol().family(), SOCK_STREAM, 0)) {
        const timeval patience{30, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        connected_ = ::connect(socket_, server.data(), static_cast<socklen_t>(server.size())) == 0;
    }
    ~Client() { ::close(socket_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    bool connected() const { return connected_; }
    bool send(std::string_view text) {
        return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
    }
    void end() { ::shutdown(socket_, SHUT_WR); }
    // Until the server ends the connection.
    std::string rest() {
        std::string text;
        char part[65536];
        for (ssize_t n; (n = ::recv(socket_, part, sizeof part, 0)) > 0;)
            text.append(part, static_cast<std::size_t>(n));
        return text;
    }

private:
    int socket_;
    bool connected_ = false;
};

std::string asked(const tcp::endpoint& server, std::string_view request) {
    Client client(server);
    REQUIRE(client.connected());
    client.send(request);
    return client.rest();
}

std::string get(const RunningServer& server, const std::string& path, const std::string& more = kHost) {
    return asked(server.endpoint(), "GET " + path + " HTTP/1.1\r\n" + more + "\r\n");
}

std::string status_of(const std::string& response) {
    return response.substr(0, response.find("\r\n"));
}
std::string body_of(const std::string& response) {
    const auto end = response.find("\r\n\r\n");
    return end == std::string::npos ? std::string() : response.substr(end + 4);
}
bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("HttpServer: answers GET with what the path has, then closes") {
    const RunningServer server;
    const auto response = get(server, "/metrics");
    CHECK(status_of(response) == "HTTP/1.1 200 OK");
    CHECK(body_of(response) == "some_total 1\n");
    CHECK(has(response, "\r\nContent-Length: 13\r\n"));
    CHECK(has(response, "\r\nContent-Type: text/plain\r\n"));
    CHECK(has(response, "\r\nConnection: close\r\n"));
    CHECK(has(response, "\r\nContent-Security-Policy: default-src 'none';"));
    CHECK(has(response, "\r\nX-Content-Type-Options: nosniff\r\n"));
    CHECK(has(response, "\r\nCache-Control: no-store\r\n"));
    CHECK(body_of(get(server, "/metrics?name[]=x")) == "some_total 1\n");
    CHECK(status_of(get(server, "/healthz")) == "HTTP/1.1 503 Service Unavailable");
    CHECK(body_of(get(server, "/large")).size() == 4'000'000);
    CHECK(status_of(asked(server.endpoint(), "GET /metrics HTTP/1.0\r\n\r\n")) == "HTTP/1.1 200 OK");
}

TEST_CASE("HttpServer: HEAD has the length and no body") {
    const RunningServer server;
    const auto response = asked(server.endpoint(), std::string("HEAD /metrics HTTP/1.1\r\n") + kHost + "\r\n");
    CHECK(status_of(response) == "HTTP/1.1 200 OK");
    CHECK(has(response, "\r\nContent-Length: 13\r\n"));
    CHECK(body_of(response).empty());
}

TEST_CASE("HttpServer: what is not there, not allowed or no HTTP has a status of its own") {
    const RunningServer server;
    const auto status = [&](const std::string& request) { return status_of(asked(server.endpoint(), request)); };
    CHECK(has(status_of(get(server, "/")), "404"));
    CHECK(has(status_of(get(server, "/metrics/../../etc/passwd")), "404"));
    CHECK(has(status_of(get(server, "http://localhost/metrics")), "404"));
    CHECK(has(status_of(get(server, "/broken")), "500"));
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "DANCE"})
        CHECK(has(status(std::string(method) + " /metrics HTTP/1.1\r\n" + kHost + "\r\n"), "405"));
    CHECK(has(asked(server.endpoint(), std::string("POST /metrics HTTP/1.1\r\n") + kHost + "\r\n"),
              "\r\nAllow: GET, HEAD\r\n"));
    for (const char* request : {"\r\n\r\n\r\n", "GET\r\n\r\n", "GET /metrics\r\n\r\n", "GET /metrics HTTP/x\r\n\r\n",
                                "\x16\x03\x01\x02\x01\x01\xfc\x03\x03 a hello of TLS\r\n\r\n",
                                "GET /metrics HTTP/1.1\r\nno colon\r\n\r\n", "GET /me\x01trics HTTP/1.1\r\n\r\n"})
        CHECK(has(status(request), "400"));
    CHECK(has(status("GET /metrics HTTP/2.0\r\n\r\n"), "400"));
    CHECK(has(status_of(get(server, "/metrics", "")), "400"));  // no Host
    CHECK(has(status_of(get(server, "/metrics", std::string(kHost) + kHost)), "400"));
}

TEST_CASE("HttpServer: on loopback a name of others is not served, so that no page of theirs can read") {
    const RunningServer server;
    const auto served = [&](const std::string& host) {
        return has(get(server, "/metrics", "Host: " + host + "\r\n"), "200");
    };
    for (const char* host : {"localhost", "localhost:9587", "127.0.0.1", "127.0.0.21:9587", "[::1]:9587"})
        CHECK(served(host));
    for (const char* host :
         {"evil.example", "evil.example:9587", "localhost.evil.example", "[::1", "", ":9587", "[evil]:1"})
        CHECK(has(get(server, "/metrics", "Host: " + std::string(host) + "\r\n"), "403"));
}

TEST_CASE("HttpServer: a request that is too large is refused") {
    const RunningServer server;
    const auto limit = kMaxHttpRequest;
    CHECK(has(status_of(get(server, "/" + std::string(limit, 'a'))), "431"));
    CHECK(has(status_of(get(server, "/metrics", kHost + std::string("X: ") + std::string(2 * limit, 'x') + "\r\n")),
              "431"));
    std::string many(kHost);
    while (many.size() < 2 * limit) many += "X-" + std::to_string(many.size()) + ": y\r\n";
    CHECK(has(status_of(get(server, "/metrics", many)), "431"));
}

TEST_CASE("HttpServer: a body is not read, a second request on the connection not answered") {
    const RunningServer server;
    const auto with_body = get(server, "/metrics", std::string(kHost) + "Content-Length: 5\r\n");
    CHECK((has(status_of(with_body), "200") || has(status_of(with_body), "413")));
    const std::string request = std::string("GET /metrics HTTP/1.1\r\n") + kHost + "\r\n";
    const auto response = asked(server.endpoint(), request + request + "GET /healthz HTTP/1.1\r\n\r\n");
    CHECK(body_of(response) == "some_total 1\n");  // once, and the end
    CHECK(has(get(server, "/metrics", std::string(kHost) + "Transfer-Encoding: chunked\r\n"), "HTTP/1.1"));
}

TEST_CASE("HttpServer: a request in single octets is understood") {
    const RunningServer server;
    Client client(server.endpoint());
    for (const char c : std::string("GET /metrics HTTP/1.1\r\n") + kHost + "\r\n")
        REQUIRE(client.send(std::string_view(&c, 1)));
    CHECK(body_of(client.rest()) == "some_total 1\n");
}

TEST_CASE("HttpServer: a client that is slow loses its connection, and others are served meanwhile") {
    const RunningServer server;
    Client silent(server.endpoint()), trickles(server.endpoint());
    REQUIRE((silent.connected() && trickles.connected()));
    trickles.send("GET /metrics HTTP/1.1\r\nHost: lo");
    CHECK(has(get(server, "/metrics"), "200"));
    const auto began = Clock::now();
    std::thread trickle([&] {  // an octet now and then wins it no time
        while (Clock::now() - began < 20s && trickles.send("c")) std::this_thread::sleep_for(200ms);
    });
    CHECK(trickles.rest() == "");
    CHECK(silent.rest() == "");
    CHECK(Clock::now() - began < 15s);
    trickle.join();
}

TEST_CASE("HttpServer: a client that does not read its answer holds up nobody") {
    const RunningServer server;
    std::vector<std::unique_ptr<Client>> lazy;
    for (int i = 0; i < 5; ++i) {
        lazy.push_back(std::make_unique<Client>(server.endpoint()));
        REQUIRE(lazy.back()->send(std::string("GET /large HTTP/1.1\r\n") + kHost + "\r\n"));
    }
    CHECK(has(get(server, "/metrics"), "200"));
}

TEST_CASE("HttpServer: clients beyond the limit are turned away, and it goes on after them") {
    const RunningServer server;
    {
        std::vector<std::unique_ptr<Client>> silent;
        for (std::size_t i = 0; i < HttpServer::kMaxClients; ++i)
            silent.push_back(std::make_unique<Client>(server.endpoint()));
        CHECK(get(server, "/metrics").empty());
    }
    // the server hears of the ends before it accepts the next one, or right after
    bool answered = false;
    for (int i = 0; i < 100 && !answered; ++i) answered = has(get(server, "/metrics"), "200");
    CHECK(answered);
}

TEST_CASE("HttpServer: octets by chance never do harm") {
    const RunningServer server;
    std::mt19937 random(7);
    const std::string good = std::string("GET /metrics HTTP/1.1\r\n") + kHost + "Accept: */*\r\n\r\n";
    for (int i = 0; i < 300; ++i) {
        std::string request = good;
        for (int change = 0; change < 4; ++change) request[random() % request.size()] = static_cast<char>(random());
        Client client(server.endpoint());
        REQUIRE(client.connected());
        client.send(request);
        client.end();
        const auto response = client.rest();
        CHECK((response.empty() || response.starts_with("HTTP/1.1 ")));
    }
    CHECK(body_of(get(server, "/metrics")) == "some_total 1\n");
}

TEST_CASE("HttpServer: moves to another address, also one that the old one is in the way of") {
    const auto first = free_endpoint("127.0.0.21");
    RunningServer server(first);
    const auto ask = [](const tcp::endpoint& endpoint) {
        Client client(endpoint);
        if (!client.connected()) return std::string("refused");
        client.send(std::string("GET /metrics HTTP/1.1\r\n") + kHost + "\r\n");
        return body_of(client.rest());
    };
    const tcp::endpoint everywhere(make_address("0.0.0.0"), first.port());
    const tcp::endpoint elsewhere(make_address("127.0.0.22"), first.port());
    CHECK(ask(elsewhere) == "refused");
    REQUIRE(server.move_to(everywhere));
    CHECK(ask(elsewhere) == "some_total 1\n");
    REQUIRE(server.move_to(first));
    CHECK(ask(elsewhere) == "refused");
    CHECK(ask(first) == "some_total 1\n");
    REQUIRE(server.move_to(first));  // stays

    boost::asio::io_context context;
    const tcp::acceptor other(context, free_endpoint("127.0.0.22"));
    const auto busy = server.move_to(other.local_endpoint());
    REQUIRE(!busy);
    CHECK(has(busy.error().message, "cannot listen"));
    CHECK(ask(first) == "some_total 1\n");
    const tcp::acceptor in_the_way(context, elsewhere);  // the same port: it has closed to try, and come back
    CHECK(!server.move_to(everywhere));
    CHECK(ask(first) == "some_total 1\n");
    CHECK(!server.move_to({make_address("192.0.2.1"), first.port()}));  // not of this host
    CHECK(ask(first) == "some_total 1\n");
}

}  // namespace
}  // namespace nfstreamd::daemon
