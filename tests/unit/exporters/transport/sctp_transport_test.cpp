// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/sctp_transport.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

using namespace nfstreamd::exporters;
using namespace std::chrono_literals;
using nfstreamd::ErrorCode;

namespace {

const Endpoint kEndpoint{EndpointProtocol::kSctp, "127.0.0.1", 4739};

std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

bool kernel_has_sctp() {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (descriptor >= 0) ::close(descriptor);
    return descriptor >= 0;
}

// Keeps messages apart, in order and reliably, as SCTP does.
struct Pair {
    int ours = -1, peer = -1;

    Pair() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
        ours = ends[0];
        peer = ends[1];
    }
    ~Pair() { close_peer(); }
    void close_peer() {
        if (peer >= 0) ::close(peer);
        peer = -1;
    }
    std::size_t read_length() const {
        std::array<char, 65536> octets;
        const auto n = ::recv(peer, octets.data(), octets.size(), MSG_DONTWAIT);
        return n < 0 ? 0 : static_cast<std::size_t>(n);
    }
};

nfstreamd::Status send(SctpTransport& transport, const std::vector<std::size_t>& lengths, std::size_t& sent,
                       std::chrono::milliseconds patience) {
    std::vector<std::size_t> ends;
    std::size_t end = 0;
    for (const std::size_t length : lengths) ends.push_back(end += length);
    const std::vector<std::uint8_t> bytes(end, 7);
    sent = 0;
    return transport.send(bytes, ends, sent, in(patience));
}

}  // namespace

TEST_CASE("SctpTransport: where the kernel has no SCTP, the error says what to do") {
    if (kernel_has_sctp()) {
        MESSAGE("skipped: this kernel has SCTP");
        return;
    }
    SctpTransport transport(kEndpoint);
    const auto status = transport.open(in(1s));
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);
    CHECK(status.error().message.find("modprobe sctp") != std::string::npos);
    CHECK(status.error().message.find("sctp://127.0.0.1:4739") != std::string::npos);
    std::size_t sent = 0;
    CHECK_FALSE(send(transport, {10}, sent, 0ms));
}

TEST_CASE("SctpTransport: where the kernel has it, messages reach a peer each as one") {
    if (!kernel_has_sctp()) {
        MESSAGE("skipped: this kernel has no SCTP");
        return;
    }
    const int listener = ::socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(::listen(listener, 1) == 0);
    REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    SctpTransport transport({EndpointProtocol::kSctp, "127.0.0.1", ntohs(address.sin_port)});
    REQUIRE(transport.open(in(5s)));
    const int peer = ::accept(listener, nullptr, nullptr);
    REQUIRE(peer >= 0);
    std::size_t sent = 0;
    CHECK(send(transport, {8192, 100}, sent, 1s));
    CHECK(sent == 2);
    std::array<char, 65536> octets;
    CHECK(::recv(peer, octets.data(), octets.size(), 0) == 8192);
    CHECK(::recv(peer, octets.data(), octets.size(), 0) == 100);
    transport.close();
    CHECK(::recv(peer, octets.data(), octets.size(), 0) == 0);
    ::close(peer);
    ::close(listener);
}

TEST_CASE("SctpTransport: each message is handed over as one, in order; a slow peer makes it busy") {
    const Pair pair;
    SctpTransport transport(kEndpoint, {}, pair.ours);
    std::size_t sent = 0;
    REQUIRE(send(transport, {1000, 1, 8192}, sent, 1s));
    CHECK(sent == 3);
    CHECK(pair.read_length() == 1000);
    CHECK(pair.read_length() == 1);
    CHECK(pair.read_length() == 8192);

    const std::vector<std::size_t> many(2000, 8192);
    const auto status = send(transport, many, sent, 20ms);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kBusy);
    CHECK(sent > 0);
    CHECK(sent < many.size());
    for (std::size_t i = 0; i < sent; ++i) CHECK(pair.read_length() == 8192);
    CHECK(pair.read_length() == 0);
    CHECK(send(transport, {5}, sent, 1s));
    CHECK(pair.read_length() == 5);
}

TEST_CASE("SctpTransport: a peer on which nothing moves any more is given up") {
    const Pair pair;
    SctpTransport transport(kEndpoint, {.stall_timeout = 50ms}, pair.ours);
    std::size_t sent = 0;
    const auto status = send(transport, std::vector<std::size_t>(2000, 8192), sent, 10s);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);
    CHECK(status.error().message.find("stalled") != std::string::npos);
}

TEST_CASE("SctpTransport: what a peer says is ignored, that it closed is an error") {
    Pair pair;
    SctpTransport transport(kEndpoint, {}, pair.ours);
    for (int i = 0; i < 10; ++i) REQUIRE(::send(pair.peer, "hello", 5, MSG_DONTWAIT) == 5);
    CHECK(transport.check());
    std::size_t sent = 0;
    CHECK(send(transport, {10}, sent, 1s));
    CHECK(pair.read_length() == 10);
    pair.close_peer();
    const auto status = transport.check();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);
}
