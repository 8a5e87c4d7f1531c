// SPDX-License-Identifier: Apache-2.0
#include "exporters/message_exporter.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/recording_exporter.hpp"

namespace nfstreamd::exporters {
namespace {

using test::make_batch;

class IdEncoder final : public Encoder {
public:
    explicit IdEncoder(std::size_t padding = 0) : padding_(padding, '.') {}
    void preamble(std::string& out) const override { out += "id\n"; }
    void encode(const FlowRecord& record, std::string& out) const override {
        out += std::to_string(record.id) + padding_ + '\n';
    }

private:
    std::string padding_;
};

// Keeps what it is sent; lets so many messages through and then fails once.
class MemoryTransport final : public Transport {
public:
    std::string text;
    std::size_t room = 1'000'000;
    ErrorCode code = ErrorCode::kIo;
    std::size_t sends = 0;
    bool open_fails = false, closed = false;
    std::size_t holds = 0;  // of the messages that it took

    Status open(std::string_view preamble) override {
        if (open_fails) return Error{ErrorCode::kPermission, "no", "memory"};
        if (text.empty()) text = preamble;
        return ok();
    }
    Status send(std::string_view bytes, std::span<const std::size_t> ends, std::size_t& sent) override {
        ++sends;
        sent = std::min(room, ends.size());
        room -= sent;
        if (sent > 0) text += bytes.substr(0, ends[sent - 1]);
        if (sent == ends.size()) return ok();
        return Error{code, "full", "memory"};
    }
    Status flush() override { return ok(); }
    void close() noexcept override { closed = true; }
    std::size_t held() const noexcept override { return holds; }
    std::uint64_t octets() const noexcept override { return text.size(); }
    std::string description() const override { return "memory"; }
};

struct Made {
    MemoryTransport* transport = new MemoryTransport;
    MessageExporter exporter;
    explicit Made(std::size_t padding = 0)
        : exporter(std::make_unique<IdEncoder>(padding), std::unique_ptr<Transport>(transport)) {}
};

TEST_CASE("MessageExporter: sends the preamble, then one message for each record, and counts them") {
    Made made;
    REQUIRE(made.exporter.open());
    CHECK(made.exporter.counters().up.get() == 1);
    std::size_t consumed = 0;
    REQUIRE(made.exporter.write(*make_batch(7, 3), 0, consumed));
    REQUIRE(made.exporter.flush());
    CHECK(made.transport->text == "id\n7\n8\n9\n");
    const auto& counters = made.exporter.counters();
    CHECK(counters.records.get() == 3);
    CHECK(counters.data_records.get() == 3);
    CHECK(counters.messages.get() == 3);
    CHECK(counters.octets.get() == 9);
    CHECK(counters.connects.get() == 1);
    CHECK(counters.failures.get() == 0);
    made.exporter.close();
    CHECK(made.transport->closed);
    CHECK(counters.up.get() == 0);
    CHECK(made.exporter.description() == "memory");
}

TEST_CASE("MessageExporter: after an error the next write goes on with the first record that is not out") {
    Made made;
    REQUIRE(made.exporter.open());
    made.transport->room = 2;
    const auto batch = make_batch(0, 5);
    std::size_t consumed = 0;
    REQUIRE_FALSE(made.exporter.write(*batch, 0, consumed));
    CHECK(consumed == 2);
    CHECK(made.exporter.counters().up.get() == 0);
    CHECK(made.exporter.counters().failures.get() == 1);

    made.transport->room = 100;
    REQUIRE(made.exporter.open());
    REQUIRE(made.exporter.write(*batch, consumed, consumed));
    CHECK(made.transport->text == "id\n0\n1\n2\n3\n4\n");
    CHECK(made.exporter.counters().records.get() == 5);
    CHECK(made.exporter.counters().up.get() == 1);
}

TEST_CASE("MessageExporter: a slow transport is no failure") {
    Made made;
    REQUIRE(made.exporter.open());
    made.transport->room = 1;
    made.transport->code = ErrorCode::kBusy;
    std::size_t consumed = 0;
    const auto status = made.exporter.write(*make_batch(0, 3), 0, consumed);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kBusy);
    CHECK(consumed == 1);
    CHECK(made.exporter.counters().failures.get() == 0);
    CHECK(made.exporter.counters().up.get() == 1);
}

TEST_CASE("MessageExporter: a large batch goes in pieces, so that its text does not fill the memory") {
    Made made(1000);
    REQUIRE(made.exporter.open());
    std::size_t consumed = 0;
    REQUIRE(made.exporter.write(*make_batch(0, 1000), 0, consumed));
    CHECK(consumed == 1000);
    CHECK(made.transport->sends >= 3);
    CHECK(std::count(made.transport->text.begin(), made.transport->text.end(), '\n') == 1001);
}

TEST_CASE("MessageExporter: an open that fails is counted") {
    Made made;
    made.transport->open_fails = true;
    CHECK_FALSE(made.exporter.open());
    CHECK(made.exporter.counters().failures.get() == 1);
    CHECK(made.exporter.counters().connects.get() == 0);
    CHECK(made.exporter.counters().up.get() == 0);
}

TEST_CASE("MessageExporter: a record counts when its message is out; what never gets out is dropped") {
    Made made;
    REQUIRE(made.exporter.open());
    made.transport->holds = 2;
    std::size_t consumed = 0;
    REQUIRE(made.exporter.write(*make_batch(0, 5), 0, consumed));
    CHECK(consumed == 5);
    CHECK(made.exporter.counters().records.get() == 3);
    made.transport->holds = 0;
    REQUIRE(made.exporter.flush());
    CHECK(made.exporter.counters().records.get() == 5);
    REQUIRE(made.exporter.write(*make_batch(5, 5), 0, consumed));
    made.transport->holds = 4;
    made.exporter.close();
    CHECK(made.exporter.counters().records.get() == 6);
    CHECK(made.exporter.counters().dropped_failed.get() == 4);
}

}  // namespace
}  // namespace nfstreamd::exporters
