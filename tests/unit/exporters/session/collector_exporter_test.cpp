// SPDX-License-Identifier: Apache-2.0
#include "exporters/session/collector_exporter.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>

#include "exporters/session/big_endian.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/recording_transport.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace std::chrono_literals;
using exporters::CollectorExporter;
using exporters::CollectorOptions;
using exporters::CollectorPolicy;
using exporters::MessageCounts;
using exporters::MessageFormat;
using exporters::MessageFraming;
using exporters::MessageQueue;

namespace {

// Messages of three records, which are the last octet of the flow's id: a header
// of 4 octets with kind and sequence number. Id 100 is too long, id 200 unsupported.
class Ids final : public MessageFormat {
public:
    static constexpr std::uint8_t kData = 1, kTemplate = 2, kReport = 3, kRepeated = 4;

    Ids(bool reports, bool announces) : reports_(reports), announces_(announces) {
        framing_.header_length = 5;
        framing_.has_sets = false;
        framing_.header[0] = kData;
    }
    const MessageFraming& framing() const noexcept override { return framing_; }
    std::size_t max_message() const noexcept override { return 8; }
    Added add(const FlowRecord& record, MessageQueue& queue) override {
        if (record.id == 100) return Added::kTooLong;
        if (record.id == 200) return Added::kUnsupported;
        if (!queue.has_room(1, 1)) return Added::kNoRoom;
        *queue.add_data_record(1, 1) = static_cast<std::uint8_t>(record.id);
        return Added::kTaken;
    }
    Status announce(MessageQueue& queue, exporters::SessionTemplates&) override {
        if (announces_) queue.append(Bytes{kTemplate, 0, 0, 0, 0}, {});
        return ok();
    }
    void repeat_templates(MessageQueue& queue, const exporters::SessionTemplates&) override {
        if (announces_) queue.append(Bytes{kRepeated, 0, 0, 0, 0}, {});
    }
    void report(MessageQueue& queue, exporters::SessionTemplates&, const exporters::SessionReport& report) override {
        if (!reports_) return;
        queue.append(Bytes{kReport, 0, 0, 0, 0, static_cast<std::uint8_t>(report.losses.records),
                           static_cast<std::uint8_t>(report.flow_data_records)},
                     {.data_records = 1});
    }
    void stamp(std::span<std::uint8_t> message, const MessageCounts&, std::chrono::system_clock::time_point,
               std::uint32_t sequence) const noexcept override {
        message[1] = static_cast<std::uint8_t>(sequence);
    }
    std::uint32_t sequence_step(const MessageCounts& counts) const noexcept override { return counts.data_records; }

private:
    const bool reports_, announces_;
    MessageFraming framing_;
};

RecordBatch ids(std::uint64_t first, std::uint64_t last) {
    RecordBatch batch;
    for (std::uint64_t id = first; id <= last; ++id) {
        FlowRecord& record = batch.records.emplace_back();
        record.id = id;
        record.forward.packets = 2;
        record.forward.octets = 100;
    }
    return batch;
}

// Of all messages.
std::vector<int> kinds_of(const std::vector<Bytes>& messages) {
    std::vector<int> found;
    for (const Bytes& message : messages) found.push_back(message[0]);
    return found;
}

// Ids of the records in the messages, in the order of sending.
std::vector<int> ids_in(const std::vector<Bytes>& messages) {
    std::vector<int> found;
    for (const Bytes& message : messages)
        if (message[0] == Ids::kData) found.insert(found.end(), message.begin() + 5, message.end());
    return found;
}

struct Fixture {
    std::vector<TransportLog> logs;
    CapturedLog lines;
    std::chrono::steady_clock::time_point now{1h};
    std::unique_ptr<CollectorExporter> exporter;
    std::size_t consumed = 0;

