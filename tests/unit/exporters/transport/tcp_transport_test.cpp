// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/tcp_transport.hpp"

#include <doctest/doctest.h>

#include <boost/asio/read.hpp>
#include <thread>
#include <vector>

using namespace nfstreamd::exporters;
using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using nfstreamd::ErrorCode;

namespace {

std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

struct Collector {
    boost::asio::io_context io;
    tcp::acceptor acceptor{io};
    tcp::socket peer{io};

    Collector() {
        acceptor.open(tcp::v4());
        acceptor.set_option(boost::asio::socket_base::receive_buffer_size(4096));
        acceptor.bind({boost::asio::ip::address_v4::loopback(), 0});
        acceptor.listen();
    }
    Endpoint endpoint() { return {EndpointProtocol::kTcp, "127.0.0.1", acceptor.local_endpoint().port()}; }
};

std::vector<std::uint8_t> message(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + i / 256);
    return bytes;
}

nfstreamd::Status send(TcpTransport& transport, const std::vector<std::uint8_t>& one,
                       std::chrono::steady_clock::time_point deadline) {
    const std::size_t end = one.size();
    std::size_t sent = 0;
    const auto status = transport.send(one, {&end, 1}, sent, deadline);
    CHECK((sent == 1) == status.has_value());
    return status;
}

}  // namespace

TEST_CASE("TcpTransport: nobody listening is an error of open that names the collector") {
    std::uint16_t port = 0;
    {
        Collector gone;
        port = gone.endpoint().port;
    }
    TcpTransport transport({EndpointProtocol::kTcp, "127.0.0.1", port});
    const auto status = transport.open(in(5s));
    REQUIRE_FALSE(status);
    CHECK(status.error().message.find("tcp://127.0.0.1:") != std::string::npos);
}

TEST_CASE("TcpTransport: messages arrive whole at a peer that reads one octet at a time") {
    Collector collector;
    TcpTransport transport(collector.endpoint());
    REQUIRE(transport.open(in(5s)));
    collector.acceptor.accept(collector.peer);
    const auto sent = message(20000);
    std::vector<std::uint8_t> got;
    std::thread reader([&] {
        std::uint8_t byte = 0;
        boost::system::error_code error;
        while (boost::asio::read(collector.peer, boost::asio::buffer(&byte, 1), error) == 1) got.push_back(byte);
    });
    for (int i = 0; i < 3; ++i) CHECK(send(transport, sent, in(10s)));
    transport.close();
    reader.join();
    REQUIRE(got.size() == 3 * sent.size());
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(std::equal(sent.begin(), sent.end(), got.begin() + static_cast<std::ptrdiff_t>(i * sent.size())));
}

TEST_CASE("TcpTransport: a peer that does not read makes it busy, and the message goes on where it stopped") {
    Collector collector;
    TcpTransport transport(collector.endpoint());
    REQUIRE(transport.open(in(5s)));
    collector.acceptor.accept(collector.peer);
    const auto large = message(16 * 1024 * 1024);  // more than any socket buffer
    const auto status = send(transport, large, in(50ms));
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kBusy);

    std::vector<std::uint8_t> got(large.size());
    std::size_t length = 0;
    std::thread reader([&] {
        boost::system::error_code error;
        length = boost::asio::read(collector.peer, boost::asio::buffer(got), error);
    });
    bool done = false;
    for (int i = 0; i < 1000 && !done; ++i) done = send(transport, large, in(1s)).has_value();
    CHECK(done);
    reader.join();
    CHECK(length == large.size());
    CHECK(got == large);
}

TEST_CASE("TcpTransport: a peer on which nothing moves any more is given up") {
    Collector collector;
    TcpTransport transport(collector.endpoint(), {.stall_timeout = 100ms});
    REQUIRE(transport.open(in(5s)));
    collector.acceptor.accept(collector.peer);
    const auto status = send(transport, message(16 * 1024 * 1024), in(10s));
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);
}

TEST_CASE("TcpTransport: a peer that closed is noticed without a send, and another session works") {
    Collector collector;
    TcpTransport transport(collector.endpoint());
    REQUIRE(transport.open(in(5s)));
    collector.acceptor.accept(collector.peer);
    CHECK(transport.check());
    collector.peer.close();
    const auto deadline = in(5s);
    bool noticed = false;
    while (!noticed && std::chrono::steady_clock::now() < deadline) noticed = !transport.check().has_value();
    CHECK(noticed);
    CHECK_FALSE(send(transport, message(10), in(1s)));

    REQUIRE(transport.open(in(5s)));
    collector.acceptor.accept(collector.peer);
    REQUIRE(send(transport, message(10), in(1s)));
    std::vector<std::uint8_t> got(10);
    CHECK(boost::asio::read(collector.peer, boost::asio::buffer(got)) == 10);
    CHECK(got == message(10));
}

TEST_CASE(
    "TcpTransport: of many messages those are told that are out as a whole, and the next call goes on behind them") {
    Collector collector;
    TcpTransport transport(collector.endpoint());
    REQUIRE(transport.open(in(5s)));
    collector.acceptor.accept(collector.peer);
    constexpr std::size_t kOctets = 8000, kMessages = 2000;
    const auto bytes = message(kOctets * kMessages);  // more than any socket buffer
    std::vector<std::size_t> ends;
    for (std::size_t i = 1; i <= kMessages; ++i) ends.push_back(i * kOctets);
    std::size_t first = 0;
    const auto send_rest = [&](std::chrono::milliseconds limit) {
        std::vector<std::size_t> rest;
        for (std::size_t i = first; i < kMessages; ++i) rest.push_back(ends[i] - first * kOctets);
        std::size_t sent = 0;
        const auto status = transport.send(std::span(bytes).subspan(first * kOctets), rest, sent, in(limit));
        first += sent;
        return status.has_value();
    };
    CHECK_FALSE(send_rest(50ms));
    CHECK(first > 0);
    CHECK(first < kMessages);
    std::vector<std::uint8_t> got(bytes.size());
    std::thread reader([&] { boost::asio::read(collector.peer, boost::asio::buffer(got)); });
    bool done = false;
    for (int i = 0; i < 1000 && !done; ++i) done = send_rest(1s);
    CHECK(done);
    CHECK(first == kMessages);
    reader.join();
    CHECK(got == bytes);
}
