// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/udp_transport.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "tests/support/network_namespace.hpp"

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

using Message = std::vector<std::uint8_t>;
const Message kMessage{1, 2, 3, 4};

// All of them in one call; `sent` counts those that left.
nfstreamd::Status send(UdpTransport& transport, const std::vector<Message>& messages, std::size_t* count = nullptr) {
    Message bytes;
    std::vector<std::size_t> ends;
    for (const Message& message : messages) {
        bytes.insert(bytes.end(), message.begin(), message.end());
        ends.push_back(bytes.size());
    }
    std::size_t sent = 0;
    const auto status = transport.send(bytes, ends, sent, soon());
    if (count != nullptr) *count = sent;
    return status;
}

// Message i is of lengths[i] octets and like no other.
std::vector<Message> numbered(const std::vector<std::size_t>& lengths) {
    std::vector<Message> messages;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        Message message(lengths[i], static_cast<std::uint8_t>(i));
        message.at(1) = static_cast<std::uint8_t>(i >> 8);
        messages.push_back(std::move(message));
    }
    return messages;
}

struct Collector {
    boost::asio::io_context io;
    udp::socket socket{io};

    explicit Collector(const char* address = "127.0.0.1") {
        const auto ip = boost::asio::ip::make_address(address);
        socket.open(ip.is_v4() ? udp::v4() : udp::v6());
        socket.set_option(boost::asio::socket_base::receive_buffer_size(4 << 20));
        socket.bind({ip, 0});
    }
    Endpoint endpoint() const {
        return {EndpointProtocol::kUdp, socket.local_endpoint().address().to_string(), socket.local_endpoint().port()};
    }
    std::vector<Message> waiting() {
        std::vector<Message> got;
        socket.non_blocking(true);
        boost::system::error_code error;
        while (true) {
            Message message(65536);
            message.resize(socket.receive(boost::asio::buffer(message), 0, error));
            if (error) return got;
            got.push_back(std::move(message));
        }
    }
};

}  // namespace

TEST_CASE("UdpTransport: a message arrives as one datagram, from the chosen source address") {
    Collector collector;
    UdpTransport transport(collector.endpoint(), {.source_address = "127.0.0.3"});
    REQUIRE(transport.open(soon()));
    REQUIRE(send(transport, {kMessage}));
    std::vector<std::uint8_t> got(100);
    udp::endpoint from;
    got.resize(collector.socket.receive_from(boost::asio::buffer(got), from));
    CHECK(got == kMessage);
    CHECK(from.address().to_string() == "127.0.0.3");
    CHECK(transport.is_datagram());
    CHECK(transport.take_refused().empty());
}

TEST_CASE("UdpTransport: when nobody listens, each message is told to be refused, by number and once") {
    for (const bool segmentation : {true, false}) {
        CAPTURE(segmentation);
        UdpTransport transport({EndpointProtocol::kUdp, "127.0.0.1", unused_port()}, {}, segmentation);
        REQUIRE(transport.open(soon()));
        for (std::uint64_t i = 0; i < 3; ++i) {
            REQUIRE(send(transport, {kMessage}));
            CHECK(transport.take_refused() == (i == 0 ? std::vector<std::uint64_t>{} : std::vector{i - 1}));
        }
        REQUIRE(send(transport, numbered({100, 100, 100, 60, 70, 100, 100})));
        REQUIRE(transport.check());
        auto refused = transport.take_refused();
        std::sort(refused.begin(), refused.end());
        CHECK(refused == std::vector<std::uint64_t>{2, 3, 4, 5, 6, 7, 8, 9});
        REQUIRE(transport.check());
        CHECK(transport.take_refused().empty());
    }
}

