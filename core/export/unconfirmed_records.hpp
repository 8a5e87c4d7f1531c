// SPDX-License-Identifier: Apache-2.0
// The newest records that an exporter has taken: kept, without a copy, as long
// as it says that they may be lost. Belongs to the exporter's thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "core/export/spool_position.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

// Records of a batch from an index on, to its end.
struct RecordRange {
    RecordBatchPtr batch;
    std::size_t from = 0;
    std::optional<SpoolPosition> place{};  // of the batch's first record in the spool; none: not from there

    std::size_t size() const { return batch ? batch->records.size() - from : 0; }
    std::span<const FlowRecord> records() const { return std::span(batch->records).subspan(from); }
    SpoolPosition position() const { return {place->segment, place->offset, place->before, from}; }
};

class UnconfirmedRecords {
public:
    // The records from `range.from` up to `end` were taken.
    void add(const RecordRange& range, std::size_t end);

    // Lets go of the batches of which none is among the newest `count`.
    void keep_newest(std::size_t count);

    struct Taken {
        std::vector<RecordRange> ranges;  // the last one up to the end of its batch, taken or not
        std::size_t records = 0;          // that were taken
    };
    // Gives away the newest `count`, oldest first, and forgets the others.
    Taken take_newest(std::size_t count);

    std::size_t records() const { return records_; }
    // Of the oldest that is kept and comes from the spool.
    std::optional<SpoolPosition> oldest_place() const;

private:
    struct Item {
        RecordRange range;
        std::size_t end = 0;

        std::size_t size() const { return end - range.from; }
    };

    std::deque<Item> items_;
    std::size_t records_ = 0;
};

}  // namespace nfstreamd
