// SPDX-License-Identifier: Apache-2.0
// Exporter of every protocol that sends messages to collectors: one format, a
// session for each collector. Each flow record goes to one of them: the first
// that is up (failover), or one after the other, a message each (round robin).
// Belongs to the thread of its exporting process.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/export/exporter.hpp"
#include "exporters/session/export_session.hpp"
#include "exporters/session/message_format.hpp"

namespace nfstreamd::exporters {

enum class CollectorPolicy : std::uint8_t { kFailover, kRoundRobin };

struct CollectorOptions {
    CollectorPolicy policy = CollectorPolicy::kFailover;
    SessionOptions session;
    std::chrono::milliseconds retry_min = std::chrono::seconds(1);  // of one collector while others are up
    std::chrono::milliseconds failback = std::chrono::seconds(60);  // failover: how often the better ones are tried
};

class CollectorExporter final : public Exporter {
public:
    // At least one transport, best first. `logger` outlives the exporter.
    CollectorExporter(std::string name, std::unique_ptr<MessageFormat> format,
                      std::vector<std::unique_ptr<MessageTransport>> transports, const CollectorOptions& options,
                      Logger& logger, ExportClock clock = {});
    ~CollectorExporter() override { close(); }

    Status open() override;
    Status write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) override;
    Status pause() override;
    Status flush() override;
    void close() noexcept override;

    void set_patience(std::chrono::milliseconds patience) override { patience_ = patience; }
    std::size_t unconfirmed() override;
    void forget_unconfirmed() override;
    bool repeat_announcement() override;
    Status conclude() override;
    void note_losses(const LossTotals& losses) override { losses_before_ = losses; }

    const ExporterCounters& counters() const noexcept override { return counters_; }
    std::vector<CollectorView> collectors() const override;
    std::string description() const override;

private:
    struct Collector {
        std::unique_ptr<ExportSession> session;
        std::chrono::milliseconds retry;
        std::chrono::steady_clock::time_point next_try{};
    };
    struct Dropped {  // by take(), in no message
        std::uint64_t place;
        Counter* counter;
        LossTotals loss;
    };
    using Deadline = ExportSession::Deadline;

    Status open_from(std::size_t first, Deadline until);
    Status open_all(Deadline until);
    void use(std::size_t index);
    void postpone(Collector& collector);
    bool select_open();
    Status ensure_open(Deadline until);
    Status attend(const ExportSession& session, Status status, Deadline until);
    static void note(Status& all, Status one);
    Status lost(const ExportSession& session, const Error& error, Deadline until);

    Status take(const FlowRecord& record, Deadline until);
    Status make_room(Deadline until);
    void count(const FlowRecord& record, MessageCounts& message);
    void drop(const FlowRecord& record, Counter& counter);

    Status flush_within(Deadline until);
    Status try_others();
    Status fail_back(std::size_t index);
    void tell_losses();
    std::uint64_t oldest_unconfirmed();
    ExportSession& current() noexcept { return *collectors_[current_].session; }
    Deadline deadline() const;
    void sum_up();

    const std::string name_;
    const std::unique_ptr<MessageFormat> format_;
    const CollectorOptions options_;
    Logger& logger_;
    const ExportClock clock_;
    std::vector<Collector> collectors_;
    std::size_t current_ = 0;       // where records go
    std::size_t first_to_try_ = 0;  // when a session is to be opened
    bool switching_ = false;        // to another collector, within a call or over several
    std::chrono::milliseconds patience_;
    std::chrono::steady_clock::time_point next_failback_{};

    std::uint64_t taken_ = 0;             // flow records, the place of the next one
    std::uint64_t unconfirmed_from_ = 0;  // place of the oldest, as told last
    std::deque<Dropped> dropped_;
    ExporterCounters counters_, own_;  // all; of records that came to no session
    LossTotals losses_before_, own_losses_;
    RateLimit down_log_;
};

}  // namespace nfstreamd::exporters
