// SPDX-License-Identifier: Apache-2.0
#include "exporters/session/export_session.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;

constexpr auto kAnnounceAfterRefusal = 1s;  // a collector that came back soon has the templates
constexpr std::size_t kPagesAtOnce = 8;     // messages
constexpr auto kProof = 300ms;              // in which nobody refuses: longer than most paths take to tell

LossTotals losses_of(const MessageCounts& message) {
    return {.records = message.records, .packets = message.packets, .octets = message.octets};
}

}  // namespace

ExportSession::ExportSession(std::string name, std::unique_ptr<MessageTransport> transport, MessageFormat& format,
                             const SessionOptions& options, const ExportClock& clock, Logger& logger)
    : name_(std::move(name)),
      transport_(std::move(transport)),
      format_(format),
      options_(options),
      clock_(clock),
      logger_(logger),
      data_(format.framing(), format.max_message()),
      session_(format.framing(), format.max_message()) {}

Status ExportSession::open(Deadline deadline) {
    if (state_ == State::kProving) return prove();
    end();
    count_late_refusals();
    if (Status status = transport_->open(deadline); !status)
        return status.error().code == ErrorCode::kBusy ? status : fail(status.error());
    state_ = State::kUp;
    sequence_ = 0;
    messages_sent_ = 0;
    left_.clear();
    data_begun_ = session_begun_ = false;
    session_.clear();
    use_limit();
    if (Status status = announce(); !status) return fail(status.error());
    if (transport_->is_datagram()) format_.repeat_templates(session_, known_);
    const bool announced = !session_.empty();
    if (Status status = send_from(session_, session_begun_, SIZE_MAX, deadline);
        !status && status.error().code != ErrorCode::kBusy)
        return status;
    const bool to_prove = options_.refusal_fails && transport_->is_datagram();
    on_trial_ = to_prove && !announced;
    if (to_prove && announced) {
        state_ = State::kProving;
        proven_at_ = clock_.steady() + kProof;
        return prove();
    }
    counters_.connects.add();
    counters_.up.set(1);
    return ok();
}

// Templates have left: if nobody listens, an ICMP error comes back.
Status ExportSession::prove() {
    if (Status status = transport_->check(); !status) return fail(status.error());
    if (!transport_->take_refused().empty())
        return fail({ErrorCode::kUnavailable, description() + " refuses datagrams: nobody listens there", ""});
    if (clock_.steady() < proven_at_) return Error{ErrorCode::kBusy, description() + " is being tried", ""};
    state_ = State::kUp;
    counters_.connects.add();
    counters_.up.set(1);
    return ok();
}

Status ExportSession::announce() {
    announced_version_ = format_.announced_version();
    announced_ = clock_.steady();
    announced_at_ = messages_sent_;
    refused_since_announced_ = false;
    known_ = {};
    if (Status status = format_.announce(session_, known_); !status) {
        announced_ = {};  // to be tried again
        return status;
    }
    pages_ = format_.pages(session_.max_message());
    turn_pages(kPagesAtOnce);
    report();
    return ok();
}

// Datagrams are spread over the flushes, so that they do not displace each other.
void ExportSession::turn_pages(std::size_t most_messages) {
    if (pages_ && !pages_->turn(session_, known_, transport_->is_datagram() ? most_messages : SIZE_MAX)) pages_.reset();
}

void ExportSession::report() {
    reported_ = clock_.steady();
    format_.report(session_, known_, {counters_, flow_data_records_, exporter_losses_});
}

// An error: what tells of the data does not fit the path any more.
Status ExportSession::refresh() {
    const auto now = clock_.steady();
    const auto age = now - announced_;
    const bool is_due = age >= options_.template_refresh ||
                        (options_.template_refresh_messages > 0 &&
                         messages_sent_ - announced_at_ >= options_.template_refresh_messages) ||
                        (refused_since_announced_ && age >= kAnnounceAfterRefusal);
    bool wanted = std::exchange(announcement_wanted_, false);
    if (transport_->is_datagram() && (is_due || wanted)) {
        if (Status status = announce(); !status) return status;
        wanted = false;
    } else if (wanted || format_.announced_version() != announced_version_) {
        announced_version_ = format_.announced_version();
        format_.announce_changes(session_, known_);
        pages_ = format_.pages(session_.max_message());
        turn_pages(kPagesAtOnce);
    }
    if (wanted || (options_.report_interval > 0ms && now - reported_ >= options_.report_interval)) report();
    return ok();
}

bool ExportSession::has_to_send() {
    if (state_ != State::kUp) return true;
    return !refresh() || !session_.empty() || is_full();
}

Status ExportSession::send(Deadline deadline) {
    if (state_ != State::kUp) return Error{ErrorCode::kUnavailable, description() + " is not open", ""};
    if (Status status = refresh(); !status) return fail(status.error());
    return send_waiting(deadline);
}

