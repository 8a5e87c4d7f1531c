// SPDX-License-Identifier: Apache-2.0
#include "exporters/publish/publishing_exporter.hpp"

#include <doctest/doctest.h>

#include <map>

#include "exporters/encode/line_packer.hpp"
#include "tests/support/recording_exporter.hpp"

namespace nfstreamd::exporters {
namespace {

using test::make_batch;

class IdEncoder final : public Encoder {
public:
    void preamble(std::string& out) const override { out += "id\n"; }
    // one id is a record that fits no message
    void encode(const FlowRecord& record, std::string& out) const override {
        out += record.id == 666 ? std::string(1000, '6') + '\n' : std::to_string(record.id) + '\n';
    }
};

// Keeps what it is given; confirms when told.
class MemoryPublisher final : public Publisher {
public:
    struct Taken {
        std::uint64_t number;
        std::string payload, key;
    };
    std::vector<Taken> taken;
    std::size_t confirmed = 0;  // of these
    std::size_t room = 1000;
    ErrorCode code = ErrorCode::kBusy;  // without room
    bool open_fails = false, confirms = false, closed = false;
    int forgotten = 0;
    std::uint64_t refused = 0;
    std::size_t unread = 0;  // of the messages that were confirmed

    void confirm(std::size_t count, Outcome outcome = Outcome::kDelivered) {
        for (; count > 0 && confirmed < taken.size(); --count) note(taken[confirmed++].number, outcome);
    }

    Status open(Clock::time_point) override {
        if (open_fails) return Error{ErrorCode::kUnavailable, "down", "memory"};
        return ok();
    }
    Status publish(const OutgoingMessage& message, Clock::time_point) override {
        if (room == 0) return Error{code, "no room", "memory"};
        --room;
        taken.push_back({message.number, std::string(message.payload), std::string(message.key)});
        if (confirms) confirm(1);
        return ok();
    }
    Status progress(Clock::time_point) override { return ok(); }
    Status settle(Clock::time_point) override {
        if (confirms) confirm(taken.size());
        if (confirmed == taken.size()) return ok();
        return Error{ErrorCode::kBusy, "not all", "memory"};
    }
    void forget() noexcept override {
        ++forgotten;
        confirmed = taken.size();
    }
    void close(Clock::time_point) noexcept override { closed = true; }
    std::size_t unconfirmed() noexcept override { return unread; }
    std::uint64_t take_refused_records() override { return std::exchange(refused, 0); }
    std::string description() const override { return "memory"; }
};

struct Made {
    MemoryPublisher* publisher = new MemoryPublisher;
    PublishingExporter exporter;
    std::size_t consumed = 0;

