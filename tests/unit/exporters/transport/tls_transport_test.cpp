// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/tls_transport.hpp"

#include <doctest/doctest.h>

#include <boost/asio/write.hpp>
#include <thread>
#include <vector>

#include "tests/support/certificates.hpp"
#include "tests/support/ports.hpp"

using namespace nfstreamd::exporters;
using namespace nfstreamd::test;
using namespace std::chrono_literals;
using nfstreamd::ErrorCode;
using nfstreamd::Status;
using Strings = std::vector<std::string>;

namespace {

std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

struct Sides {
    Certificates certificates;
    std::uint16_t port = unused_port();

    Sides() {
        certificates.make("collector", "ca", "DNS:collector.example,IP:127.0.0.1");
        certificates.make("probe", "ca", "DNS:probe.example");
        certificates.make("stranger", "other", "DNS:probe.example");
    }
    SecureCollector collector(const Strings& more = {}) const { return {certificates, "collector", port, more}; }
    std::unique_ptr<TlsTransport> transport(TlsOptions tls, std::string host = "127.0.0.1") const {
        auto context = TlsContext::load(tls, false);
        REQUIRE(context);
        return std::make_unique<TlsTransport>(Endpoint{EndpointProtocol::kTls, std::move(host), port},
                                              TransportOptions{.tls = tls}, context.value());
    }
    std::unique_ptr<TlsTransport> transport() const { return transport(certificates.options("probe")); }
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

std::vector<std::uint8_t> message(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31 + i / 256);
    return bytes;
}

// Messages of `size` octets until all are out; busy is gone on with as the contract says.
Status send_all(MessageTransport& transport, const std::vector<std::uint8_t>& bytes, std::size_t size,
                std::chrono::milliseconds patience) {
    const std::span<const std::uint8_t> all(bytes);
    const auto deadline = in(60s);
    for (std::size_t done = 0; done < bytes.size();) {
        std::vector<std::size_t> ends;
        for (std::size_t end = size; done + end <= bytes.size(); end += size) ends.push_back(end);
        std::size_t sent = 0;
        Status status = transport.send(all.subspan(done), ends, sent, in(patience));
        done += sent * size;
        if (!status && (status.error().code != ErrorCode::kBusy || std::chrono::steady_clock::now() > deadline))
            return status;
    }
    return nfstreamd::ok();
}

template <class Condition>
bool comes(Condition condition) {
    const auto deadline = in(20s);
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return condition();
}

}  // namespace

TEST_CASE("TlsTransport: messages arrive whole and in order, with TLS 1.2 and 1.3, of any length") {
    const Sides sides;
    for (const char* version : {"-tls1_2", "-tls1_3"}) {
        CAPTURE(version);
        auto collector = sides.collector({version});
        const auto transport = sides.transport();
        REQUIRE(open(*transport));
        std::string expected;
        for (const std::size_t size : {1u, 100u, 8192u, 16384u, 65535u}) {
            const auto bytes = message(size * 3);
            CHECK(send_all(*transport, bytes, size, 1s));
            expected.append(bytes.begin(), bytes.end());
        }
        CHECK(transport->check());
        CHECK(transport->message_limit() == 0);
        transport->close();
        CHECK(comes([&] { return collector.received().size() >= expected.size(); }));
        CHECK(collector.received() == expected);
    }
}

TEST_CASE("TlsTransport: a server that is slow to read makes it busy, and messages go on where they stopped") {
    const Sides sides;
    auto collector = sides.collector();
    const auto transport = sides.transport();
    REQUIRE(open(*transport));
    const auto bytes = message(8 << 20);
    CHECK(send_all(*transport, bytes, 8192, 1ms));  // the deadline comes in the middle of records
    transport->close();
    CHECK(comes([&] { return collector.received().size() >= bytes.size(); }));
    CHECK(collector.received() == std::string(bytes.begin(), bytes.end()));
}

TEST_CASE("TlsTransport: a collector's certificate by another CA or for another name is refused, and nothing is sent") {
    const Sides sides;
    auto collector = sides.collector();
    REQUIRE(open(*sides.transport()));  // it is there
    auto options = sides.certificates.options("probe", "other");
    auto status = sides.transport(options)->open(in(4s));
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kPermission);
    CHECK(status.error().message.find("the certificate of tls://127.0.0.1:") == 0);
    for (const char* name : {"other.example", "collector", "127.0.0.2"}) {
        CAPTURE(name);
        options = sides.certificates.options("probe");
        options.server_name = name;
        status = sides.transport(options)->open(in(4s));
        REQUIRE_FALSE(status);
        CHECK(status.error().code == ErrorCode::kPermission);
        CHECK(status.error().message.find("mismatch") != std::string::npos);
        CHECK(status.error().message.find(name) != std::string::npos);
    }
    options.server_name = "collector.example";
    CHECK(sides.transport(options)->open(in(4s)));
    CHECK(collector.received().empty());
}