    Fixture(std::size_t collectors, CollectorOptions options, bool datagrams = false, bool reports = false,
            bool announces = true)
        : logs(collectors) {
        exporters::ExportClock clock;
        clock.steady = [this] { return now; };
        options.session.send_octets = 0;
        std::vector<std::unique_ptr<exporters::MessageTransport>> transports;
        for (TransportLog& log : logs) transports.push_back(std::make_unique<RecordingTransport>(log, datagrams));
        exporter = std::make_unique<CollectorExporter>("test", std::make_unique<Ids>(reports, announces),
                                                       std::move(transports), options, lines.logger(), clock);
    }
    Status write(const RecordBatch& batch, std::size_t from = 0) {
        consumed = from;
        return exporter->write(batch, from, consumed);
    }
    const ExporterCounters& counters() const { return exporter->counters(); }
};

CollectorOptions round_robin() {
    CollectorOptions options;
    options.policy = CollectorPolicy::kRoundRobin;
    return options;
}

}  // namespace

TEST_CASE("CollectorExporter: with failover the first collector that is up gets everything") {
    Fixture f(3, {});
    f.logs[0].refuse_open = true;
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(ids(1, 7)));
    REQUIRE(f.exporter->flush());
    CHECK(f.logs[0].messages.empty());
    CHECK(ids_in(f.logs[1].messages) == std::vector{1, 2, 3, 4, 5, 6, 7});
    CHECK(f.logs[2].messages.empty());
    CHECK(f.counters().records.get() == 7);
    CHECK(f.exporter->collectors().size() == 3);
    CHECK(f.exporter->collectors()[1].counters->records.get() == 7);
}

TEST_CASE("CollectorExporter: with failover the next takes over within the call, what waited goes to it, each once") {
    Fixture f(2, {});
    REQUIRE(f.exporter->open());
    f.logs[0].accept = 2;
    REQUIRE(f.write(ids(1, 20)));
    REQUIRE(f.exporter->flush());
    auto all = ids_in(f.logs[0].messages);
    const auto rest = ids_in(f.logs[1].messages);
    CHECK(all == std::vector{1, 2, 3, 4, 5, 6});
    all.insert(all.end(), rest.begin(), rest.end());
    CHECK(all.size() == 20);
    CHECK(std::is_sorted(all.begin(), all.end()));
    CHECK(f.logs[1].messages.front()[0] == Ids::kTemplate);
    CHECK(f.counters().records.get() == 20);
    CHECK(f.counters().failures.get() == 1);
    CHECK(f.lines.contains("collector down"));
}

TEST_CASE("CollectorExporter: with failover a better collector is gone back to when it is up again") {
    CollectorOptions options;
    options.failback = 10s;
    Fixture f(2, options);
    f.logs[0].refuse_open = true;
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(ids(1, 2)));
    f.now += 10s;
    REQUIRE(f.exporter->flush());  // still refused
    f.logs[0].refuse_open = false;
    f.now += 9s;
    REQUIRE(f.exporter->flush());
    CHECK(f.logs[0].messages.empty());
    f.now += 1s;
    REQUIRE(f.exporter->flush());
    REQUIRE(f.write(ids(3, 5)));
    REQUIRE(f.exporter->flush());
    CHECK(ids_in(f.logs[0].messages) == std::vector{3, 4, 5});
    CHECK(ids_in(f.logs[1].messages) == std::vector{1, 2});
}

TEST_CASE("CollectorExporter: with failover no collector at all is an error, and the first to come back is used") {
    Fixture f(2, {});
    for (TransportLog& log : f.logs) log.refuse_open = true;
    CHECK_FALSE(f.exporter->open());
    CHECK_FALSE(f.write(ids(1, 1)));
    CHECK(f.consumed == 0);
    f.logs[1].refuse_open = false;
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(ids(1, 1)));
    REQUIRE(f.exporter->flush());
    CHECK(ids_in(f.logs[1].messages) == std::vector{1});
}

TEST_CASE("CollectorExporter: round robin gives each collector a message in turn, with a session of its own") {
    Fixture f(3, round_robin());
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(ids(1, 18)));
    REQUIRE(f.exporter->flush());
    std::vector<int> all;
    for (const TransportLog& log : f.logs) {
        const auto found = ids_in(log.messages);
        CHECK(found.size() == 6);
        all.insert(all.end(), found.begin(), found.end());
        std::uint8_t sequence = 0;
        for (const Bytes& message : log.messages) {
            CHECK(message[1] == sequence);
            if (message[0] == Ids::kData) sequence = static_cast<std::uint8_t>(sequence + message.size() - 5);
        }
    }
    std::sort(all.begin(), all.end());
    CHECK(all.size() == 18);
    CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
}