    explicit Made(std::size_t records, MessageKey key = MessageKey::kNone, bool remembers = false)
        : exporter(
              [records] {
                  return std::make_unique<LinePacker>(std::make_shared<IdEncoder>(), LineLayout{},
                                                      PackLimits{.records = records, .target = 100, .most = 100});
              },
              key, std::unique_ptr<Publisher>(publisher), remembers) {}
    const ExporterCounters& counters() { return exporter.counters(); }
    std::uint64_t accounted() {
        return counters().records.get() + counters().dropped_failed.get() + counters().dropped_oversize.get() +
               counters().dropped_unreachable.get() + exporter.unconfirmed();
    }
};

TEST_CASE("PublishingExporter: a message leaves when it is full, the rest with the flush") {
    Made made(3);
    REQUIRE(made.exporter.open());
    REQUIRE(made.exporter.write(*make_batch(1, 7), 0, made.consumed));
    REQUIRE(made.publisher->taken.size() == 2);
    CHECK(made.publisher->taken[0].payload == "1\n2\n3");
    CHECK(made.exporter.unconfirmed() == 7);
    const auto status = made.exporter.flush();
    CHECK_FALSE(status);
    CHECK(status.error().code == ErrorCode::kBusy);
    CHECK(made.publisher->taken.at(2).payload == "7");
    CHECK(made.counters().records.get() == 0);
    made.publisher->confirm(3);
    REQUIRE(made.exporter.flush());
    CHECK(made.counters().records.get() == 7);
    CHECK(made.counters().messages.get() == 3);
    CHECK(made.counters().octets.get() == 11);
    CHECK(made.exporter.unconfirmed() == 0);
}

TEST_CASE("PublishingExporter: a record counts in no counter before it was confirmed, and then in one") {
    Made made(1);
    REQUIRE(made.exporter.open());
    REQUIRE(made.exporter.write(*make_batch(0, 4), 0, made.consumed));
    made.publisher->confirm(2);
    made.publisher->confirm(1, Outcome::kFailed);
    made.publisher->confirm(1, Outcome::kTooLarge);
    REQUIRE(made.exporter.flush());
    CHECK(made.counters().records.get() == 2);
    CHECK(made.counters().dropped_failed.get() == 1);
    CHECK(made.counters().dropped_oversize.get() == 1);
}

TEST_CASE("PublishingExporter: without room it is busy, and the message that waits goes first") {
    Made made(2);
    REQUIRE(made.exporter.open());
    made.publisher->room = 1;
    const auto batch = make_batch(0, 6);
    const auto status = made.exporter.write(*batch, 0, made.consumed);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kBusy);
    CHECK(made.consumed == 4);
    CHECK(made.counters().failures.get() == 0);
    CHECK(made.accounted() == 4);
    made.publisher->room = 10;
    REQUIRE(made.exporter.write(*batch, made.consumed, made.consumed));
    REQUIRE(made.publisher->taken.size() == 3);
    CHECK(made.publisher->taken[1].payload == "2\n3");
    CHECK(made.publisher->taken[2].payload == "4\n5");
}

TEST_CASE("PublishingExporter: after a failure messages go on over the next session, none twice") {
    Made made(2);
    REQUIRE(made.exporter.open());
    made.publisher->room = 1;
    made.publisher->code = ErrorCode::kUnavailable;
    const auto batch = make_batch(0, 5);
    CHECK_FALSE(made.exporter.write(*batch, 0, made.consumed));
    CHECK(made.counters().up.get() == 0);
    CHECK(made.counters().failures.get() == 1);
    CHECK_FALSE(made.exporter.flush());  // it is not open
    made.publisher->open_fails = true;
    CHECK_FALSE(made.exporter.open());
    made.publisher->open_fails = false;
    made.publisher->room = 10;
    made.publisher->confirms = true;
    REQUIRE(made.exporter.open());
    REQUIRE(made.exporter.write(*batch, made.consumed, made.consumed));
    REQUIRE(made.exporter.flush());
    std::string all;
    for (const auto& message : made.publisher->taken) all += message.payload + ";";
    CHECK(all == "0\n1;2\n3;4;");
    CHECK(made.counters().records.get() == 5);
    CHECK(made.counters().connects.get() == 2);
}

TEST_CASE("PublishingExporter: what is not confirmed can be forgotten, and leaves the counters") {
    Made made(2);
    REQUIRE(made.exporter.open());
    const auto batch = make_batch(0, 7);
    REQUIRE(made.exporter.write(*batch, 0, made.consumed));
    made.publisher->confirm(1);
    CHECK_FALSE(made.exporter.flush());
    CHECK(made.counters().records.get() == 2);
    CHECK(made.exporter.unconfirmed() == 5);
    made.exporter.forget_unconfirmed();
    CHECK(made.publisher->forgotten == 1);
    CHECK(made.exporter.unconfirmed() == 0);
    CHECK(made.accounted() == 2);
    made.publisher->confirms = true;
    REQUIRE(made.exporter.open());
    REQUIRE(made.exporter.write(*batch, 2, made.consumed));
    REQUIRE(made.exporter.flush());
    CHECK(made.counters().records.get() == 7);
}

TEST_CASE("PublishingExporter: what is not confirmed when it closes is dropped") {
    Made made(2);
    REQUIRE(made.exporter.open());
    REQUIRE(made.exporter.write(*make_batch(0, 5), 0, made.consumed));
    made.publisher->confirm(1);
    made.exporter.close();
    CHECK(made.publisher->closed);
    CHECK(made.publisher->taken.size() == 3);
    CHECK(made.counters().records.get() == 2);
    CHECK(made.counters().dropped_failed.get() == 3);
    CHECK(made.counters().up.get() == 0);
    made.exporter.close();
    CHECK(made.accounted() == 5);
}

TEST_CASE("PublishingExporter: a record that fits no message is counted, and those before it are not held back") {
    Made made(10);
    made.publisher->confirms = true;
    REQUIRE(made.exporter.open());
    REQUIRE(made.exporter.write(*make_batch(664, 5), 0, made.consumed));
    REQUIRE(made.exporter.flush());
    CHECK(made.counters().dropped_oversize.get() == 1);
    CHECK(made.counters().records.get() == 4);
    REQUIRE(made.publisher->taken.size() == 2);
    CHECK(made.publisher->taken[0].payload == "664\n665");
    CHECK(made.publisher->taken[1].payload == "667\n668");
}

TEST_CASE("PublishingExporter: both directions and all records of a flow have one key") {
    for (const MessageKey key : {MessageKey::kFlow, MessageKey::kGroup}) {
        Made made(key == MessageKey::kFlow ? 1 : 2, key);
        made.publisher->confirms = true;
        auto batch = std::make_shared<RecordBatch>();
        for (std::uint16_t i = 0; i < 400; ++i) {
            FlowRecord record{};
            record.id = i;
            record.source_address = {{192, 0, 2, 1}, 4};
            record.destination_address = {{192, 0, 2, 2}, 4};
            record.source_port = static_cast<std::uint16_t>(1000 + i / 4);
            record.destination_port = 443;
            record.protocol = 6;
            if (i % 2 == 1) {
                std::swap(record.source_address, record.destination_address);
                std::swap(record.source_port, record.destination_port);
            }
            batch->records.push_back(record);
        }
        REQUIRE(made.exporter.open());
        REQUIRE(made.exporter.write(*batch, 0, made.consumed));
        REQUIRE(made.exporter.flush());
        CHECK(made.counters().records.get() == 400);
        std::map<std::uint64_t, std::string> key_of_flow;
        std::map<std::string, int> keys;
        for (const auto& message : made.publisher->taken) {
            ++keys[message.key];
            for (std::size_t at = 0; at < message.payload.size();) {
                const std::uint64_t id = std::stoull(message.payload.substr(at));
                const auto [entry, is_new] = key_of_flow.try_emplace(id / 4, message.key);
                CHECK(entry->second == message.key);
                const auto end = message.payload.find('\n', at);
                at = end == std::string::npos ? message.payload.size() : end + 1;
            }
        }
        CHECK(keys.size() > (key == MessageKey::kFlow ? 99 : 30));
        CHECK(keys.size() <= (key == MessageKey::kFlow ? 100 : PublishingExporter::kKeyGroups));
        if (key == MessageKey::kFlow) CHECK(keys.contains("6 192.0.2.1 1000 192.0.2.2 443"));
    }
}

TEST_CASE("PublishingExporter: records that a host refused later move to another counter") {
    Made made(1);
    made.publisher->confirms = true;
    REQUIRE(made.exporter.open());
    REQUIRE(made.exporter.write(*make_batch(0, 5), 0, made.consumed));
    made.publisher->refused = 2;
    REQUIRE(made.exporter.flush());
    CHECK(made.counters().records.get() == 3);
    CHECK(made.counters().dropped_unreachable.get() == 2);
}

RecordBatchPtr with_ids(std::initializer_list<std::uint64_t> ids) {
    auto batch = std::make_shared<RecordBatch>();
    for (const std::uint64_t id : ids) batch->records.emplace_back().id = id;
    return batch;
}

TEST_CASE("PublishingExporter: messages that are out and may not have been read are unconfirmed and can be forgotten") {
    Made made(3, MessageKey::kNone, true);
    made.publisher->confirms = true;
    made.publisher->unread = 2;
    REQUIRE(made.exporter.open());
    REQUIRE(made.exporter.write(*with_ids({1, 2, 3, 4, 5, 6, 7, 8, 9, 666, 11}), 0, made.consumed));
    CHECK(made.counters().records.get() == 9);
    CHECK(made.exporter.unconfirmed() == 8);  // two messages, one that fits none, one in no message yet
    made.exporter.forget_unconfirmed();
    CHECK(made.counters().records.get() == 3);
    CHECK(made.counters().messages.get() == 1);
    CHECK(made.counters().dropped_oversize.get() == 0);
    CHECK(made.exporter.unconfirmed() == 0);
    made.publisher->unread = 0;
    REQUIRE(made.exporter.open());
    REQUIRE(made.exporter.write(*with_ids({4, 5, 6, 7, 8, 9, 666, 11}), 0, made.consumed));
    REQUIRE(made.exporter.flush());
    CHECK(made.counters().records.get() == 10);
    CHECK(made.counters().dropped_oversize.get() == 1);
    CHECK(made.exporter.unconfirmed() == 0);
}

}  // namespace
}  // namespace nfstreamd::exporters
