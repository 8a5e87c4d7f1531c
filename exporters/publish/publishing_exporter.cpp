// SPDX-License-Identifier: Apache-2.0
#include "exporters/publish/publishing_exporter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "exporters/encode/flow_key_text.hpp"

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 4s;  // of one call, by the contract of Exporter
constexpr auto kCloseLimit = 4s;
constexpr auto kStallTimeout = 60s;  // without a report while messages are under way

}  // namespace

PublishingExporter::PublishingExporter(const MakePacker& make_packer, MessageKey key,
                                       std::unique_ptr<Publisher> publisher, bool remembers)
    : key_(key), publisher_(std::move(publisher)), patience_(kPatience), ledger_(remembers) {
    assert(!remembers || key == MessageKey::kNone);
    const std::size_t packers = key == MessageKey::kGroup ? kKeyGroups : 1;
    for (std::size_t i = 0; i < packers; ++i) packers_.push_back(make_packer());
}

void PublishingExporter::set_patience(std::chrono::milliseconds patience) {
    patience_ = std::min<std::chrono::milliseconds>(patience, kPatience);
}

Status PublishingExporter::open() {
    open_ = false;
    counters_.up.set(0);
    const auto status = note(publisher_->open(Clock::now() + kPatience));
    if (!status && status.error().code != ErrorCode::kBusy) return status;
    open_ = true;
    settled_at_ = Clock::now();
    counters_.connects.add();
    counters_.up.set(1);
    return ok();
}

Status PublishingExporter::write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) {
    deadline_ = deadline();
    consumed = from;
    if (Status status = send_pending(); !status) return note(std::move(status));
    while (consumed < batch.records.size()) {
        Status status = take(batch.records[consumed]);
        ++consumed;
        if (!status) return note(std::move(status));
    }
    if (packers_.size() == 1) ledger_.end_round();
    return note(publisher_->progress(deadline_));
}

// With an error, too, the record was taken: its message is the one that waits.
Status PublishingExporter::take(const FlowRecord& record) {
    std::size_t group = 0;
    if (key_ == MessageKey::kGroup) group = flow_key_hash(record) % kKeyGroups;
    if (key_ == MessageKey::kFlow) {
        pending_key_.clear();
        append_flow_key(pending_key_, record);
    }
    MessagePacker& packer = *packers_[group];
    ledger_.take();
    if (!packer.add(record)) {
        // those that were taken before it are to be counted before it
        Status status = packer.empty() ? ok() : take_from(packer);
        ledger_.drop();
        return status;
    }
    if (packer.ready()) return take_from(packer);
    return ok();
}

Status PublishingExporter::take_from(MessagePacker& packer) {
    packer.take(pending_);
    if (key_ == MessageKey::kGroup) {
        const auto group =
            std::find_if(packers_.begin(), packers_.end(), [&](const auto& p) { return p.get() == &packer; });
        pending_key_ = std::to_string(group - packers_.begin());
    }
    pending_number_ = ledger_.add({pending_.records, pending_.data_records, pending_.payload.size()});
    if (packers_.size() == 1) ledger_.end_round();
    is_pending_ = true;
    return send_pending();
}

Status PublishingExporter::send_pending() {
    if (!open_) return Error{ErrorCode::kUnavailable, description() + " is not open", ""};
    if (!is_pending_) return ok();
    auto status = publisher_->publish({pending_number_, pending_.payload, pending_key_, pending_.records}, deadline_);
    if (status) is_pending_ = false;
    return status;
}

// Partly filled messages, too.
Status PublishingExporter::send_all() {
    if (Status status = send_pending(); !status) return status;
    for (const auto& packer : packers_)
        while (!packer->empty())
            if (Status status = take_from(*packer); !status) return status;
    ledger_.end_round();
    return ok();
}

Status PublishingExporter::pause() {
    deadline_ = deadline();
    if (Status status = send_pending(); !status) return note(std::move(status));
    if (nothing_is_packed()) ledger_.end_round();
    return note(publisher_->progress(deadline_));
}

bool PublishingExporter::nothing_is_packed() const noexcept {
    return std::all_of(packers_.begin(), packers_.end(), [](const auto& packer) { return packer->empty(); });
}

Status PublishingExporter::flush() {
    deadline_ = deadline();
    Status status = send_all();
    if (status) status = publisher_->settle(deadline_);
    return note(std::move(status));
}

Status PublishingExporter::conclude() {
    deadline_ = deadline();
    Status status = send_all();
    if (status) status = publisher_->conclude(deadline_);
    return note(std::move(status));
}

// What nobody confirms for so long is not coming through.
Status PublishingExporter::check_progress() {
    if (ledger_.under_way() == 0) settled_at_ = Clock::now();
    if (Clock::now() - settled_at_ < kStallTimeout) return ok();
    return Error{ErrorCode::kUnavailable,
                 fmt::format("{} has confirmed nothing for {} s", description(), kStallTimeout.count()), ""};
}

void PublishingExporter::forget_unconfirmed() {
    publisher_->forget();
    count();
    for (const auto& packer : packers_) packer->clear();
    is_pending_ = false;
    ledger_.forget();
    count();
}

void PublishingExporter::close() noexcept {
    deadline_ = Clock::now() + std::min<std::chrono::milliseconds>(patience_, kCloseLimit);
    if (open_) static_cast<void>(send_all());
    publisher_->close(deadline_);
    count();
    for (const auto& packer : packers_) packer->clear();
    is_pending_ = open_ = false;
    ledger_.give_up();
    count();
    counters_.up.set(0);
}

Status PublishingExporter::note(Status status) {
    count();
    if (status || status.error().code == ErrorCode::kBusy)
        if (Status progress = check_progress(); !progress) status = std::move(progress);
    if (!status && status.error().code != ErrorCode::kBusy) {
        open_ = false;
        counters_.failures.add();
        counters_.up.set(0);
    }
    return status;
}

void PublishingExporter::count() {
    if (!publisher_->settled().empty()) settled_at_ = Clock::now();
    for (const SettledMessage& message : publisher_->settled()) ledger_.settle(message);
    publisher_->settled().clear();
    refused_ += publisher_->take_refused_records();
    const DeliveryLedger::Totals& totals = ledger_.totals();
    counters_.records.set(totals.records - std::min(refused_, totals.records));
    counters_.data_records.set(totals.data_records);
    counters_.messages.set(totals.messages);
    counters_.octets.set(totals.octets);
    counters_.dropped_oversize.set(totals.too_large);
    counters_.dropped_failed.set(totals.failed);
    counters_.dropped_unreachable.set(std::min(refused_, totals.records));
}

}  // namespace nfstreamd::exporters
