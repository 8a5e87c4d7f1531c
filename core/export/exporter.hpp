// SPDX-License-Identifier: Apache-2.0
// An exporter turns record batches into bytes somewhere else.
//
// It is single-threaded: open, write, flush and close are called by one thread
// that belongs to it, so it may block, but no longer than ~5 s in one call, so
// that shutdown stays within its deadline. It must not throw. It sees records
// as const and may not keep them after write returns.
//
// Every record that write has taken ends in exactly one of `records` and the
// dropped_* counters, at the latest when close() returns. The exporter counts
// its own failures.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/counter.hpp"
#include "core/base/result.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

// Written by the exporter's thread, read by any.
struct ExporterCounters {
    Counter records;                 // flow records handed to the transport (uniflow: a biflow counts once)
    Counter data_records;            // data records in messages or lines, options included
    Counter messages, octets;        // that left
    Counter templates;               // messages with templates sent
    Counter dropped_unreachable;     // records in datagrams a collector refused (ICMP)
    Counter dropped_oversize;        // records that fit no message
    Counter dropped_failed;          // records given up after an error of the transport
    Counter dropped_unsupported;     // records that the protocol cannot tell of: IPv6 in NetFlow 5
    Counter cut_strings, cut_lists;  // records that left with shortened strings or lists, to fit a message
    Counter failures, connects;      // errors; sessions or files opened
    Counter up;                      // gauge: 1 while open
};

// Every cause of a loss, by the name that users see.
struct LossCause {
    std::string_view name;
    Counter ExporterCounters::*counter;
};
inline constexpr LossCause kLossCauses[] = {{"unreachable", &ExporterCounters::dropped_unreachable},
                                            {"oversize", &ExporterCounters::dropped_oversize},
                                            {"failed", &ExporterCounters::dropped_failed},
                                            {"unsupported", &ExporterCounters::dropped_unsupported}};
inline std::uint64_t lost_records(const ExporterCounters& counters) noexcept {
    std::uint64_t sum = 0;
    for (const LossCause& cause : kLossCauses) sum += (counters.*cause.counter).get();
    return sum;
}

// Flow records that never reached a receiver, and what they told of (RFC 7011, 4.3).
struct LossTotals {
    std::uint64_t records = 0, packets = 0, octets = 0;
    std::int64_t first_ms = 0, last_ms = 0;  // when the first and the last was given up, since 1970; 0: none was
    friend bool operator==(const LossTotals&, const LossTotals&) = default;

    LossTotals& operator+=(const LossTotals& other) noexcept {
        records += other.records;
        packets += other.packets;
        octets += other.octets;
        if (other.first_ms != 0 && (first_ms == 0 || other.first_ms < first_ms)) first_ms = other.first_ms;
        last_ms = other.last_ms > last_ms ? other.last_ms : last_ms;
        return *this;
    }
    // Of what was no loss after all; the times stay.
    LossTotals& operator-=(const LossTotals& other) noexcept {
        records -= other.records;
        packets -= other.packets;
        octets -= other.octets;
        return *this;
    }
    void note_time(std::chrono::system_clock::time_point now) noexcept {
        last_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
        if (first_ms == 0) first_ms = last_ms;
    }
};

struct CollectorView {
    std::string destination;
    const ExporterCounters* counters;  // lives as long as the exporter
};

class Exporter {
public:
    virtual ~Exporter() = default;

    // Connect, create the file. Called again after a failure of any call, with no
    // close() between: what is buffered may go on over the new session.
    virtual Status open() = 0;

    // Takes the whole batch or, with an error, as much as it can. `consumed` is an
    // index into the batch: it comes in as `from`, and an error leaves it behind
    // the last record that was taken, where the caller goes on when it tries the
    // same batch again. ErrorCode::kBusy: slow but sound, call again at once.
    virtual Status write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) = 0;

    // There is no more for the moment: what is complete may leave. With an error
    // it goes on as after one of write.
    virtual Status pause() { return ok(); }

    virtual Status flush() = 0;         // send what is buffered; templates that are due
    virtual void close() noexcept = 0;  // flush, disconnect; what cannot be sent is counted in dropped_failed

    // How long a call may wait for a receiver that is slow, by default a few
    // seconds; then kBusy comes back.
    virtual void set_patience(std::chrono::milliseconds) {}

    // Of the records that write has taken, in their order and whatever became of
    // them, the newest so many begin with the oldest that may yet be lost: it is
    // buffered, or out and nobody has said that it arrived. 0 where nobody ever does.
    // The caller may keep these records.
    virtual std::size_t unconfirmed() { return 0; }
    // Forgets as many as unconfirmed() told last, and what was taken since: the caller
    // has kept them, and writes them again after the next open(). They leave the
    // counters as if they had never been taken. Called only between a failure and
    // open(), or before close().
    virtual void forget_unconfirmed() {}

    // There will be no more: whoever receives may be told so, and then say that all
    // has arrived. kBusy: not yet, call again; only close() and open() come after it.
    virtual Status conclude() { return flush(); }

    // Templates and options go out again to every collector that is up, with the next
    // flush(); over a stream options alone. False: there is nothing of that kind.
    virtual bool repeat_announcement() { return false; }

    // What its process has lost of the records that were for this exporter, before
    // they came to it; told before open() and each flush(). Totals since the start.
    virtual void note_losses(const LossTotals&) {}

    virtual const ExporterCounters& counters() const noexcept = 0;  // any thread
    virtual std::string description() const = 0;                    // "udp://192.0.2.5:4739"; any thread
    // Each collector by itself where an exporter has several; any thread.
    virtual std::vector<CollectorView> collectors() const { return {}; }
};

}  // namespace nfstreamd
