// SPDX-License-Identifier: Apache-2.0
// Runs a metering process on made-up frames and keeps what it hands on.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include "core/metering/metering_process.hpp"
#include "tests/support/recording_exporter.hpp"
#include "tests/support/synthetic_source.hpp"

namespace nfstreamd::test {

inline constexpr TimestampNs kMs = 1'000'000, kSecond = 1000 * kMs, kStart = 1'700'000'000 * kSecond;

inline MeteringOptions plain_options() {
    MeteringOptions options;
    options.n_dissections = 0;
    options.max_flows = 1024;
    return options;
}

// The records that reached one queue, and the batches they live in.
class Received {
public:
    explicit Received(std::string producer = "test", std::size_t capacity = 4096)
        : queue_(std::make_shared<RecordQueue>(std::move(producer), capacity, std::make_shared<WakeEvent>())) {}

    const std::shared_ptr<RecordQueue>& queue() const { return queue_; }

    // Oldest first; by the thread of the test.
    const std::vector<const FlowRecord*>& records() {
        while (auto batch = queue_->try_pop()) {
            for (const auto& record : batch->records) records_.push_back(&record);
            batches_.push_back(std::move(batch));
        }
        return records_;
    }

private:
    std::shared_ptr<RecordQueue> queue_;
    std::vector<RecordBatchPtr> batches_;
    std::vector<const FlowRecord*> records_;
};

// What the process tells at its end is in balance, whatever it has left out.
inline void check_ledger(const MeterLedger& ledger) {
    std::uint64_t frames = ledger.metered + ledger.duplicates + ledger.held + ledger.sampled_out + ledger.packets_shed +
                           ledger.hash_filtered + ledger.other_shares;
    for (const auto ignored : ledger.ignored) frames += ignored;
    CHECK(ledger.frames == frames);
    CHECK(ledger.metered == ledger.in_records + ledger.in_table + ledger.discarded);
    CHECK(ledger.made == ledger.published + ledger.in_batch);
    CHECK(ledger.offered == ledger.pushed + ledger.queue_full);
    if (ledger.number != kLastLedger) return;
    CHECK(ledger.summed);
    CHECK(ledger.in_table + ledger.in_batch + ledger.held + ledger.flows == 0);
}

// Every frame and every record is accounted for, once all flows have left.
inline void check_totals(const MeteringProcess& process, const std::vector<const FlowRecord*>& records) {
    const auto& c = process.counters();
    std::uint64_t ignored = 0, made = 0, packets = 0, octets = 0;
    for (const auto& counter : c.ignored) ignored += counter.get();
    for (const auto& counter : c.records) made += counter.get();
    for (const FlowRecord* record : records) {
        packets += record->packets();
        octets += record->forward.octets + record->reverse.octets;
    }
    CHECK(process.capture().frames ==
          ignored + c.packets.get() + c.sampled_out.get() + c.packets_shed.get() + c.hash_filtered.get());
    CHECK(c.packets.get() == packets + c.packets_discarded.get());
    if (c.packets_discarded.get() == 0) CHECK(c.octets.get() == octets);
    CHECK(c.record_packets.get() == packets);
    CHECK(c.record_octets.get() == octets);
    CHECK(made == records.size());
    CHECK(c.flows_created.get() == records.size() + c.flows_discarded.get());
    CHECK(c.flows_active.get() == 0);
    CHECK(process.ledger().number == kLastLedger);
    check_ledger(process.ledger());
    if (!c.applications.enabled()) return;
    ApplicationCountsByName applications;
    c.applications.add_to(applications);
    ApplicationTotals all;
    for (const auto& [name, totals] : applications) all += totals;
    CHECK(all.flows == made);
    CHECK(all.packets == packets);
    CHECK(all.octets == octets);
}

// A file run from start to end.
class FileRun {
public:
    explicit FileRun(MeteringOptions options = plain_options()) : options_(options) {}

    FileRun& add(const Bytes& frame, TimestampNs time, std::uint32_t wire_length = 0) {
        source_->add(frame, time, wire_length);
        return *this;
    }
    SyntheticSource& source() { return *source_; }
    FileRun& set_hook(std::unique_ptr<FlowHook> hook) {
        hook_ = std::move(hook);
        return *this;
    }
    FileRun& set_budget(std::shared_ptr<FlowBudget> budget) {
        budget_ = std::move(budget);
        return *this;
    }

    const std::vector<const FlowRecord*>& run(Logger& logger = quiet_logger()) {
        process_ = std::make_unique<MeteringProcess>(ObservationPoint{1, "files", true}, options_, std::move(source_),
                                                     std::vector{received_.queue()}, logger);
        process_->set_flow_hook(std::move(hook_));
        process_->set_flow_budget(std::move(budget_));
        REQUIRE(process_->open());
        REQUIRE(process_->run({}));
        CHECK(received_.queue()->ended());
        const auto& records = received_.records();
        check_totals(*process_, records);
        return records;
    }
    const MeteringProcess& process() const { return *process_; }

private:
    MeteringOptions options_;
    std::unique_ptr<SyntheticSource> source_ = std::make_unique<SyntheticSource>();
    Received received_;
    std::unique_ptr<FlowHook> hook_;
    std::shared_ptr<FlowBudget> budget_;
    std::unique_ptr<MeteringProcess> process_;
};

// A link that is metered by a thread of its own until stop().
class LinkRun {
public:
    explicit LinkRun(MeteringOptions options = plain_options(), std::unique_ptr<SyntheticSource> source = link(),
                     Logger& logger = quiet_logger(), PacketSelector selector = {})
        : source_(source.get()),
          process_({3, "test0", false}, options, std::move(source), {received_.queue()}, logger, std::move(selector)) {
        REQUIRE(process_.open());
        thread_ = std::jthread([this](std::stop_token stop) { status_ = process_.run(stop); });
    }

    static std::unique_ptr<SyntheticSource> link() {
        return std::make_unique<SyntheticSource>(SyntheticSource::Kind::kLink);
    }

    SyntheticSource& source() { return *source_; }
    MeteringProcess& process() { return process_; }
    Received& received() { return received_; }

    // Waits until `condition` holds, looking again each time the thread comes round.
    template <class Condition>
    bool wait_until(Condition condition) {
        for (int turn = 0; turn < 500; ++turn) {
            if (condition()) return true;
            if (!source_->wait_until_silent()) return false;
        }
        return false;
    }

    const std::vector<const FlowRecord*>& stop() {
        thread_.request_stop();
        thread_.join();
        CHECK(received_.queue()->ended());
        CHECK(process_.ledger().number == kLastLedger);
        check_ledger(process_.ledger());
        return received_.records();
    }
    const Status& status() const { return status_; }
    void join() { thread_.join(); }

private:
    Received received_;
    SyntheticSource* source_;
    MeteringProcess process_;
    Status status_ = ok();
    std::jthread thread_;
};

inline Bytes udp_frame(const std::string& source, const std::string& destination, std::uint16_t source_port = 1000,
                       std::uint16_t destination_port = 2000, std::size_t payload = 10) {
    return PacketBuilder(payload).udp(source_port, destination_port).ipv4(source, destination).ethernet();
}
inline Bytes tcp_frame(const std::string& source, const std::string& destination, std::uint16_t source_port,
                       std::uint16_t destination_port, std::uint8_t flags) {
    return PacketBuilder(0).tcp(source_port, destination_port, flags).ipv4(source, destination).ethernet();
}
inline std::string host(int number) {
    return "10.0." + std::to_string(number >> 8 & 255) + '.' + std::to_string(number & 255);
}

}  // namespace nfstreamd::test