// Templates and options go before all data, but not into the middle of a message
// of which a part is out.
Status ExportSession::send_waiting(Deadline deadline) {
    if (data_begun_)
        if (Status status = send_from(data_, data_begun_, 1, deadline); !status) return status;
    if (Status status = send_from(session_, session_begun_, SIZE_MAX, deadline); !status) return status;
    return send_from(data_, data_begun_, SIZE_MAX, deadline);
}

Status ExportSession::finish(Deadline deadline) {
    if (state_ != State::kUp) return ok();
    turn_pages(SIZE_MAX);
    report();
    return flush(deadline);
}

Status ExportSession::conclude(Deadline deadline) {
    if (state_ == State::kUp) {
        if (Status status = finish(deadline); !status) return status;
        state_ = State::kEnding;
    }
    if (state_ != State::kEnding) return ok();
    const Status status = transport_->conclude(deadline);
    return status || status.error().code == ErrorCode::kBusy ? status : fail(status.error());
}

Status ExportSession::flush(Deadline deadline) {
    data_.end_message();
    if (state_ == State::kUp && session_.empty()) turn_pages(kPagesAtOnce);
    if (Status status = send(deadline); !status) return status;
    const Status status = transport_->check();
    if (Status refused = note_refused(); !refused) return refused;
    return status ? ok() : fail(status.error());
}

// At most so many messages. `begun`: a part of the first one may be out.
Status ExportSession::send_from(MessageQueue& queue, bool& begun, std::size_t most, Deadline deadline) {
    while (!queue.empty() && most > 0) {
        if (on_trial_) {
            if (Status status = go_on_trial(); !status) return status;
            most = 1;
        }
        stamp(queue, begun);
        const auto ends = queue.ends().first(std::min(most, queue.ends().size()));
        std::size_t out = 0;
        const Status status = transport_->send(queue.bytes().first(ends.back()), ends, out, deadline);
        begun = begun && out == 0;
        note_sent(queue, out);
        queue.remove_first(out);
        most -= out;
        if (Status refused = note_refused(); !refused) return refused;
        if (status) continue;
        if (status.error().code == ErrorCode::kInvalidArgument) {
            give_up(queue, status.error());
            --most;
        } else if (status.error().code == ErrorCode::kBusy) {
            begun = !transport_->is_datagram();  // of a datagram nothing is out
            return status;
        } else {
            return fail(status.error());
        }
    }
    return ok();
}

// Without an announcement the first message is what may be refused, and the rest
// waits for that.
Status ExportSession::go_on_trial() {
    if (messages_sent_ == 0) {
        proven_at_ = clock_.steady() + kProof;
        return ok();
    }
    if (Status status = transport_->check(); !status) return fail(status.error());
    if (Status status = note_refused(); !status) return status;
    if (clock_.steady() < proven_at_) return Error{ErrorCode::kBusy, description() + " is being tried", ""};
    on_trial_ = false;
    return ok();
}

// What of the header belongs to the moment and the session in which a message
// leaves; one of which a part is out stays as it is.
void ExportSession::stamp(MessageQueue& queue, bool begun) {
    const auto now = clock_.wall();
    std::uint32_t sequence = sequence_;
    for (std::size_t i = 0; i < queue.messages().size(); ++i) {
        const MessageCounts& counts = queue.messages()[i];
        if (i > 0 || !begun) format_.stamp(queue.message(i), counts, now, sequence);
        sequence += format_.sequence_step(counts);
    }
}

void ExportSession::note_sent(const MessageQueue& queue, std::size_t count) {
    for (const MessageCounts& message : queue.messages().first(count)) {
        sequence_ += format_.sequence_step(message);
        if (options_.remembers && message.records > 0) left_.push_back({messages_sent_, message, &counters_.records});
        newest_[messages_sent_++ % newest_.size()] = message;
        counters_.records.add(message.records);
        counters_.data_records.add(message.data_records);
        if (message.records > 0) flow_data_records_ += message.data_records;
        if (message.data_records == 0) counters_.templates.add();
    }
    counters_.messages.add(count);
    if (count > 0) counters_.octets.add(queue.ends()[count - 1]);
}

// Messages that reached the collector's host, or one before it, and nobody there.
Status ExportSession::note_refused() {
    if (!count_refused()) return ok();
    refused_since_announced_ = true;
    counters_.failures.add();
    if (options_.refusal_fails)
        return fail({ErrorCode::kUnavailable, description() + " refuses datagrams: nobody listens there", ""});
    if (const auto held = drop_log_.admit(); held >= 0)
        logger_.warning("collector refuses datagrams",
                        {{"name", name_}, {"destination", description()}, {"suppressed", held}});
    return ok();
}