TEST_CASE("CollectorExporter: round robin leaves out who is down, gives its messages to others, and tries it again") {
    Fixture f(2, round_robin());
    REQUIRE(f.exporter->open());
    f.logs[0].accept = 1;
    REQUIRE(f.write(ids(1, 30)));
    REQUIRE(f.exporter->flush());
    CHECK(ids_in(f.logs[0].messages).size() == 3);
    CHECK(ids_in(f.logs[1].messages).size() == 27);
    CHECK(f.counters().records.get() == 30);
    f.logs[0].accept = SIZE_MAX;
    f.now += 1s;
    REQUIRE(f.exporter->flush());
    REQUIRE(f.write(ids(31, 42)));
    REQUIRE(f.exporter->flush());
    CHECK(ids_in(f.logs[0].messages).size() == 9);
    CHECK(f.logs[0].session_starts.size() == 2);
}

TEST_CASE("CollectorExporter: round robin does not wait for a collector that is behind") {
    Fixture f(2, round_robin());
    REQUIRE(f.exporter->open());
    f.logs[0].send_errors.assign(1000, ErrorCode::kBusy);
    REQUIRE(f.write(ids(1, 60)));
    CHECK(ids_in(f.logs[1].messages).size() >= 54);
    f.logs[0].send_errors.clear();
    REQUIRE(f.exporter->flush());
    CHECK(ids_in(f.logs[0].messages).size() + ids_in(f.logs[1].messages).size() == 60);
    CHECK(f.counters().failures.get() == 0);
}

TEST_CASE("CollectorExporter: what a protocol cannot carry is counted by its cause") {
    Fixture f(1, {});
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(ids(99, 101)));
    REQUIRE(f.write(ids(199, 201)));
    REQUIRE(f.exporter->flush());
    CHECK(f.counters().records.get() == 4);
    CHECK(f.counters().dropped_oversize.get() == 1);
    CHECK(f.counters().dropped_unsupported.get() == 1);
}

TEST_CASE("CollectorExporter: reports tell what was lost, before it and in it") {
    Fixture f(1, {}, false, true);
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(ids(99, 101)));
    f.exporter->note_losses({.records = 7});
    f.now += 60s;
    REQUIRE(f.exporter->flush());
    const auto& messages = f.logs[0].messages;
    std::vector<int> told;
    for (const Bytes& message : messages)
        if (message[0] == Ids::kReport) told.push_back(message[5]);
    CHECK(told == std::vector{0, 8});  // with the templates, and a minute later
    f.exporter->note_losses({.records = 9});
    f.exporter->close();
    CHECK(f.logs[0].messages.back()[0] == Ids::kReport);
    CHECK(f.logs[0].messages.back()[5] == 10);
}

TEST_CASE("CollectorExporter: the first report of a session tells what was lost while there was none") {
    Fixture f(1, {}, false, true);
    REQUIRE(f.exporter->open());
    f.logs[0].accept = 0;
    CHECK_FALSE(f.write(ids(1, 4)));
    f.logs[0].accept = SIZE_MAX;
    f.exporter->note_losses({.records = 5});
    REQUIRE(f.exporter->open());
    CHECK(f.logs[0].messages.back()[0] == Ids::kReport);
    CHECK(f.logs[0].messages.back()[5] == 5);
}

TEST_CASE("CollectorExporter: reports count the data records of flows that left, not those of options") {
    Fixture f(1, {}, false, true);
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(ids(1, 7)));
    REQUIRE(f.exporter->flush());
    f.exporter->close();
    const auto first = std::ranges::find(f.logs[0].messages, Ids::kReport, [](const Bytes& m) { return m[0]; });
    REQUIRE(first != f.logs[0].messages.end());
    CHECK((*first)[6] == 0);
    CHECK(f.logs[0].messages.back()[0] == Ids::kReport);
    CHECK(f.logs[0].messages.back()[6] == 7);
}

