// SPDX-License-Identifier: Apache-2.0
// What became of the records for one exporter, counted by its thread at one
// moment between two calls of the exporter, so that it balances to the record.
// Plain values.
#pragma once
#include <array>
#include <cstdint>
#include <iterator>
#include <limits>

#include "core/export/exporter.hpp"

namespace nfstreamd {

// The number of what a thread tells at its end: later than any that is asked for.
inline constexpr std::uint64_t kLastLedger = std::numeric_limits<std::uint64_t>::max();

struct ExporterLedger {
    std::uint64_t number = 0;  // of the request that it answers
    bool closed = false;       // the exporter holds nothing any more

    // where records come from
    std::uint64_t pushed = 0, queue_full = 0;  // by producers; found no room
    std::uint64_t recovered = 0;               // from the spool of an earlier run

    // what the exporter has taken, and what it has counted of that
    std::uint64_t taken = 0;
    std::uint64_t exported = 0;
    std::array<std::uint64_t, std::size(kLossCauses)> dropped{};

    // what it has not taken
    std::uint64_t filtered = 0, sampled_out = 0, elsewhere = 0;
    std::uint64_t queued = 0, in_hand = 0, in_spool = 0;
    std::uint64_t undelivered = 0, spool_full = 0, spool_failed = 0, spool_damaged = 0;

    // packets that those records tell of; a spool does not know them
    bool knows_packets = false;
    std::uint64_t packets_pushed = 0, packets_queue_full = 0;
    std::uint64_t packets_taken = 0, packets_left_out = 0, packets_queued = 0, packets_in_hand = 0,
                  packets_undelivered = 0;

    ExporterLedger& operator+=(const ExporterLedger& other) noexcept {
        for (auto member : {&ExporterLedger::pushed,
                            &ExporterLedger::queue_full,
                            &ExporterLedger::recovered,
                            &ExporterLedger::taken,
                            &ExporterLedger::exported,
                            &ExporterLedger::filtered,
                            &ExporterLedger::sampled_out,
                            &ExporterLedger::elsewhere,
                            &ExporterLedger::queued,
                            &ExporterLedger::in_hand,
                            &ExporterLedger::in_spool,
                            &ExporterLedger::undelivered,
                            &ExporterLedger::spool_full,
                            &ExporterLedger::spool_failed,
                            &ExporterLedger::spool_damaged,
                            &ExporterLedger::packets_pushed,
                            &ExporterLedger::packets_queue_full,
                            &ExporterLedger::packets_taken,
                            &ExporterLedger::packets_left_out,
                            &ExporterLedger::packets_queued,
                            &ExporterLedger::packets_in_hand,
                            &ExporterLedger::packets_undelivered})
            this->*member += other.*member;
        knows_packets = knows_packets && other.knows_packets;
        for (std::size_t i = 0; i < dropped.size(); ++i) dropped[i] += other.dropped[i];
        return *this;
    }
};

}  // namespace nfstreamd
