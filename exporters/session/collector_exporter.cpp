// SPDX-License-Identifier: Apache-2.0
#include "exporters/session/collector_exporter.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kPatience = 4s;       // of one call, by the contract of Exporter
constexpr std::chrono::milliseconds kHandshake = 2s;      // names, a connection and TLS need as much
constexpr std::chrono::milliseconds kLastPatience = 1s;   // of the last try: who stalls has had its time
constexpr std::chrono::milliseconds kRetryMax = 60s;      // of one collector while others are up
constexpr std::chrono::milliseconds kLongestTry = 500ms;  // of such a one: the others wait meanwhile

}  // namespace

CollectorExporter::CollectorExporter(std::string name, std::unique_ptr<MessageFormat> format,
                                     std::vector<std::unique_ptr<MessageTransport>> transports,
                                     const CollectorOptions& options, Logger& logger, ExportClock clock)
    : name_(std::move(name)),
      format_(std::move(format)),
      options_(options),
      logger_(logger),
      clock_(std::move(clock)),
      patience_(kPatience) {
    assert(!transports.empty());
    for (auto& transport : transports)
        collectors_.push_back(
            {std::make_unique<ExportSession>(name_, std::move(transport), *format_, options_.session, clock_, logger_),
             options_.retry_min});
}

CollectorExporter::Deadline CollectorExporter::deadline() const {
    return MessageTransport::Clock::now() + patience_;
}

Status CollectorExporter::open() {
    tell_losses();
    const Deadline until = MessageTransport::Clock::now() + std::max(patience_, kHandshake);
    const Status status =
        options_.policy == CollectorPolicy::kRoundRobin ? open_all(until) : open_from(first_to_try_, until);
    sum_up();
    return status;
}

// The first that is up, beginning with one of them. One that is still at it is
// waited for: the next call goes on there.
Status CollectorExporter::open_from(std::size_t first, Deadline until) {
    Status status = Error{ErrorCode::kUnavailable, "there is no collector", ""};
    for (std::size_t i = 0; i < collectors_.size(); ++i) {
        const std::size_t at = (first + i) % collectors_.size();
        ExportSession& session = *collectors_[at].session;
        status = session.is_open() ? ok() : session.open(until);
        if (!status && status.error().code != ErrorCode::kBusy) continue;
        first_to_try_ = at;
        if (status) use(at);
        return status;
    }
    first_to_try_ = 0;
    return status;
}

Status CollectorExporter::open_all(Deadline until) {
    Status worst = Error{ErrorCode::kUnavailable, "there is no collector", ""};
    bool busy = false;
    for (Collector& collector : collectors_) {
        if (collector.session->is_open()) continue;
        const Status status = collector.session->open(until);
        if (status) continue;
        busy = busy || status.error().code == ErrorCode::kBusy;
        worst = status;
        postpone(collector);
    }
    if (select_open()) {
        use(current_);
        return ok();
    }
    return busy ? Status(Error{ErrorCode::kBusy, "collectors are being tried", ""}) : worst;
}

// Records go to that one from now on, and what waits at those that are down.
void CollectorExporter::use(std::size_t index) {
    current_ = index;
    first_to_try_ = options_.policy == CollectorPolicy::kFailover ? index : 0;
    next_failback_ = clock_.steady() + options_.failback;
    for (Collector& collector : collectors_)
        if (!collector.session->is_open()) current().take_over(*collector.session);
}

void CollectorExporter::postpone(Collector& collector) {
    collector.next_try = clock_.steady() + collector.retry;
    collector.retry = std::min(collector.retry * 2, std::max(kRetryMax, options_.retry_min));
}

// False: none is up.
bool CollectorExporter::select_open() {
    for (std::size_t i = 0; i < collectors_.size(); ++i) {
        if (current().is_open()) return true;
        current_ = (current_ + 1) % collectors_.size();
    }
    return false;
}

Status CollectorExporter::ensure_open(Deadline until) {
    if (current().is_open() || select_open()) return ok();
    if (switching_) {
        Status status = open_from(first_to_try_, until);
        switching_ = !status && status.error().code == ErrorCode::kBusy;
        return status;
    }
    return Error{ErrorCode::kUnavailable, description() + " is not open", ""};
}

// A session has ended. Where its records are kept elsewhere the whole exporter
// begins anew, so that they come again; else the others go on.
Status CollectorExporter::lost(const ExportSession& session, const Error& error, Deadline until) {
    if (collectors_.size() == 1 || options_.session.remembers) return error;
    if (const auto held = down_log_.admit(); held >= 0)
        logger_.warning(
            "collector down",
            {{"name", name_}, {"destination", session.description()}, {"error", error.text()}, {"suppressed", held}});
    for (std::size_t i = 0; i < collectors_.size(); ++i) {
        if (collectors_[i].session.get() != &session) continue;
        postpone(collectors_[i]);
        first_to_try_ = (i + 1) % collectors_.size();
    }
    if (select_open()) {
        use(current_);
        return ok();
    }
    switching_ = true;
    return ensure_open(until);
}

