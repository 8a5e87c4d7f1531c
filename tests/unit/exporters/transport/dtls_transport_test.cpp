// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/dtls_transport.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "tests/support/certificates.hpp"
#include "tests/support/ports.hpp"

using namespace nfstreamd::exporters;
using namespace nfstreamd::test;
using namespace std::chrono_literals;
using boost::asio::ip::udp;
using nfstreamd::ErrorCode;
using nfstreamd::Status;

namespace {

std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

struct Sides {
    Certificates certificates;
    std::uint16_t port = unused_port();

    Sides() {
        certificates.make("collector", "ca", "DNS:localhost,IP:127.0.0.1");
        certificates.make("probe", "ca", "DNS:probe.example");
        certificates.make("stranger", "other", "DNS:probe.example");
    }
    SecureCollector collector() const { return {certificates, "collector", port, {"-dtls", "-timeout"}}; }
    std::unique_ptr<DtlsTransport> transport(const TlsOptions& tls, TransportOptions options = {},
                                             std::uint16_t other_port = 0) const {
        auto context = TlsContext::load(tls, true);
        REQUIRE(context);
        return std::make_unique<DtlsTransport>(
            Endpoint{EndpointProtocol::kDtls, "127.0.0.1", other_port != 0 ? other_port : port}, options,
            context.value());
    }
    std::unique_ptr<DtlsTransport> transport(TransportOptions options = {}) const {
        return transport(certificates.options("probe"), options);
    }
};

// Until it listens.
Status open(MessageTransport& transport) {
    const auto deadline = in(20s);
    while (true) {
        Status status = transport.open(in(4s));
        if (status || status.error().code == ErrorCode::kPermission || std::chrono::steady_clock::now() > deadline)
            return status;
    }
}

Status send(MessageTransport& transport, const std::string& text, std::size_t size, std::size_t& sent) {
    std::vector<std::uint8_t> bytes(text.begin(), text.end());
    std::vector<std::size_t> ends;
    for (std::size_t end = size; end <= bytes.size(); end += size) ends.push_back(end);
    sent = 0;
    return transport.send(bytes, ends, sent, in(4s));
}

template <class Condition>
bool comes(Condition condition) {
    const auto deadline = in(20s);
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return condition();
}

// Between a transport and its collector: datagrams in both directions, of which
// the n-th is lost, and those to the collector are measured.
struct Relay {
    boost::asio::io_context io;
    udp::socket front{io, {boost::asio::ip::address_v4::loopback(), 0}}, back{io, udp::v4()};
    std::vector<std::size_t> lengths;
    std::jthread thread;

    explicit Relay(std::uint16_t collector, int lost = 0) {
        back.connect({boost::asio::ip::address_v4::loopback(), collector});
        thread = std::jthread([this, lost](const std::stop_token& stop) { run(stop, lost); });
    }
    std::uint16_t port() { return front.local_endpoint().port(); }
    void end() {
        thread.request_stop();
        thread.join();
    }

private:
    void run(const std::stop_token& stop, int lost) {
        front.non_blocking(true);
        back.non_blocking(true);
        std::array<char, 65536> octets;
        udp::endpoint from;
        int number = 0;
        while (!stop.stop_requested()) {
            boost::system::error_code error;
            if (const auto n = front.receive_from(boost::asio::buffer(octets), from, 0, error); !error) {
                lengths.push_back(n);
                if (++number != lost) back.send(boost::asio::buffer(octets, n), 0, error);
            }
            if (const auto n = back.receive(boost::asio::buffer(octets), 0, error); !error && ++number != lost)
                front.send_to(boost::asio::buffer(octets, n), from, 0, error);
            std::this_thread::yield();
        }
    }
};

}  // namespace

