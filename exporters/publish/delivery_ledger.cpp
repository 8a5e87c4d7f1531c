// SPDX-License-Identifier: Apache-2.0
#include "exporters/publish/delivery_ledger.hpp"

#include <cassert>

namespace nfstreamd::exporters {

// The one that has not ended.
DeliveryLedger::Round& DeliveryLedger::round() {
    if (rounds_.empty() || rounds_.back().ended) rounds_.emplace_back();
    return rounds_.back();
}

void DeliveryLedger::drop() {
    ++round().totals.too_large;
}

std::uint64_t DeliveryLedger::add(const Size& message) {
    ++round().under_way;
    ++under_way_;
    messages_.push_back({message, first_round_ + rounds_.size() - 1});
    return first_message_ + messages_.size() - 1;
}

void DeliveryLedger::settle(const SettledMessage& settled) {
    if (settled.number < first_message_) return;  // forgotten
    assert(settled.number - first_message_ < messages_.size());
    Message& message = messages_[static_cast<std::size_t>(settled.number - first_message_)];
    assert(!message.settled);
    message.settled = true;
    --under_way_;
    Round& round = rounds_[static_cast<std::size_t>(message.round - first_round_)];
    --round.under_way;
    switch (settled.outcome) {
        case Outcome::kDelivered:
            round.totals.records += message.size.records;
            round.totals.data_records += message.size.data_records;
            round.totals.octets += message.size.octets;
            ++round.totals.messages;
            break;
        case Outcome::kTooLarge:
            round.totals.too_large += message.size.records;
            break;
        case Outcome::kFailed:
            round.totals.failed += message.size.records;
            break;
    }
    count();
}

void DeliveryLedger::end_round() {
    if (rounds_.empty() || rounds_.back().ended) return;
    rounds_.back().ended = true;
    count();
}

void DeliveryLedger::add_to_totals(const Totals& more) noexcept {
    totals_.records += more.records;
    totals_.data_records += more.data_records;
    totals_.messages += more.messages;
    totals_.octets += more.octets;
    totals_.too_large += more.too_large;
    totals_.failed += more.failed;
}

void DeliveryLedger::count() {
    while (!rounds_.empty() && rounds_.front().ended && rounds_.front().under_way == 0) {
        if (remembers_) before_.push_back(totals_);
        add_to_totals(rounds_.front().totals);
        rounds_.pop_front();
        ++first_round_;
    }
    while (!messages_.empty() && messages_.front().settled && messages_.front().round < first_round_) {
        messages_.pop_front();
        ++first_message_;
    }
}

// The records of a round begin where those that were settled before it end.
std::uint64_t DeliveryLedger::unconfirmed(std::size_t delivered) {
    while (!before_.empty()) {
        const std::uint64_t next = before_.size() > 1 ? before_[1].messages : totals_.messages;
        if (totals_.messages - next < delivered) break;
        before_.pop_front();
    }
    return taken_ - (before_.empty() ? totals_ : before_.front()).settled();
}

void DeliveryLedger::forget() noexcept {
    if (!before_.empty()) totals_ = before_.front();
    forget_unsettled();
}

void DeliveryLedger::forget_unsettled() noexcept {
    before_.clear();
    first_message_ += messages_.size();
    first_round_ += rounds_.size();
    messages_.clear();
    rounds_.clear();
    under_way_ = 0;
    taken_ = totals_.settled();
}

void DeliveryLedger::give_up() noexcept {
    for (const Round& round : rounds_) add_to_totals(round.totals);
    totals_.failed += unsettled();
    forget_unsettled();
}

}  // namespace nfstreamd::exporters