Status CollectorExporter::write(const RecordBatch& batch, std::size_t from, std::size_t& consumed) {
    consumed = from;
    const Deadline until = deadline();
    Status status = ensure_open(until);
    if (status && current().has_to_send()) status = attend(current(), current().send(until), until);
    for (; status && consumed < batch.records.size(); consumed += status ? 1 : 0)
        status = take(batch.records[consumed], until);
    sum_up();
    return status;
}

// Error: the record was not taken.
Status CollectorExporter::take(const FlowRecord& record, Deadline until) {
    for (;;) {
        switch (format_->add(record, current().data())) {
            case MessageFormat::Added::kTaken:
                count(record, current().data().under_way());
                return ok();
            case MessageFormat::Added::kTooLong:
                drop(record, own_.dropped_oversize);
                return ok();
            case MessageFormat::Added::kUnsupported:
                drop(record, own_.dropped_unsupported);
                return ok();
            case MessageFormat::Added::kNoRoom:
                break;
        }
        if (Status status = make_room(until); !status) return status;
    }
}

// The message under way is complete. With round robin the next one goes to the
// next collector that is not behind.
Status CollectorExporter::make_room(Deadline until) {
    current().data().end_message();
    const std::size_t before = current_;
    const std::size_t choices = options_.policy == CollectorPolicy::kRoundRobin ? collectors_.size() : 1;
    Status status = ok();
    for (std::size_t i = 0; i < choices; ++i) {
        if (choices > 1) current_ = (current_ + 1) % collectors_.size();
        if (!current().is_open()) continue;
        if (!current().is_full()) return ok();
        // all but the last are asked without waiting
        const bool last = i + 1 == choices;
        status = attend(current(), current().send(last ? until : MessageTransport::Clock::now()), until);
        if (!status && status.error().code == ErrorCode::kBusy) continue;
        return status;
    }
    if (!current().is_open()) current_ = before;
    return status;
}

void CollectorExporter::count(const FlowRecord& record, MessageCounts& message) {
    if (message.records++ == 0) {
        message.first_record = taken_;
        message.earliest_ms = record.first() / 1'000'000;
    }
    message.earliest_ms = std::min(message.earliest_ms, record.first() / 1'000'000);
    message.packets += record.packets();
    message.octets += record.forward.octets + record.reverse.octets;
    message.latest_ms = std::max(message.latest_ms, record.last() / 1'000'000);
    ++taken_;
}

void CollectorExporter::drop(const FlowRecord& record, Counter& counter) {
    const LossTotals loss{
        .records = 1, .packets = record.packets(), .octets = record.forward.octets + record.reverse.octets};
    counter.add();
    own_losses_ += loss;
    own_losses_.note_time(clock_.wall());
    if (options_.session.remembers) dropped_.push_back({taken_, &counter, loss});
    ++taken_;
}

// What a call on a session has come to, as far as it concerns the exporter.
Status CollectorExporter::attend(const ExportSession& session, Status status, Deadline until) {
    if (status || status.error().code == ErrorCode::kBusy) return status;
    return lost(session, status.error(), until);
}

// Of several the first that is more than a delay.
void CollectorExporter::note(Status& all, Status one) {
    if (!one && (all || all.error().code == ErrorCode::kBusy)) all = std::move(one);
}

Status CollectorExporter::pause() {
    const Deadline until = deadline();
    Status status = ok();
    for (Collector& collector : collectors_) {
        ExportSession& session = *collector.session;
        if (!session.is_open() || session.data().empty()) continue;
        note(status, attend(session, session.send(until), until));
    }
    sum_up();
    return status;
}

Status CollectorExporter::flush() {
    Status status = flush_within(deadline());
    if (status) status = try_others();
    sum_up();
    return status;
}

Status CollectorExporter::flush_within(Deadline until) {
    if (Status status = ensure_open(until); !status) return status;
    tell_losses();
    Status status = ok();
    for (Collector& collector : collectors_) {
        ExportSession& session = *collector.session;
        if (!session.is_open()) continue;
        Status flushed = attend(session, session.flush(until), until);
        if (flushed) collector.retry = options_.retry_min;
        note(status, std::move(flushed));
    }
    return status;
}