TEST_CASE("UdpTransport: many messages leave in one call, whole and in order, with and without GSO") {
    std::vector<std::size_t> lengths;
    for (std::size_t i = 0; i < 150; ++i) lengths.push_back(1372);  // more than one group and one call hold
    for (std::size_t i = 0; i < 100; ++i) lengths.push_back(20 + i * 37 % 500);
    for (std::size_t i = 0; i < 100; ++i) lengths.push_back(i % 5 == 4 ? 50 : 300);
    lengths.insert(lengths.end(), {30'000, 30'000, 30'000, 2, 2});
    const auto messages = numbered(lengths);
    for (const char* address : {"127.0.0.1", "::1"})
        for (const bool segmentation : {true, false}) {
            CAPTURE(address);
            CAPTURE(segmentation);
            Collector collector(address);
            UdpTransport transport(collector.endpoint(), {}, segmentation);
            REQUIRE(transport.open(soon()));
            if (!segmentation) CHECK_FALSE(transport.segments());
            std::size_t sent = 0;
            REQUIRE(send(transport, messages, &sent));
            CHECK(sent == messages.size());
            CHECK(collector.waiting() == messages);
            CHECK(transport.take_refused().empty());
        }
}

TEST_CASE("UdpTransport: a message that no datagram holds can never go, others can") {
    Collector collector;
    UdpTransport transport(collector.endpoint());
    REQUIRE(transport.open(soon()));
    std::size_t sent = 0;
    const auto messages = numbered({100, 100, 65535, 100});
    auto status = send(transport, messages, &sent);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == nfstreamd::ErrorCode::kInvalidArgument);
    CHECK(sent == 2);
    CHECK(send(transport, {messages[3]}));
    CHECK(collector.waiting() == std::vector{messages[0], messages[1], messages[3]});
}

TEST_CASE("UdpTransport: messages may be as long as the path takes, and a path that takes less is noticed") {
    const nfstreamd::test::NetworkNamespace network;
    if (!network) return;
    for (const char* address : {"127.0.0.1", "::1"}) {
        CAPTURE(address);
        const std::size_t headers = address == std::string("::1") ? 48 : 28;
        REQUIRE(nfstreamd::test::ip("link set lo mtu 9000"));
        Collector collector(address);
        UdpTransport small(collector.endpoint()), large(collector.endpoint(), {.mtu = 9000});
        CHECK(small.message_limit() == 1420 - 48);
        REQUIRE(small.open(soon()));
        REQUIRE(large.open(soon()));
        CHECK(small.message_limit() == 1420 - 48);
        CHECK(large.message_limit() == 9000 - 48);
        REQUIRE(nfstreamd::test::ip("link set lo mtu 1300"));
        REQUIRE(small.check());
        REQUIRE(large.check());
        CHECK(small.message_limit() == 1300 - headers);
        CHECK(large.message_limit() == 1300 - headers);
        // what was made before is not lost
        std::size_t sent = 0;
        const auto messages = numbered({large.message_limit(), 1372, 1372, 8952, 100, 100});
        REQUIRE(send(large, messages, &sent));
        CHECK(sent == messages.size());
        CHECK(collector.waiting() == messages);
    }
}

TEST_CASE("UdpTransport: of a name whose first address refuses, another is tried") {
    Collector collector;  // at 127.0.0.1
    UdpTransport transport(
        {EndpointProtocol::kUdp, "collector", collector.endpoint().port}, {}, true, [](const std::string&) {
            return Addresses{boost::asio::ip::make_address("127.0.0.9"), boost::asio::ip::make_address("127.0.0.1")};
        });
    REQUIRE(transport.open(soon()));
    REQUIRE(send(transport, {kMessage}));
    REQUIRE(transport.check());
    CHECK(transport.take_refused().size() == 1);
    const auto status = transport.check();
    REQUIRE_FALSE(status);
    CHECK(status.error().message.find("127.0.0.9") != std::string::npos);
    REQUIRE(transport.open(soon()));
    REQUIRE(send(transport, {kMessage}));
    CHECK(collector.waiting() == std::vector<Message>{kMessage});
    CHECK(transport.check());
}

TEST_CASE("UdpTransport: a source address that is not ours is an error of open") {
    UdpTransport transport({EndpointProtocol::kUdp, "127.0.0.1", 4739}, {.source_address = "192.0.2.77"});
    CHECK_FALSE(transport.open(soon()));
}
