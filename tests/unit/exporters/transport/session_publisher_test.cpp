// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/session_publisher.hpp"

#include <doctest/doctest.h>

#include <utility>

#include "tests/support/captured_log.hpp"

namespace nfstreamd::exporters {
namespace {

// Lets so many messages of each session through and then behaves as told.
class MemorySession final : public MessageTransport {
public:
    std::vector<std::string> messages;
    std::size_t room = 1000;
    ErrorCode code = ErrorCode::kUnavailable;
    bool datagrams = false;
    int opens = 0, conclusions = 0;
    std::size_t unread = 0;
    std::vector<std::uint64_t> refused;

    Status open(Clock::time_point) override {
        ++opens;
        return ok();
    }
    Status send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                Clock::time_point) override {
        for (std::size_t begin = 0; sent < ends.size(); begin = ends[sent++]) {
            if (room == 0) return Error{code, "no room", ""};
            --room;
            messages.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                                  bytes.begin() + static_cast<std::ptrdiff_t>(ends[sent]));
        }
        return ok();
    }
    Status check() override { return ok(); }
    void close() noexcept override {}
    Status conclude(Clock::time_point) override {
        ++conclusions;
        if (unread > 0) return Error{ErrorCode::kBusy, "not yet", ""};
        return ok();
    }
    std::size_t unconfirmed() noexcept override { return unread; }
    std::vector<std::uint64_t> take_refused() override { return std::exchange(refused, {}); }
    bool is_datagram() const noexcept override { return datagrams; }
    std::string description() const override { return "memory"; }
};

struct Made {
    test::CapturedLog log;
    MemorySession* session = new MemorySession;
    std::unique_ptr<SessionPublisher> publisher;
    std::uint64_t next = 0;

    explicit Made(StreamFraming framing = StreamFraming::kNone, std::string preamble = "", bool datagrams = false) {
        session->datagrams = datagrams;
        publisher = std::make_unique<SessionPublisher>(std::unique_ptr<MessageTransport>(session), framing,
                                                       std::move(preamble), "out", log.logger());
        REQUIRE(publisher->open(Publisher::Clock::now()));
    }
    void publish(std::string_view payload) {
        REQUIRE(publisher->publish({next++, payload, "", 10}, Publisher::Clock::now()));
    }
    Status settle() { return publisher->settle(Publisher::Clock::now()); }
    std::size_t delivered() {
        std::size_t count = 0;
        for (const auto& message : publisher->settled()) count += message.outcome == Outcome::kDelivered;
        return count;
    }
};

TEST_CASE("SessionPublisher: messages leave together, with their lengths before them over a stream") {
    Made made(StreamFraming::kOctetCount);
    made.publish("one");
    made.publish("eleven octs");
    CHECK(made.session->messages.empty());
    REQUIRE(made.settle());
    CHECK(made.session->messages == std::vector<std::string>{"3 one", "11 eleven octs"});
    CHECK(made.delivered() == 2);
    Made datagrams(StreamFraming::kOctetCount, "header\n", true);
    datagrams.publish("one");
    REQUIRE(datagrams.settle());
    CHECK(datagrams.session->messages == std::vector<std::string>{"one"});
}

TEST_CASE("SessionPublisher: what a session did not take goes over the next one, behind its preamble") {
    Made made(StreamFraming::kNone, "header\n");
    for (const auto* text : {"a\n", "b\n", "c\n"}) made.publish(text);
    made.session->room = 2;
    const auto status = made.settle();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);
    CHECK(made.delivered() == 1);
    CHECK_FALSE(made.settle());  // it is not open
    made.session->room = 100;
    REQUIRE(made.publisher->open(Publisher::Clock::now()));
    REQUIRE(made.settle());
    CHECK(made.session->messages == std::vector<std::string>{"header\n", "a\n", "header\n", "b\n", "c\n"});
    CHECK(made.delivered() == 3);
}

TEST_CASE("SessionPublisher: a preamble that never left is not doubled by the next session") {
    Made made(StreamFraming::kNone, "header\n");
    made.session->room = 0;
    made.publish("a\n");
    CHECK_FALSE(made.settle());
    made.session->room = 100;
    REQUIRE(made.publisher->open(Publisher::Clock::now()));
    REQUIRE(made.settle());
    CHECK(made.session->messages == std::vector<std::string>{"header\n", "a\n"});
}

TEST_CASE("SessionPublisher: a receiver that is slow is no failure, and the session stays") {
    Made made;
    made.session->room = 1;
    made.session->code = ErrorCode::kBusy;
    made.publish("a");
    made.publish("b");
    const auto status = made.settle();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kBusy);
    made.session->room = 100;
    REQUIRE(made.settle());
    CHECK(made.session->messages == std::vector<std::string>{"a", "b"});
    CHECK(made.session->opens == 1);
}

TEST_CASE("SessionPublisher: a message that can never go is given up, others go") {
    Made made(StreamFraming::kNone, "", true);
    made.publish("too long");
    made.session->room = 0;
    made.session->code = ErrorCode::kInvalidArgument;
    REQUIRE(made.settle());
    REQUIRE(made.publisher->settled().size() == 1);
    CHECK(made.publisher->settled()[0].outcome == Outcome::kTooLarge);
    CHECK(made.log.contains("message dropped"));
    made.session->room = 10;
    made.publish("b");
    REQUIRE(made.settle());
    CHECK(made.session->messages == std::vector<std::string>{"b"});
}

TEST_CASE("SessionPublisher: records of datagrams that a host refused are told once") {
    Made made(StreamFraming::kNone, "", true);
    made.publish("a");
    made.publish("b");
    REQUIRE(made.settle());
    made.session->refused = {1, 1};
    REQUIRE(made.settle());
    CHECK(made.publisher->take_refused_records() == 10);
    CHECK(made.publisher->take_refused_records() == 0);
}

TEST_CASE("SessionPublisher: its end waits for the receiver's, and nothing comes behind it") {
    Made made;
    made.session->unread = 1;
    made.publish("a");
    Status status = made.publisher->conclude(Publisher::Clock::now());
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kBusy);
    CHECK(made.publisher->unconfirmed() == 1);
    made.session->unread = 0;
    REQUIRE(made.publisher->conclude(Publisher::Clock::now()));
    CHECK(made.publisher->unconfirmed() == 0);
    CHECK(made.session->conclusions == 2);
    made.publisher->close(Publisher::Clock::now());
    CHECK(made.session->messages == std::vector<std::string>{"a"});
}

TEST_CASE("SessionPublisher: what is forgotten is not sent") {
    Made made;
    made.publish("a");
    made.publisher->forget();
    REQUIRE(made.publisher->open(Publisher::Clock::now()));
    made.publish("b");
    REQUIRE(made.settle());
    CHECK(made.session->messages == std::vector<std::string>{"b"});
}

}  // namespace
}  // namespace nfstreamd::exporters
