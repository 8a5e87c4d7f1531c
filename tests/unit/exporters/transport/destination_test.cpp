// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/destination.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>

using namespace nfstreamd::exporters;
using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using nfstreamd::Error;
using nfstreamd::ErrorCode;
using nfstreamd::ok;
using nfstreamd::Status;

namespace {

const Endpoint kEndpoint{EndpointProtocol::kTcp, "collector", 4739};

HostAddresses::Lookup always(std::vector<const char*> texts) {
    Addresses addresses;
    for (const char* text : texts) addresses.push_back(make_address(text));
    return [addresses](const std::string&) { return addresses; };
}

Destination::Clock::time_point in(std::chrono::milliseconds time) {
    return Destination::Clock::now() + time;
}

Status refuse() {
    return Error{ErrorCode::kUnavailable, "refused", ""};
}

}  // namespace

TEST_CASE("Destination: addresses are tried in order until one is reached, each with its share of the time") {
    Destination destination(kEndpoint, {}, always({"192.0.2.1", "2001:db8::1", "192.0.2.3", "192.0.2.4"}));
    std::vector<std::string> tried;
    const auto deadline = in(3s);
    const Status status = destination.reach(deadline, [&](const auto& address, auto until) {
        tried.push_back(address.to_string());
        const auto left = 4 - static_cast<int>(tried.size()) + 1;
        CHECK(until <= Destination::Clock::now() + (deadline - Destination::Clock::now()) / left + 100ms);
        return tried.size() == 3 ? ok() : refuse();
    });
    CHECK(status);
    CHECK(tried == std::vector<std::string>{"192.0.2.1", "2001:db8::1", "192.0.2.3"});
    CHECK(destination.check());
}

TEST_CASE("Destination: when no address is reached the error is that of the last one") {
    Destination destination(kEndpoint, {}, always({"192.0.2.1", "192.0.2.2"}));
    int calls = 0;
    const Status status = destination.reach(in(3s), [&](const auto& address, auto) -> Status {
        ++calls;
        return Error{ErrorCode::kUnavailable, address.to_string(), ""};
    });
    REQUIRE_FALSE(status);
    CHECK(calls == 2);
    CHECK(status.error().message == "192.0.2.2");
}

TEST_CASE("Destination: a source address leaves addresses of its version only") {
    std::vector<std::string> tried;
    const auto note = [&](const auto& address, auto) {
        tried.push_back(address.to_string());
        return refuse();
    };
    Destination six(kEndpoint, {.source_address = "::1"}, always({"192.0.2.1", "2001:db8::1"}));
    CHECK_FALSE(six.reach(in(3s), note));
    CHECK(tried == std::vector<std::string>{"2001:db8::1"});
    Destination none(kEndpoint, {.source_address = "::1"}, always({"192.0.2.1"}));
    const Status status = none.reach(in(3s), note);
    REQUIRE_FALSE(status);
    CHECK(status.error().message.find("no IPv6 address") != std::string::npos);
    CHECK(tried.size() == 1);
}

TEST_CASE("Destination: a name that stands for another address ends the session, with a text that says so") {
    auto moved = std::make_shared<std::atomic<bool>>(false);
    Destination destination(kEndpoint, {.resolve_interval = 1ms}, [moved](const std::string&) {
        return Addresses{make_address(*moved ? "192.0.2.2" : "192.0.2.1")};
    });
    REQUIRE(destination.reach(in(3s), [](const auto&, auto) { return ok(); }));
    *moved = true;
    const auto deadline = in(10s);
    Status status = ok();
    while (status && Destination::Clock::now() < deadline) status = destination.check();
    REQUIRE_FALSE(status);
    CHECK(status.error().message.find("the address of collector changed") != std::string::npos);
    std::string used;
    REQUIRE(destination.reach(in(3s), [&](const auto& address, auto) {
        used = address.to_string();
        return ok();
    }));
    CHECK(used == "192.0.2.2");
}

TEST_CASE("Destination: an address where nobody is comes last next time, if there are others") {
    Destination destination(kEndpoint, {}, always({"192.0.2.1", "192.0.2.2", "192.0.2.3"}));
    std::vector<std::string> tried;
    const auto note = [&](const auto& address, auto) {
        tried.push_back(address.to_string());
        return ok();
    };
    REQUIRE(destination.reach(in(3s), note));
    const Status status = destination.leave();
    REQUIRE_FALSE(status);
    CHECK(status.error().message.find("192.0.2.1") != std::string::npos);
    REQUIRE(destination.reach(in(3s), note));
    CHECK_FALSE(destination.leave());
    REQUIRE(destination.reach(in(3s), note));
    CHECK(tried == std::vector<std::string>{"192.0.2.1", "192.0.2.2", "192.0.2.1"});
    Destination only(kEndpoint, {}, always({"192.0.2.1"}));
    REQUIRE(only.reach(in(3s), note));
    CHECK(only.leave());
}

TEST_CASE("Destination: the time for all is no longer than connect_timeout") {
    Destination destination(kEndpoint, {.connect_timeout = 100ms}, always({"192.0.2.1"}));
    CHECK_FALSE(destination.reach(in(1h), [&](const auto&, auto until) {
        CHECK(until <= in(100ms));
        return refuse();
    }));
}
