// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/host_addresses.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

using namespace nfstreamd::exporters;
using namespace std::chrono_literals;
using nfstreamd::Error;
using nfstreamd::ErrorCode;
using nfstreamd::Result;

namespace {

// A name server by hand.
struct NameServer {
    std::mutex mutex;
    std::condition_variable changed;
    bool hangs = false;
    Result<Addresses> answer = Error{ErrorCode::kUnavailable, "no such name", ""};
    std::atomic<int> asked = 0, inside = 0, most_inside = 0;

    void set(const char* address) {
        const std::lock_guard lock(mutex);
        answer = Addresses{boost::asio::ip::make_address(address)};
    }
    void fail() {
        const std::lock_guard lock(mutex);
        answer = Error{ErrorCode::kUnavailable, "no such name", ""};
    }
    void hang(bool on) {
        const std::lock_guard lock(mutex);
        hangs = on;
        changed.notify_all();
    }
};

// Its threads may outlive a test.
HostAddresses::Lookup lookup_of(std::shared_ptr<NameServer> server) {
    return [server = std::move(server)](const std::string&) {
        ++server->asked;
        server->most_inside = std::max<int>(server->most_inside, ++server->inside);
        std::unique_lock lock(server->mutex);
        server->changed.wait(lock, [&] { return !server->hangs; });
        --server->inside;
        return server->answer;
    };
}

HostAddresses::Clock::time_point in(std::chrono::milliseconds time) {
    return HostAddresses::Clock::now() + time;
}

bool comes(const std::function<bool()>& condition) {
    const auto deadline = in(10s);
    while (HostAddresses::Clock::now() < deadline)
        if (condition()) return true;
    return false;
}

}  // namespace

TEST_CASE("HostAddresses: a literal address is never looked up") {
    auto server = std::make_shared<NameServer>();
    HostAddresses host("2001:db8::1", lookup_of(server));
    REQUIRE(host.get(in(0ms)));
    CHECK(host.get(in(0ms)).value().front().to_string() == "2001:db8::1");
    CHECK_FALSE(host.has_left(boost::asio::ip::make_address("2001:db8::1"), 0ms));
    CHECK(host.is_literal());
    CHECK(server->asked == 0);
}

TEST_CASE("HostAddresses: while a name server hangs, calls return in time and one lookup is under way") {
    auto server = std::make_shared<NameServer>();
    server->hangs = true;
    HostAddresses host("collector", lookup_of(server));
    for (int i = 0; i < 5; ++i) {
        const auto began = HostAddresses::Clock::now();
        const auto found = host.get(in(20ms));
        CHECK(HostAddresses::Clock::now() - began < 2s);
        REQUIRE_FALSE(found);
        CHECK(found.error().code == ErrorCode::kUnavailable);
        CHECK(found.error().message.find("collector") != std::string::npos);
    }
    CHECK(comes([&] { return server->asked == 1; }));
    server->set("192.0.2.1");
    server->hang(false);
    const auto found = host.get(in(10s));
    REQUIRE(found);
    CHECK(found.value().front().to_string() == "192.0.2.1");
    CHECK(server->asked == 1);
    CHECK(server->most_inside == 1);
}

TEST_CASE("HostAddresses: what was found last is kept when a lookup fails or hangs") {
    auto server = std::make_shared<NameServer>();
    server->set("192.0.2.1");
    HostAddresses host("collector", lookup_of(server));
    REQUIRE(host.get(in(10s)));
    const auto address = host.get(in(10s)).value().front();
    server->fail();
    // the third begins when the answer of the second was taken
    CHECK(comes([&] { return host.has_left(address, 0ms) || server->asked >= 3; }));
    CHECK_FALSE(host.has_left(address, 1h));
    REQUIRE(host.get(in(10s)));
    CHECK(host.get(in(10s)).value().front() == address);
    server->hang(true);
    CHECK(comes([&] { return host.has_left(address, 0ms) || server->inside == 1; }));
    const auto began = HostAddresses::Clock::now();
    REQUIRE(host.get(in(10s)));
    CHECK(HostAddresses::Clock::now() - began < 5s);
    server->hang(false);
}

TEST_CASE("HostAddresses: a name that moved is told once an answer says so, and looked up no more often than asked") {
    auto server = std::make_shared<NameServer>();
    server->set("192.0.2.1");
    HostAddresses host("collector", lookup_of(server));
    REQUIRE(host.get(in(10s)));
    const auto address = host.get(in(10s)).value().front();
    CHECK_FALSE(host.has_left(address, 1h));
    CHECK(server->asked == 1);
    server->set("192.0.2.2");
    CHECK(comes([&] { return host.has_left(address, 0ms); }));
    CHECK(host.get(in(10s)).value().front().to_string() == "192.0.2.2");
}