bool ExportSession::count_refused() {
    const auto numbers = transport_->take_refused();
    for (const std::uint64_t number : numbers) {
        const MessageCounts message = std::exchange(newest_[number % newest_.size()], {});
        counters_.records.set(counters_.records.get() - message.records);
        if (message.records > 0) flow_data_records_ -= message.data_records;
        lose(message, counters_.dropped_unreachable);
        const auto left = std::find_if(left_.begin(), left_.end(), [&](const Left& l) {
            return l.number == number && l.counted_in == &counters_.records;
        });
        if (left != left_.end()) left->counted_in = &counters_.dropped_unreachable;
    }
    return !numbers.empty();
}

// Its records leave a gap in the sequence numbers, so that the collector knows.
void ExportSession::give_up(MessageQueue& queue, const Error& error) {
    const MessageCounts message = queue.messages().front();
    counters_.failures.add();
    lose(message, counters_.dropped_oversize);
    if (options_.remembers && message.records > 0) left_.push_back({kNone, message, &counters_.dropped_oversize});
    sequence_ += format_.sequence_step(message);
    queue.remove_first(1);
    use_limit();
    if (const auto held = drop_log_.admit(); held >= 0)
        logger_.warning("message dropped", {{"name", name_}, {"error", error.text()}, {"suppressed", held}});
}

void ExportSession::lose(const MessageCounts& message, Counter& counter) {
    if (message.records == 0) return;
    counter.add(message.records);
    losses_ += losses_of(message);
    losses_.note_time(clock_.wall());
}

// The path may carry less than the configuration allows.
void ExportSession::use_limit() {
    const std::size_t path = transport_->message_limit();
    const std::size_t limit = path == 0 ? format_.max_message() : std::min(path, format_.max_message());
    data_.set_max_message(limit);
    session_.set_max_message(limit);
}

void ExportSession::close() noexcept {
    if (state_ != State::kClosed) unconfirmed_at_end_ = transport_->unconfirmed();
    count_late_refusals();
    transport_->close();
    end();
}

void ExportSession::end() noexcept {
    state_ = State::kClosed;
    session_.clear();
    counters_.up.set(0);
}

// Of a session that has failed: what was under way then is told of later.
void ExportSession::count_late_refusals() {
    if (!transport_->is_datagram()) return;
    static_cast<void>(transport_->check());
    static_cast<void>(count_refused());
}

void ExportSession::drop_waiting() noexcept {
    data_.end_message();
    for (const MessageCounts& message : data_.messages()) lose(message, counters_.dropped_failed);
    data_.clear();
}

// In front of nothing of its own that is older: a message goes where it was, by its records.
void ExportSession::take_over(ExportSession& other) {
    data_.end_message();
    other.data_.end_message();
    for (std::size_t i = 0; i < other.data_.messages().size(); ++i)
        data_.append(other.data_.message(i), other.data_.messages()[i]);
    other.data_.clear();
    other.data_begun_ = false;
}

std::uint64_t ExportSession::oldest_unconfirmed() {
    std::uint64_t oldest = kNone;
    for (const MessageCounts& message : data_.messages())
        if (message.records > 0) oldest = std::min(oldest, message.first_record);
    if (data_.under_way().records > 0) oldest = std::min(oldest, data_.under_way().first_record);
    const std::uint64_t newest = state_ == State::kClosed ? unconfirmed_at_end_ : transport_->unconfirmed();
    const std::uint64_t safe = messages_sent_ - std::min(newest, messages_sent_);
    for (const Left& left : left_)
        if (left.number >= safe && left.counted_in == &counters_.records)
            return std::min(oldest, left.counts.first_record);
    return oldest;
}

void ExportSession::confirm(std::uint64_t below) {
    while (!left_.empty() && left_.front().counts.first_record < below) left_.pop_front();
}

void ExportSession::forget(std::uint64_t from) {
    std::erase_if(left_, [&](const Left& left) {
        if (left.counts.first_record < from) return false;
        if (left.number < messages_sent_ && messages_sent_ - left.number <= newest_.size())
            newest_[left.number % newest_.size()] = {};  // whatever is said of it later
        left.counted_in->set(left.counted_in->get() - left.counts.records);
        if (left.counted_in == &counters_.records)
            flow_data_records_ -= left.counts.data_records;
        else
            losses_ -= losses_of(left.counts);
        return true;
    });
    data_.drop_message();
    data_.clear();  // all of it is newer
    if (!data_begun_) return;
    data_begun_ = false;
    close();  // a part of a message may be out: only a new session goes on
}

Status ExportSession::fail(Error error) {
    unconfirmed_at_end_ = transport_->unconfirmed();
    counters_.failures.add();
    if (!transport_->is_datagram()) transport_->close();
    end();
    return error;
}

}  // namespace nfstreamd::exporters
