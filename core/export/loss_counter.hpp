// SPDX-License-Identifier: Apache-2.0
// Counts records that are given up, and the packets and octets that they told
// of. One thread counts, any reads.
#pragma once
#include <chrono>
#include <cstdint>
#include <span>

#include "core/base/counter.hpp"
#include "core/export/exporter.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {

// That the records tell of.
inline std::uint64_t packets_of(std::span<const FlowRecord> records) noexcept {
    std::uint64_t packets = 0;
    for (const auto& record : records) packets += record.packets();
    return packets;
}

class LossCounter {
public:
    void add(std::span<const FlowRecord> records) noexcept {
        if (records.empty()) return;
        std::uint64_t packets = 0, octets = 0;
        for (const auto& record : records) {
            packets += record.packets();
            octets += record.forward.octets + record.reverse.octets;
        }
        records_.add(records.size());
        packets_.add(packets);
        octets_.add(octets);
        note_time();
    }
    // Nobody knows what was in them.
    void add_unknown(std::uint64_t records) noexcept {
        if (records == 0) return;
        records_.add(records);
        note_time();
    }

    std::uint64_t records() const noexcept { return records_.get(); }
    LossTotals totals() const noexcept {
        return {records_.get(), packets_.get(), octets_.get(), static_cast<std::int64_t>(first_ms_.get()),
                static_cast<std::int64_t>(last_ms_.get())};
    }

private:
    void note_time() noexcept {
        const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
        const auto now =
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count());
        if (first_ms_.get() == 0) first_ms_.set(now);
        last_ms_.set(now);
    }

    Counter records_, packets_, octets_, first_ms_, last_ms_;
};

}  // namespace nfstreamd