// Collectors that are down while another is up: with round robin all of them,
// with failover those that are better.
Status CollectorExporter::try_others() {
    const auto now = clock_.steady();
    const auto open_soon = [this](std::size_t i) {
        return collectors_[i].session->open(MessageTransport::Clock::now() + std::min(patience_, kLongestTry));
    };
    if (options_.policy == CollectorPolicy::kRoundRobin) {
        for (std::size_t i = 0; i < collectors_.size(); ++i)
            if (!collectors_[i].session->is_open() && now >= collectors_[i].next_try && !open_soon(i))
                postpone(collectors_[i]);
        return ok();
    }
    if (current_ == 0 || now < next_failback_) return ok();
    for (std::size_t i = 0; i < current_; ++i) {
        const Status status = open_soon(i);
        if (status) return fail_back(i);
        if (status.error().code == ErrorCode::kBusy) return ok();  // goes on with the next flush
    }
    next_failback_ = now + options_.failback;
    return ok();
}

// What the other one may not have read comes again where records are kept.
Status CollectorExporter::fail_back(std::size_t index) {
    const std::string destination = collectors_[index].session->description();
    logger_.info("collector up again", {{"name", name_}, {"destination", destination}});
    current().close();
    if (options_.session.remembers) {
        first_to_try_ = index;
        return Error{ErrorCode::kUnavailable, destination + " is up again, the session with another ends", ""};
    }
    use(index);
    return ok();
}

void CollectorExporter::tell_losses() {
    LossTotals all = losses_before_;
    all += own_losses_;
    for (const Collector& collector : collectors_) all += collector.session->losses();
    for (Collector& collector : collectors_) collector.session->note_losses(all);
}

// Whatever has not left by now is given up.
void CollectorExporter::close() noexcept {
    const Deadline until = MessageTransport::Clock::now() + kLastPatience;
    if (current().is_open()) tell_losses();
    for (Collector& collector : collectors_) static_cast<void>(collector.session->finish(until));
    for (Collector& collector : collectors_) {
        collector.session->drop_waiting();
        collector.session->close();
    }
    sum_up();
}

std::uint64_t CollectorExporter::oldest_unconfirmed() {
    std::uint64_t oldest = taken_;
    for (Collector& collector : collectors_) oldest = std::min(oldest, collector.session->oldest_unconfirmed());
    return oldest;
}

std::size_t CollectorExporter::unconfirmed() {
    if (!options_.session.remembers) return 0;
    unconfirmed_from_ = oldest_unconfirmed();
    for (Collector& collector : collectors_) collector.session->confirm(unconfirmed_from_);
    while (!dropped_.empty() && dropped_.front().place < unconfirmed_from_) dropped_.pop_front();
    return static_cast<std::size_t>(taken_ - unconfirmed_from_);
}

// Exactly those of which the caller was told: a collector that is up may have
// confirmed more in the meantime.
void CollectorExporter::forget_unconfirmed() {
    if (!options_.session.remembers) return;
    const std::uint64_t oldest = unconfirmed_from_;
    format_->forget();
    for (Collector& collector : collectors_) collector.session->forget(oldest);
    for (; !dropped_.empty() && dropped_.back().place >= oldest; dropped_.pop_back()) {
        dropped_.back().counter->set(dropped_.back().counter->get() - 1);
        own_losses_ -= dropped_.back().loss;
    }
    taken_ = oldest;
    sum_up();
}

bool CollectorExporter::repeat_announcement() {
    for (Collector& collector : collectors_) collector.session->repeat_announcement();
    return true;
}

Status CollectorExporter::conclude() {
    const Deadline until = deadline();
    tell_losses();
    Status status = ok();
    for (Collector& collector : collectors_) note(status, collector.session->conclude(until));
    sum_up();
    return status;
}

std::vector<CollectorView> CollectorExporter::collectors() const {
    std::vector<CollectorView> views;
    for (const Collector& collector : collectors_)
        views.push_back({collector.session->description(), &collector.session->counters()});
    return views;
}

std::string CollectorExporter::description() const {
    std::string text;
    for (const Collector& collector : collectors_) text += (text.empty() ? "" : " ") + collector.session->description();
    return text;
}

void CollectorExporter::sum_up() {
    const auto sum_of = [this](Counter ExporterCounters::*counter) {
        std::uint64_t sum = (own_.*counter).get();
        for (const Collector& collector : collectors_) sum += (collector.session->counters().*counter).get();
        (counters_.*counter).set(sum);
    };
    for (const auto counter : {&ExporterCounters::records, &ExporterCounters::data_records, &ExporterCounters::messages,
                               &ExporterCounters::octets, &ExporterCounters::templates, &ExporterCounters::failures,
                               &ExporterCounters::connects})
        sum_of(counter);
    for (const LossCause& cause : kLossCauses) sum_of(cause.counter);
    const ShortenedRecords shortened = format_->shortened();
    counters_.cut_strings.set(shortened.strings);
    counters_.cut_lists.set(shortened.lists);
    counters_.up.set(current().is_open() ? 1 : 0);
}

}  // namespace nfstreamd::exporters
