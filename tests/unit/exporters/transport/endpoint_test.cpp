// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/endpoint.hpp"

#include <doctest/doctest.h>

using namespace nfstreamd::exporters;
using namespace std::chrono_literals;

TEST_CASE("Endpoint: protocol, host and port are read and written back") {
    const auto parse = [](std::string_view text) {
        const auto endpoint = parse_endpoint(text, kIpfixPorts);
        return endpoint ? endpoint.value().text() : "error: " + endpoint.error().message;
    };
    CHECK(parse("udp://127.0.0.1:4739") == "udp://127.0.0.1:4739");
    CHECK(parse("tcp://collector.example") == "tcp://collector.example:4739");
    CHECK(parse("udp://[2001:db8::5]:9") == "udp://[2001:db8::5]:9");
    CHECK(parse("tcp://[::1]") == "tcp://[::1]:4739");
    CHECK(parse("sctp://a") == "sctp://a:4739");
    CHECK(parse("tls://collector.example") == "tls://collector.example:4740");
    CHECK(parse("dtls://[::1]") == "dtls://[::1]:4740");
    CHECK(parse("dtls://a:4739") == "dtls://a:4739");
}

TEST_CASE("Endpoint: what is none is an error that says how to write it") {
    for (const char* text :
         {"", "udp://", "127.0.0.1:4739", "http://a:1", "udpx://a:1", "udp://a:", "udp://a:0", "udp://a:65536",
          "udp://a:1x", "udp://::1:4739", "udp://[::1", "udp://[::1]4739", "udp://a/b", "tcp://:1"}) {
        CAPTURE(text);
        const auto endpoint = parse_endpoint(text, kIpfixPorts);
        REQUIRE_FALSE(endpoint);
        CHECK(endpoint.error().code == nfstreamd::ErrorCode::kInvalidArgument);
        CHECK(endpoint.error().message.find("udp://HOST:PORT") != std::string::npos);
    }
}

TEST_CASE("Endpoint: a protocol that is not possible in a place is told with those that are") {
    constexpr EndpointProtocol kListens[] = {EndpointProtocol::kUdp, EndpointProtocol::kTcp};
    CHECK(parse_endpoint("tcp://a", kIpfixPorts, kListens));
    const auto endpoint = parse_endpoint("tls://a", kIpfixPorts, kListens);
    REQUIRE_FALSE(endpoint);
    CHECK(endpoint.error().message ==
          "\"tls://a\": tls:// is not possible here; write udp://HOST:PORT or tcp://HOST:PORT, an IPv6 address in "
          "brackets");
}

TEST_CASE("Endpoint: addresses and localhost resolve") {
    for (const char* host : {"127.0.0.1", "::1", "localhost"}) {
        const auto addresses = resolve_host(host, 10s);
        REQUIRE(addresses);
        REQUIRE_FALSE(addresses.value().empty());
        CHECK(addresses.value().front().is_loopback());
    }
}

TEST_CASE("Endpoint: a name without an answer in time is an error") {
    const auto addresses = resolve_host("localhost", 0ms);
    if (!addresses) CHECK(addresses.error().message.find("localhost") != std::string::npos);
    const auto bad = resolve_host("no such name.invalid", 5s);
    REQUIRE_FALSE(bad);
    CHECK(bad.error().code == nfstreamd::ErrorCode::kUnavailable);
}
