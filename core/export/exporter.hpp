// SPDX-License-Identifier: Apache-2.0
// An exporter turns record batches into bytes somewhere else.
//
// It is single-threaded: open, write, flush and close are called by one thread
// that belongs to it, so it may block, but no longer than ~5 s in one call, so
// that shutdown stays within its deadline. It must not throw. It sees records
// as const and may not keep them after write returns.
#pragma once
#include <cstdint>
#include <string>

#include "core/base/counter.hpp"
#include "core/base/result.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

// Written by the exporter's thread, read by any.
struct ExporterCounters {
    Counter records;             // flow records handed to the transport (uniflow: a biflow counts once)
    Counter data_records;        // data records in messages or lines, options included
    Counter messages, octets;    // that left
    Counter templates;           // messages with templates sent
    Counter dropped_unreachable; // records in datagrams a collector refused (ICMP)
    Counter dropped_oversize;    // records that fit no message
    Counter dropped_failed;      // records given up after an error of the transport
    Counter failures, connects;  // errors; sessions or files opened
    Counter up;                  // gauge: 1 while open
};

class Exporter {
public:
    virtual ~Exporter() = default;

    virtual Status open() = 0;  // connect, create the file; may be called again after a failure or close()

    // Takes the whole batch or, with an error, counts in `consumed` how many of
    // its records are safely out; the caller decides about the rest (`from` is
    // where to go on when it tries the same batch again).
    virtual Status write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) = 0;

    virtual Status flush() = 0;          // send what is buffered; templates that are due
    virtual void close() noexcept = 0;   // flush, disconnect

    virtual const ExporterCounters& counters() const noexcept = 0;  // any thread
    virtual std::string description() const = 0;                    // "udp://192.0.2.5:4739"; any thread
};

}  // namespace nfstreamd
