// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/unconfirmed_messages.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "exporters/transport/tcp_transport.hpp"

using nfstreamd::ErrorCode;
using nfstreamd::Status;
using namespace nfstreamd::exporters;
using namespace std::chrono_literals;
using boost::asio::ip::tcp;

namespace {

constexpr std::size_t kOctets = 4096;  // of a message, where nothing else is said

std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

// A collector whose system keeps so many octets for it; 0: as many as it likes.
struct Collector {
    boost::asio::io_context io;
    tcp::acceptor acceptor{io};
    tcp::socket peer{io};
    std::uint64_t read = 0;

    explicit Collector(int buffer) {
        acceptor.open(tcp::v4());
        if (buffer > 0) acceptor.set_option(boost::asio::socket_base::receive_buffer_size(buffer));
        acceptor.bind({boost::asio::ip::address_v4::loopback(), 0});
        acceptor.listen();
    }
    Endpoint endpoint() { return {EndpointProtocol::kTcp, "127.0.0.1", acceptor.local_endpoint().port()}; }
    void read_some(std::size_t most) {
        std::vector<char> octets(most);
        boost::system::error_code error;
        peer.non_blocking(true);
        read += peer.read_some(boost::asio::buffer(octets), error);
    }
    void read_all() {  // to the end of the stream
        std::vector<char> octets(64 * 1024);
        boost::system::error_code error;
        peer.non_blocking(false);
        while (!error) read += peer.read_some(boost::asio::buffer(octets), error);
    }
    std::uint64_t messages_read(std::size_t octets = kOctets) const { return read / octets; }
};

// Messages of so many octets; how many were handed over.
std::size_t send_some(MessageTransport& transport, std::chrono::milliseconds patience, std::size_t count = 16,
                      std::size_t octets = kOctets) {
    const std::vector<std::uint8_t> bytes(count * octets);
    std::vector<std::size_t> ends;
    for (std::size_t end = octets; end <= bytes.size(); end += octets) ends.push_back(end);
    std::size_t sent = 0;
    static_cast<void>(transport.send(bytes, ends, sent, in(patience)));
    return sent;
}

}  // namespace

TEST_CASE("UnconfirmedMessages: a collector that never reads has confirmed nothing, whatever its system acknowledges") {
    for (const int buffer : {0, 16 * 1024, 256 * 1024, 4 << 20}) {
        CAPTURE(buffer);
        Collector collector(buffer);
        TcpTransport transport(collector.endpoint());
        REQUIRE(transport.open(in(5s)));
        collector.acceptor.accept(collector.peer);
        std::size_t sent = 0;
        for (std::size_t n = 1; n > 0; sent += n) n = send_some(transport, 50ms);
        CHECK(sent > 0);
        CHECK(transport.unconfirmed() >= sent);
        transport.close();
        CHECK(transport.unconfirmed() >= sent);
    }
}

TEST_CASE("UnconfirmedMessages: never fewer than the collector has not read, at whatever pace it reads") {
    struct Pace {
        std::size_t messages, octets;  // sent in a round
        int rounds;                    // from one read to the next
        std::size_t read;              // octets at most
    };
    for (const int buffer : {0, 64 * 1024, 1 << 20})
        for (const Pace pace : {Pace{16, 4096, 1, 5'000},
                                {16, 4096, 1, 40'000},
                                {16, 4096, 1, 64'000},
                                {16, 4096, 1, 1'000'000},
                                {1, 300, 2, 500},
                                {1, 4096, 7, 20'000}}) {  // a buffer that grows while it is full
            CAPTURE(buffer);
            CAPTURE(pace.messages);
            CAPTURE(pace.octets);
            CAPTURE(pace.read);
            Collector collector(buffer);
            TcpTransport transport(collector.endpoint());
            REQUIRE(transport.open(in(5s)));
            collector.acceptor.accept(collector.peer);
            std::uint64_t sent = 0, fewest = UINT64_MAX;
            for (int round = 0; round < 3000; ++round) {
                sent += send_some(transport, 0ms, pace.messages, pace.octets);
                const std::uint64_t unread = sent - std::min(sent, collector.messages_read(pace.octets));
                const std::uint64_t unconfirmed = transport.unconfirmed();
                CHECK_MESSAGE(unconfirmed >= unread, "round ", round);
                if (round > 1000) fewest = std::min(fewest, unconfirmed);
                if (round % pace.rounds == 0) collector.read_some(pace.read);
            }
            CHECK(fewest <= (64 << 20) / pace.octets);  // not all of them for ever
        }
}

TEST_CASE("UnconfirmedMessages: a collector that has read everything says so with its end of the connection") {
    Collector collector(0);
    TcpTransport transport(collector.endpoint());
    REQUIRE(transport.open(in(5s)));
    collector.acceptor.accept(collector.peer);
    REQUIRE(send_some(transport, 5s) == 16);
    Status status = transport.conclude(in(20ms));
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kBusy);
    CHECK(transport.unconfirmed() == 16);
    collector.read_all();
    CHECK(collector.messages_read() == 16);
    collector.peer.close();
    REQUIRE(transport.conclude(in(5s)));
    CHECK(transport.unconfirmed() == 0);
    transport.close();
    CHECK(transport.unconfirmed() == 0);
}

TEST_CASE("UnconfirmedMessages: a collector that ends without having read everything confirms nothing") {
    for (const bool before_us : {true, false}) {
        CAPTURE(before_us);
        Collector collector(0);
        TcpTransport transport(collector.endpoint());
        REQUIRE(transport.open(in(5s)));
        collector.acceptor.accept(collector.peer);
        REQUIRE(send_some(transport, 5s) == 16);
        if (!before_us) REQUIRE_FALSE(transport.conclude(in(20ms)));
        collector.read_some(5 * kOctets);
        collector.peer.close();
        const Status status = transport.conclude(in(5s));
        REQUIRE_FALSE(status);
        CHECK(status.error().code == ErrorCode::kUnavailable);
        CHECK(transport.unconfirmed() == 16);
    }
}

TEST_CASE("UnconfirmedMessages: of tiny messages no more than the bound are remembered") {
    UnconfirmedMessages messages;
    for (std::uint64_t end = 1; end <= 100'000; ++end) messages.add(end);
    CHECK(messages.count() == UnconfirmedMessages::kMost);
    messages.clear();
    CHECK(messages.count() == 0);
}
