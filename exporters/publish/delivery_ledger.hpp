// SPDX-License-Identifier: Apache-2.0
// What became of the records an exporter has taken, in their order: reports come
// in any order, but a record counts only when all before it do, so that those of
// which nothing is known are always the newest. One thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>

#include "exporters/transport/publisher.hpp"

namespace nfstreamd::exporters {

class DeliveryLedger {
public:
    struct Totals {
        std::uint64_t records = 0, data_records = 0, messages = 0, octets = 0;  // delivered
        std::uint64_t too_large = 0, failed = 0;                                // records
        std::uint64_t settled() const noexcept { return records + too_large + failed; }
    };
    struct Size {
        std::uint32_t records = 0, data_records = 0;
        std::uint64_t octets = 0;
    };

    void take() noexcept { ++taken_; }       // a record
    void drop();                             // the record taken last fits no message
    std::uint64_t add(const Size& message);  // of records that were taken; its number
    void settle(const SettledMessage& message);
    // All records of the messages so far were taken before any of those to come.
    void end_round();

    const Totals& totals() const noexcept { return totals_; }
    std::uint64_t unsettled() const noexcept { return taken_ - totals_.settled(); }  // records
    std::size_t under_way() const noexcept { return under_way_; }                    // messages
    void forget() noexcept;   // as if what is not settled had never been taken
    void give_up() noexcept;  // what is not settled has failed

private:
    struct Message {
        Size size;
        std::uint64_t round;
        bool settled = false;
    };
    struct Round {  // messages whose records may lie between each other's
        Totals totals;
        std::size_t under_way = 0;
        bool ended = false;
    };

    Round& round();
    void add_to_totals(const Totals& more) noexcept;
    void count();

    std::deque<Message> messages_;
    std::deque<Round> rounds_;
    std::uint64_t first_message_ = 0, first_round_ = 0;  // numbers of the first in each
    std::uint64_t taken_ = 0;
    std::size_t under_way_ = 0;
    Totals totals_;
};

}  // namespace nfstreamd::exporters