TEST_CASE("DtlsTransport: each message is one datagram no longer than the mtu, and arrives") {
    const Sides sides;
    auto collector = sides.collector();
    Relay relay(sides.port);
    const auto transport = sides.transport(sides.certificates.options("probe"), {}, relay.port());
    REQUIRE(open(*transport));
    const std::size_t limit = transport->message_limit();
    CHECK(limit >= 1420 - 48 - 93);
    CHECK(limit <= 1420 - 48);
    std::string expected;
    for (int batch = 0; batch < 7; ++batch) {  // no more at once than its socket holds
        std::string messages;
        for (int i = 0; i < 20; ++i) messages += std::string(limit, static_cast<char>('a' + (batch * 20 + i) % 26));
        std::size_t sent = 0;
        REQUIRE(send(*transport, messages, limit, sent));
        REQUIRE(sent == 20);
        expected += messages;
        REQUIRE(comes([&] { return collector.received().size() >= expected.size(); }));
    }
    const bool same = collector.received() == expected;
    CHECK(same);
    transport->close();
    relay.end();
    CHECK(std::count_if(relay.lengths.begin(), relay.lengths.end(), [&](auto n) { return n > limit; }) >= 140);
    for (const std::size_t length : relay.lengths) CHECK(length <= 1420 - 28);
}

TEST_CASE("DtlsTransport: what is lost of the handshake is sent again") {
    const Sides sides;
    for (const int lost : {1, 2, 4}) {
        CAPTURE(lost);
        auto collector = sides.collector();
        REQUIRE(open(*sides.transport()));  // it is there
        Relay relay(sides.port, lost);
        const auto transport =
            sides.transport(sides.certificates.options("probe"), {.connect_timeout = 20s}, relay.port());
        CHECK(transport->open(in(20s)));
    }
}

TEST_CASE("DtlsTransport: a message that is too long for a datagram can never go, others can") {
    const Sides sides;
    auto collector = sides.collector();
    const auto transport = sides.transport();
    REQUIRE(open(*transport));
    std::size_t sent = 0;
    const auto status = send(*transport, std::string(1400, 'x'), 1400, sent);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kInvalidArgument);
    CHECK(send(*transport, "short", 5, sent));
    CHECK(comes([&] { return collector.received() == "short"; }));
}

TEST_CASE("DtlsTransport: neither side takes the other's certificate by another CA or for another name") {
    const Sides sides;
    auto collector = sides.collector();
    REQUIRE(open(*sides.transport()));
    auto status = sides.transport(sides.certificates.options("probe", "other"))->open(in(4s));
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kPermission);
    auto options = sides.certificates.options("probe");
    options.server_name = "other.example";
    status = sides.transport(options)->open(in(4s));
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kPermission);
    CHECK(status.error().message.find("other.example") != std::string::npos);
    status = sides.transport(sides.certificates.options("stranger"))->open(in(4s));
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kPermission);
    CHECK(status.error().message.find("refuses our certificate") != std::string::npos);
    CHECK(collector.received().empty());
}

TEST_CASE("DtlsTransport: nobody listening is an error of open long before the deadline") {
    const Sides sides;
    const auto began = std::chrono::steady_clock::now();
    const auto status = sides.transport()->open(in(10s));
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);
    CHECK(std::chrono::steady_clock::now() - began < 3s);
}

TEST_CASE("DtlsTransport: a collector that has gone ends the session, its messages are told to be refused") {
    const Sides sides;
    const auto transport = sides.transport();
    std::size_t sent = 0;
    {
        auto collector = sides.collector();
        REQUIRE(open(*transport));
        REQUIRE(send(*transport, "onetwo", 3, sent));
        CHECK(comes([&] { return collector.received() == "onetwo"; }));
        CHECK(transport->take_refused().empty());
    }
    REQUIRE(send(*transport, "threefour1", 5, sent));
    REQUIRE(sent == 2);
    CHECK(comes([&] { return !transport->check().has_value(); }));
    const auto refused = transport->take_refused();
    CHECK(refused == std::vector<std::uint64_t>{2, 3});
    auto collector = sides.collector();
    REQUIRE(open(*transport));
    REQUIRE(send(*transport, "five", 4, sent));
    CHECK(comes([&] { return collector.received() == "five"; }));
}

TEST_CASE("DtlsTransport: a session ends after its lifetime") {
    const Sides sides;
    auto collector = sides.collector();
    const auto transport = sides.transport({.session_lifetime = 50ms});
    REQUIRE(open(*transport));
    Status status = nfstreamd::ok();
    CHECK(comes([&] { return !(status = transport->check()).has_value(); }));
    CHECK(status.error().message.find("session_lifetime") != std::string::npos);
}
