// SPDX-License-Identifier: Apache-2.0
// Flow records that wait on the disk for one exporter, oldest first: segment
// files in a folder of its own, which no other process may have open at the same
// time. Belongs to the exporter's thread; the counters are for any thread.
//
// What append() has taken survives the end of the process at any moment, and a
// loss of power when it is older than a second. After such an end everything is
// read again that was not committed a second before it.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/base/counter.hpp"
#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/export/spool_folder.hpp"
#include "core/export/spool_position.hpp"
#include "core/export/spool_segment.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

struct SpoolOptions {
    std::string directory;                              // empty: no spool
    std::uint64_t max_octets = std::uint64_t{1} << 30;  // on the disk
    friend bool operator==(const SpoolOptions&, const SpoolOptions&) = default;
};

struct SpoolCounters {
    Counter records, octets, segments;  // gauges: not read so far; on the disk
    Counter oldest_ms;         // gauge: when the oldest flow ended, since 1970; of the last one when none is left
    Counter written, read;     // records, in this run; one that is read again counts again
    Counter recovered;         // records of an earlier run
    Counter discarded;         // records that were in it and could not be read: damaged
    Counter torn_octets;       // cut off at the start: what was written there is not whole
    Counter foreign_segments;  // set aside at the start: damaged at their beginning, or of another version
    Counter dropped_full;      // records: max_octets are there
    Counter dropped_failed;    // records: the disk is full, or another error
    Counter failures;
};

// What one step of reading gives: the records from an index on.
struct SpooledRecords {
    RecordBatchPtr batch;  // null: nothing is left
    SpoolPosition place;   // of its first record; `skip` is the index to begin with
};

class Spool {
public:
    using Clock = std::chrono::steady_clock;

    // Opens nothing. `name` is the exporter's.
    Spool(const SpoolOptions& options, const std::string& name, Logger& logger);
    ~Spool();
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    // Opens when it is not open and the time for it has come; false: it is not open.
    bool ready(Clock::time_point now);

    // False: append() is known to fail for the moment.
    bool has_room(Clock::time_point now) const { return !full_ && now >= retry_; }
    // False: nothing has happened. The caller may try again, or
    bool append(std::span<const FlowRecord> records);
    // give up so many, for the reason that the last append() had.
    void count_dropped(std::uint64_t records);

    bool drained() const { return unread_ == 0; }
    SpooledRecords read();                                   // the oldest that was not read yet
    const SpoolPosition& position() const { return read_; }  // of what read() gives next
    // Goes back to what read() has given, so many records, and commit() was not told of.
    void rewind(const SpoolPosition& position, std::uint64_t records);
    // What is before this will not be asked for again.
    void commit(const SpoolPosition& position);

    void tend(Clock::time_point now);  // each second it puts on the disk what is not there yet
    void close();

    const std::string& folder() const { return folder_.path(); }
    const SpoolCounters& counters() const { return counters_; }

private:
    struct Part {  // a segment
        std::uint64_t number = 0, octets = 0, records = 0;
    };

    Status open();
    void recover(std::uint64_t number, const SpoolPosition& cursor);
    void set_aside(std::uint64_t number, const Error& why);
    bool make_segment();
    std::deque<Part>::iterator find(std::uint64_t number);
    bool next_part();
    Status open_part();
    void discard_rest_of_part();
    void remove_first();
    void sync_segment();
    void write_cursor();
    void note_gauges();
    void note_oldest(std::int64_t since_1970);
    void note_failure(const Error& error);
    void note_full();

    const SpoolOptions options_;
    SpoolFolder folder_;
    Logger& logger_;
    SpoolCounters counters_;

    std::deque<Part> parts_;  // by number
    std::uint64_t octets_ = 0, unread_ = 0, next_number_ = 1;
    SpoolPosition read_, committed_, stored_;  // the last is in the cursor's file
    std::shared_ptr<SpoolSegment> writer_, reader_;
    std::uint64_t reader_number_ = 0;
    std::string entry_;  // kept for its memory
    bool full_ = false, unsynced_ = false;
    Clock::time_point retry_{}, next_open_{}, next_tend_{};
    Clock::time_point read_again_{};  // after an error of the disk
    RateLimit failure_log_, full_log_;
};

}  // namespace nfstreamd