TEST_CASE("CollectorExporter: over datagrams templates go twice before the first record, over a stream once") {
    for (const bool datagrams : {true, false}) {
        Fixture f(1, {}, datagrams);
        REQUIRE(f.exporter->open());
        REQUIRE(f.write(ids(1, 3)));
        REQUIRE(f.exporter->flush());
        const auto kinds = kinds_of(f.logs[0].messages);
        CHECK(kinds == (datagrams ? std::vector<int>{Ids::kTemplate, Ids::kRepeated, Ids::kData}
                                  : std::vector<int>{Ids::kTemplate, Ids::kData}));
    }
}

TEST_CASE("CollectorExporter: over datagrams templates go again after so many messages, if they are limited") {
    CollectorOptions options;
    options.session.template_refresh_messages = 4;
    Fixture f(1, options, true);
    REQUIRE(f.exporter->open());
    for (std::uint64_t id = 1; id < 19; id += 3) {
        REQUIRE(f.write(ids(id, id + 2)));
        REQUIRE(f.exporter->flush());
    }
    CHECK(kinds_of(f.logs[0].messages) == std::vector<int>{2, 4, 1, 1, 2, 1, 1, 1, 2, 1});
}

TEST_CASE("CollectorExporter: templates and options go again when they are wanted, over a stream options alone") {
    for (const bool datagrams : {true, false}) {
        Fixture test(1, {}, datagrams, true);
        REQUIRE(test.exporter->open());
        REQUIRE(test.exporter->flush());
        test.logs[0].messages.clear();
        REQUIRE(test.exporter->flush());
        CHECK(test.logs[0].messages.empty());  // nothing is due
        const auto templates = test.counters().templates.get();
        CHECK(test.exporter->repeat_announcement());
        REQUIRE(test.exporter->flush());
        using Kinds = std::vector<int>;
        CHECK(kinds_of(test.logs[0].messages) ==
              (datagrams ? Kinds{Ids::kTemplate, Ids::kReport} : Kinds{Ids::kReport}));
        CHECK(test.counters().templates.get() == templates + (datagrams ? 1 : 0));
        test.logs[0].messages.clear();
        REQUIRE(test.exporter->flush());
        CHECK(test.logs[0].messages.empty());  // once
    }
}

TEST_CASE("CollectorExporter: unconfirmed records are those that wait, and those of messages nobody confirmed") {
    CollectorOptions options;
    options.session.remembers = true;
    Fixture f(1, options);
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(ids(1, 10)));
    f.logs[0].unconfirmed = 2;
    CHECK(f.exporter->unconfirmed() == 7);
    f.logs[0].unconfirmed = 0;
    CHECK(f.exporter->unconfirmed() == 1);  // the message under way
    f.logs[0].unconfirmed = 50;
    CHECK(f.exporter->unconfirmed() == 1);  // what was safe once is not asked for again
    REQUIRE(f.write(ids(11, 16)));
    CHECK(f.exporter->unconfirmed() == 7);
}

TEST_CASE("CollectorExporter: forgotten records leave the counters, and come again over the next session") {
    CollectorOptions options;
    options.session.remembers = true;
    Fixture f(1, options);
    REQUIRE(f.exporter->open());
    f.logs[0].unconfirmed = 2;
    f.logs[0].accept = 5;
    const RecordBatch batch = ids(98, 120);
    REQUIRE_FALSE(f.write(batch));
    const std::size_t taken = f.consumed, unconfirmed = f.exporter->unconfirmed();
    CHECK(unconfirmed > 6);
    CHECK(unconfirmed < taken);
    f.exporter->forget_unconfirmed();
    CHECK(f.exporter->unconfirmed() == 0);
    CHECK(f.counters().records.get() + f.counters().dropped_oversize.get() == taken - unconfirmed);
    f.logs[0].accept = SIZE_MAX;
    f.logs[0].unconfirmed = 0;
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(batch, taken - unconfirmed));
    REQUIRE(f.exporter->flush());
    CHECK(f.counters().records.get() == 22);
    CHECK(f.counters().dropped_oversize.get() == 1);
    auto found = ids_in(f.logs[0].messages);
    const std::size_t sent = found.size();
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    CHECK(found.size() == 22);
    CHECK(sent - found.size() <= 6);  // two messages came twice
}

