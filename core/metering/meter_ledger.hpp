// SPDX-License-Identifier: Apache-2.0
// What became of the packets and records of a metering process, counted at one
// moment between two polls, so that it balances to the packet. Plain values.
#pragma once
#include <array>
#include <cstdint>

#include "core/export/exporter_ledger.hpp"
#include "core/packet/packet.hpp"

namespace nfstreamd {

struct MeterLedger {
    std::uint64_t number = 0;  // of the request that it answers

    // frames of the capture, by what became of them
    std::uint64_t frames = 0, filtered = 0, kernel_dropped = 0, interface_dropped = 0, unread = 0;
    std::uint64_t duplicates = 0, held = 0;  // of several sources as one
    std::uint64_t sampled_out = 0, packets_shed = 0, hash_filtered = 0;
    std::uint64_t other_shares = 0;  // another process that reads the same files has counted or metered them
    std::array<std::uint64_t, kDecodeResults> ignored{};
    std::uint64_t metered = 0;

    // packets that were metered
    std::uint64_t in_records = 0, discarded = 0;
    std::uint64_t in_table = 0;  // added up over the table, if `summed`
    bool summed = false;
    std::uint64_t flows = 0;  // in the table, of a packet at least

    // records
    std::uint64_t made = 0, published = 0, in_batch = 0;
    std::uint64_t offered = 0, pushed = 0, queue_full = 0;  // to each exporter by itself

    MeterLedger& operator+=(const MeterLedger& other) noexcept {
        for (auto member : {&MeterLedger::frames,         &MeterLedger::filtered,
                            &MeterLedger::kernel_dropped, &MeterLedger::interface_dropped,
                            &MeterLedger::duplicates,     &MeterLedger::held,
                            &MeterLedger::unread,         &MeterLedger::sampled_out,
                            &MeterLedger::packets_shed,   &MeterLedger::hash_filtered,
                            &MeterLedger::other_shares,   &MeterLedger::metered,
                            &MeterLedger::in_records,     &MeterLedger::discarded,
                            &MeterLedger::in_table,       &MeterLedger::flows,
                            &MeterLedger::made,           &MeterLedger::published,
                            &MeterLedger::in_batch,       &MeterLedger::offered,
                            &MeterLedger::pushed,         &MeterLedger::queue_full})
            this->*member += other.*member;
        for (std::size_t i = 0; i < ignored.size(); ++i) ignored[i] += other.ignored[i];
        return *this;
    }
};

}  // namespace nfstreamd
