// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/udp_transport.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace nfstreamd::exporters;
using namespace std::chrono_literals;
using boost::asio::ip::udp;

namespace {

std::chrono::steady_clock::time_point soon() {
    return std::chrono::steady_clock::now() + 5s;
}

std::uint16_t unused_port() {
    boost::asio::io_context io;
    udp::socket socket(io, udp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    return socket.local_endpoint().port();
}

const std::vector<std::uint8_t> kMessage{1, 2, 3, 4};

}  // namespace

TEST_CASE("UdpTransport: a message arrives as one datagram, from the chosen source address") {
    boost::asio::io_context io;
    udp::socket collector(io, udp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    UdpTransport transport({EndpointProtocol::kUdp, "127.0.0.1", collector.local_endpoint().port()}, "127.0.0.3");
    REQUIRE(transport.open(soon()));
    REQUIRE(transport.send(kMessage, soon()));
    std::vector<std::uint8_t> got(100);
    udp::endpoint from;
    got.resize(collector.receive_from(boost::asio::buffer(got), from));
    CHECK(got == kMessage);
    CHECK(from.address().to_string() == "127.0.0.3");
    CHECK(transport.is_datagram());
    CHECK_FALSE(transport.take_refused());
}

TEST_CASE("UdpTransport: when nobody listens, each send tells that the one before was refused") {
    UdpTransport transport({EndpointProtocol::kUdp, "127.0.0.1", unused_port()}, "");
    REQUIRE(transport.open(soon()));
    REQUIRE(transport.send(kMessage, soon()));
    CHECK_FALSE(transport.take_refused());
    for (int i = 0; i < 3; ++i) {
        REQUIRE(transport.send(kMessage, soon()));
        CHECK(transport.take_refused());
        CHECK_FALSE(transport.take_refused());
    }
    REQUIRE(transport.check());
    CHECK(transport.take_refused());
}

TEST_CASE("UdpTransport: a message that no datagram holds can never go, others can") {
    boost::asio::io_context io;
    udp::socket collector(io, udp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    UdpTransport transport({EndpointProtocol::kUdp, "127.0.0.1", collector.local_endpoint().port()}, "");
    REQUIRE(transport.open(soon()));
    const auto status = transport.send(std::vector<std::uint8_t>(65535), soon());
    REQUIRE_FALSE(status);
    CHECK(status.error().code == nfstreamd::ErrorCode::kInvalidArgument);
    CHECK(transport.send(kMessage, soon()));
}

TEST_CASE("UdpTransport: a source address that is not ours is an error of open") {
    UdpTransport transport({EndpointProtocol::kUdp, "127.0.0.1", 4739}, "192.0.2.77");
    CHECK_FALSE(transport.open(soon()));
}