TEST_CASE("CollectorExporter: who keeps records for later is told of every session that ends") {
    CollectorOptions options = round_robin();
    options.session.remembers = true;
    Fixture f(2, options);
    REQUIRE(f.exporter->open());
    f.logs[0].accept = 1;
    REQUIRE_FALSE(f.write(ids(1, 30)));
    const std::size_t again = f.consumed - f.exporter->unconfirmed();
    f.exporter->forget_unconfirmed();
    REQUIRE(f.exporter->open());
    f.logs[0].accept = SIZE_MAX;
    REQUIRE(f.write(ids(1, 30), again));
    REQUIRE(f.exporter->flush());
    CHECK(f.counters().records.get() == 30);
}

TEST_CASE("CollectorExporter: where a forgotten message is half out only a new session goes on") {
    CollectorOptions options = round_robin();
    options.session.remembers = true;
    Fixture f(2, options);
    REQUIRE(f.exporter->open());
    f.logs[1].send_errors = {ErrorCode::kBusy};
    f.logs[0].accept = 1;
    REQUIRE_FALSE(f.write(ids(1, 30)));
    REQUIRE(f.logs[1].send_errors.empty());  // a part of a message may be out there
    const std::size_t again = f.consumed - f.exporter->unconfirmed();
    f.exporter->forget_unconfirmed();
    f.logs[0].accept = SIZE_MAX;
    REQUIRE(f.exporter->open());
    CHECK(f.logs[1].session_starts.size() == 2);
    REQUIRE(f.write(ids(1, 30), again));
    REQUIRE(f.exporter->flush());
    CHECK(f.counters().records.get() == 30);
}

TEST_CASE("CollectorExporter: those that are forgotten are those that were told, whatever was confirmed meanwhile") {
    CollectorOptions options;
    options.session.remembers = true;
    Fixture f(1, options);
    REQUIRE(f.exporter->open());
    f.logs[0].unconfirmed = 2;
    REQUIRE(f.write(ids(1, 30)));
    REQUIRE(f.exporter->flush());
    CHECK(f.exporter->unconfirmed() == 6);
    f.logs[0].unconfirmed = 0;
    f.exporter->forget_unconfirmed();
    CHECK(f.counters().records.get() == 24);
}

TEST_CASE("CollectorExporter: a collector that ends the session as we do has read everything") {
    CollectorOptions options;
    options.session.remembers = true;
    Fixture f(1, options);
    REQUIRE(f.exporter->open());
    f.logs[0].unconfirmed = 3;
    f.logs[0].ends_too = false;
    REQUIRE(f.write(ids(1, 7)));
    Status status = f.exporter->conclude();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kBusy);
    CHECK(ids_in(f.logs[0].messages) == std::vector{1, 2, 3, 4, 5, 6, 7});
    CHECK(f.exporter->unconfirmed() == 7);
    const std::size_t messages = f.logs[0].messages.size();
    f.logs[0].ends_too = true;
    REQUIRE(f.exporter->conclude());
    CHECK(f.exporter->unconfirmed() == 0);
    f.exporter->forget_unconfirmed();
    f.exporter->close();
    CHECK(f.logs[0].messages.size() == messages);  // nothing behind the end
    CHECK(f.logs[0].conclusions == 2);
    CHECK(f.counters().records.get() == 7);
    CHECK(f.counters().dropped_failed.get() == 0);
}

TEST_CASE("CollectorExporter: a refusal that is told when the session has failed counts, too, and of none twice") {
    CollectorOptions options;
    options.session.refusal_fails = options.session.remembers = true;
    Fixture f(1, options, true);
    REQUIRE_FALSE(f.exporter->open());
    f.now += 1s;
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(ids(1, 12)));
    REQUIRE(f.exporter->flush());  // messages 2 to 5, behind the templates that went twice
    f.logs[0].refused = {2};
    REQUIRE_FALSE(f.exporter->flush());
    CHECK(f.counters().dropped_unreachable.get() == 3);
    CHECK(f.exporter->unconfirmed() == 0);
    f.exporter->forget_unconfirmed();
    f.logs[0].refused = {2, 3, 5};
    REQUIRE_FALSE(f.exporter->open());
    CHECK(f.counters().dropped_unreachable.get() == 9);
    CHECK(f.counters().records.get() == 3);
}

