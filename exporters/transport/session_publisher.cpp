// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/session_publisher.hpp"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace nfstreamd::exporters {
namespace {

constexpr std::size_t kSendSize = 64 * 1024;
constexpr std::uint64_t kNobody = ~std::uint64_t{0};  // the number of a preamble

}  // namespace

SessionPublisher::SessionPublisher(std::unique_ptr<MessageTransport> transport, StreamFraming framing,
                                   std::string preamble, std::string name, Logger& logger)
    : transport_(std::move(transport)),
      framing_(transport_->is_datagram() ? StreamFraming::kNone : framing),
      preamble_(transport_->is_datagram() ? std::string() : std::move(preamble)),
      name_(std::move(name)),
      logger_(logger) {}

// What was half sent over an earlier session is sent again as a whole.
Status SessionPublisher::open(Clock::time_point deadline) {
    open_ = false;
    if (Status status = transport_->open(deadline); !status) return status;
    open_ = true;
    ending_ = false;
    messages_sent_ = 0;
    records_sent_ = {};
    if (!preamble_.empty() && !preamble_waits_) {
        for (std::size_t& end : ends_) end += preamble_.size();
        bytes_.insert(bytes_.begin(), preamble_.begin(), preamble_.end());
        ends_.insert(ends_.begin(), preamble_.size());
        waiting_.insert(waiting_.begin(), Waiting{kNobody, 0});
        preamble_waits_ = true;
    }
    return ok();
}

void SessionPublisher::append(std::string_view payload) {
    if (framing_ == StreamFraming::kOctetCount) fmt::format_to(std::back_inserter(bytes_), "{} ", payload.size());
    bytes_.insert(bytes_.end(), payload.begin(), payload.end());
    ends_.push_back(bytes_.size());
}

Status SessionPublisher::publish(const OutgoingMessage& message, Clock::time_point deadline) {
    if (bytes_.size() >= kSendSize)
        if (Status status = send(deadline); !status) return status;
    append(message.payload);
    waiting_.push_back({message.number, message.records});
    return ok();
}

Status SessionPublisher::send(Clock::time_point deadline) {
    while (!ends_.empty()) {
        if (!open_) return Error{ErrorCode::kUnavailable, description() + " is not open", ""};
        std::size_t count = 0;
        const Status status = transport_->send(bytes_, ends_, count, deadline);
        sent(count);
        take_refused();
        if (status) continue;
        if (status.error().code == ErrorCode::kInvalidArgument) {
            give_up_first(status.error());
            continue;
        }
        if (status.error().code != ErrorCode::kBusy) open_ = false;
        return status;
    }
    return ok();
}

void SessionPublisher::sent(std::size_t count) {
    if (count == 0) return;
    for (std::size_t i = 0; i < count; ++i) {
        records_sent_[messages_sent_++ % records_sent_.size()] = waiting_[i].records;
        if (waiting_[i].number != kNobody) note(waiting_[i].number, Outcome::kDelivered);
    }
    preamble_waits_ = false;
    const std::size_t octets = ends_[count - 1];
    const auto n = static_cast<std::ptrdiff_t>(count);
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(octets));
    ends_.erase(ends_.begin(), ends_.begin() + n);
    waiting_.erase(waiting_.begin(), waiting_.begin() + n);
    for (std::size_t& end : ends_) end -= octets;
}

void SessionPublisher::give_up_first(const Error& error) {
    const std::size_t octets = ends_.front();
    if (waiting_.front().number != kNobody) note(waiting_.front().number, Outcome::kTooLarge);
    preamble_waits_ = false;
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(octets));
    ends_.erase(ends_.begin());
    waiting_.erase(waiting_.begin());
    for (std::size_t& end : ends_) end -= octets;
    if (const auto held = drop_log_.admit(); held >= 0)
        logger_.warning("message dropped", {{"name", name_}, {"error", error.text()}, {"suppressed", held}});
}

void SessionPublisher::take_refused() {
    const auto numbers = transport_->take_refused();
    if (numbers.empty()) return;
    for (const std::uint64_t number : numbers)
        refused_records_ += std::exchange(records_sent_[number % records_sent_.size()], 0);
    if (const auto held = refused_log_.admit(); held >= 0)
        logger_.warning("receiver refuses datagrams",
                        {{"name", name_}, {"destination", description()}, {"suppressed", held}});
}

Status SessionPublisher::progress(Clock::time_point deadline) {
    return send(deadline);
}

Status SessionPublisher::settle(Clock::time_point deadline) {
    if (!open_) return Error{ErrorCode::kUnavailable, description() + " is not open", ""};
    if (Status status = send(deadline); !status) return status;
    Status status = transport_->check();
    take_refused();
    if (!status) open_ = false;
    return status;
}

Status SessionPublisher::conclude(Clock::time_point deadline) {
    if (!ending_)
        if (Status status = settle(deadline); !status) return status;
    ending_ = true;
    Status status = transport_->conclude(deadline);
    if (!status && status.error().code != ErrorCode::kBusy) open_ = false;
    return status;
}

void SessionPublisher::forget() noexcept {
    bytes_.clear();
    ends_.clear();
    waiting_.clear();
    preamble_waits_ = false;
    open_ = false;  // a part of a message may be out: only a new session goes on
    transport_->close();
}

void SessionPublisher::close(Clock::time_point deadline) noexcept {
    if (open_ && !ending_) static_cast<void>(settle(deadline));
    transport_->close();
    open_ = false;
}

std::uint64_t SessionPublisher::take_refused_records() {
    return std::exchange(refused_records_, 0);
}

}  // namespace nfstreamd::exporters