TEST_CASE("TlsTransport: a collector that refuses our certificate is noticed by open, with TLS 1.3, too") {
    const Sides sides;
    for (const char* version : {"-tls1_2", "-tls1_3"}) {
        CAPTURE(version);
        auto collector = sides.collector({version});
        const auto status = open(*sides.transport(sides.certificates.options("stranger")));
        REQUIRE_FALSE(status);
        CHECK(status.error().code == ErrorCode::kPermission);
        CHECK(status.error().message.find("refuses our certificate") != std::string::npos);
        CHECK(status.error().message.find("unknown CA") != std::string::npos);
    }
}

TEST_CASE("TlsTransport: a collector that sends no tickets is taken to accept us after a while") {
    const Sides sides;
    auto collector = sides.collector({"-tls1_3", "-num_tickets", "0"});
    const auto transport = sides.transport();
    REQUIRE(open(*transport));
    CHECK(send_all(*transport, message(100), 100, 1s));
    CHECK(comes([&] { return collector.received().size() == 100; }));
}

TEST_CASE("TlsTransport: what does not speak TLS gets no session and no message") {
    const Sides sides;
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor acceptor(io, {boost::asio::ip::address_v4::loopback(), sides.port});
    std::thread echo([&] {
        auto peer = acceptor.accept();
        std::array<char, 1024> octets;
        boost::system::error_code error;
        peer.read_some(boost::asio::buffer(octets), error);
        boost::asio::write(peer, boost::asio::buffer("not TLS at all\n", 15), error);
        while (!error) peer.read_some(boost::asio::buffer(octets), error);
    });
    const auto transport = sides.transport();
    const auto status = transport->open(in(4s));
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);
    const std::size_t end = 1;
    std::size_t sent = 0;
    CHECK_FALSE(transport->send(message(1), {&end, 1}, sent, in(1s)));
    CHECK(sent == 0);
    echo.join();
}

TEST_CASE("TlsTransport: a collector that says nothing costs the deadline, no more") {
    const Sides sides;
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor acceptor(io, {boost::asio::ip::address_v4::loopback(), sides.port});
    const auto began = std::chrono::steady_clock::now();
    CHECK_FALSE(sides.transport()->open(in(200ms)));
    CHECK(std::chrono::steady_clock::now() - began < 3s);
}

TEST_CASE(
    "TlsTransport: a collector that was killed is noticed, its messages are unconfirmed, and another session works") {
    const Sides sides;
    const auto transport = sides.transport();
    {
        auto collector = sides.collector();
        REQUIRE(open(*transport));
        CHECK(transport->unconfirmed() == 0);
        CHECK(send_all(*transport, message(1000), 100, 1s));
        CHECK(transport->unconfirmed() == 10);
    }
    CHECK(comes([&] { return !transport->check().has_value(); }));
    transport->close();
    CHECK(transport->unconfirmed() == 10);
    auto collector = sides.collector();
    REQUIRE(open(*transport));
    CHECK(transport->unconfirmed() == 0);
    CHECK(send_all(*transport, message(300), 100, 1s));
    CHECK(comes([&] { return collector.received().size() == 300; }));
}

TEST_CASE("TlsTransport: a collector that ends the session as we did has read everything, whoever is first then") {
    const Sides sides;
    const auto transport = sides.transport();
    auto collector = sides.collector();
    for (int session = 0; session < 10; ++session) {
        REQUIRE(open(*transport));
        CHECK(send_all(*transport, message(1000), 100, 1s));
        CHECK(transport->unconfirmed() == 10);
        const auto deadline = in(20s);
        Status status = transport->conclude(in(20ms));
        while (!status && status.error().code == ErrorCode::kBusy && std::chrono::steady_clock::now() < deadline)
            status = transport->conclude(in(20ms));
        CHECK_MESSAGE(status.has_value(), (status ? "" : status.error().text()));
        CHECK(transport->unconfirmed() == 0);
    }
}

TEST_CASE("TlsTransport: a renewed certificate counts from the next session on, a broken one leaves the old") {
    const Sides sides;
    auto& certificates = const_cast<Certificates&>(sides.certificates);
    auto collector = sides.collector();
    certificates.make("mine", "other", "DNS:probe.example");
    const auto transport = sides.transport(certificates.options("mine"));
    CHECK_FALSE(open(*transport));
    certificates.make("mine", "ca", "DNS:probe.example");
    CHECK(open(*transport));
    std::ofstream(certificates.pem("mine")) << "broken";
    CHECK(open(*transport));
}