TEST_CASE("CollectorExporter: a collector that refuses datagrams is not up before it was silent for a moment") {
    CollectorOptions options;
    options.session.refusal_fails = true;
    Fixture f(1, options, true);
    Status status = f.exporter->open();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kBusy);
    f.logs[0].refused = {0};
    status = f.exporter->open();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);

    REQUIRE_FALSE(f.exporter->open());
    f.now += 1s;
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(ids(1, 6)));
    f.logs[0].refused = {2};  // behind the templates, which went twice
    status = f.exporter->flush();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);
    CHECK(f.counters().dropped_unreachable.get() == 3);
    CHECK(f.counters().records.get() + f.counters().dropped_unreachable.get() == 6);
}

TEST_CASE("CollectorExporter: going back to a better collector gives back what the other may not have read") {
    CollectorOptions options;
    options.failback = 10s;
    options.session.remembers = true;
    Fixture f(2, options);
    f.logs[0].refuse_open = true;
    REQUIRE(f.exporter->open());
    f.logs[1].unconfirmed = 50;
    REQUIRE(f.write(ids(1, 12)));
    REQUIRE(f.exporter->flush());
    f.logs[0].refuse_open = false;
    f.now += 10s;
    const Status status = f.exporter->flush();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);
    CHECK(f.exporter->unconfirmed() == 12);
    f.exporter->forget_unconfirmed();
    CHECK(f.counters().records.get() == 0);
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(ids(1, 12)));
    REQUIRE(f.exporter->flush());
    CHECK(ids_in(f.logs[0].messages).size() == 12);
    CHECK(f.logs[0].session_starts.size() == 1);
    CHECK(f.counters().records.get() == 12);
}

TEST_CASE("CollectorExporter: of several collectors the one that is gone is told of, not the one that is busy") {
    CollectorOptions options = round_robin();
    options.session.remembers = true;
    Fixture f(2, options);
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(ids(1, 6)));
    f.logs[0].check_errors = {ErrorCode::kUnavailable};
    f.logs[1].send_errors.assign(100, ErrorCode::kBusy);
    REQUIRE(f.write(ids(7, 8)));
    const Status status = f.exporter->flush();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);
}

TEST_CASE(
    "CollectorExporter: without an announcement the first message alone is tried on a collector that may be away") {
    CollectorOptions options;
    options.session.refusal_fails = true;
    Fixture f(1, options, true, false, false);
    REQUIRE(f.exporter->open());
    const RecordBatch batch = ids(1, 30);
    Status status = f.write(batch);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kBusy);
    CHECK(f.logs[0].messages.size() == 1);
    f.logs[0].refused = {0};
    status = f.write(batch, f.consumed);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::kUnavailable);
    CHECK(f.counters().dropped_unreachable.get() == 3);
    const std::size_t taken = f.consumed;
    REQUIRE(f.exporter->open());
    CHECK_FALSE(f.write(batch, taken));
    f.now += 1s;
    REQUIRE(f.write(batch, f.consumed));
    REQUIRE(f.exporter->flush());
    CHECK(ids_in(f.logs[0].messages).size() == 30);
    CHECK(f.counters().records.get() == 27);
}

TEST_CASE("CollectorExporter: messages are as long as the path carries") {
    Fixture f(1, {});
    f.logs[0].message_limit = 6;
    REQUIRE(f.exporter->open());
    REQUIRE(f.write(ids(1, 3)));
    REQUIRE(f.exporter->flush());
    CHECK(ids_in(f.logs[0].messages) == std::vector{1, 2, 3});
    for (const Bytes& message : f.logs[0].messages) CHECK(message.size() <= 6);
}
