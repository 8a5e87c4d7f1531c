// SPDX-License-Identifier: Apache-2.0
// What became of the records an exporter has taken, in their order: reports come
// in any order, but a record counts only when all before it do, so that those of
// which nothing is known are always the newest. One thread.
//
// Where delivered messages may yet be lost, it remembers what was counted lately,
// and can take that back: of messages with consecutive records, a round each.
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
    explicit DeliveryLedger(bool remembers = false) : remembers_(remembers) {}

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
    // Records that may yet be lost: those not settled, and those from the first of
    // so many newest delivered messages on. What is older need not be remembered.
    std::uint64_t unconfirmed(std::size_t delivered);
    // As if these, as unconfirmed() told last, had never been taken.
    void forget() noexcept;
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
    void forget_unsettled() noexcept;
    void add_to_totals(const Totals& more) noexcept;
    void count();

    const bool remembers_;
    std::deque<Totals> before_;  // each of the rounds that were counted last and may be taken back
    std::deque<Message> messages_;
    std::deque<Round> rounds_;
    std::uint64_t first_message_ = 0, first_round_ = 0;  // numbers of the first in each
    std::uint64_t taken_ = 0;
    std::size_t under_way_ = 0;
    Totals totals_;
};

}  // namespace nfstreamd::exporters
