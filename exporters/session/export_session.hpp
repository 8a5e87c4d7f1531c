// SPDX-License-Identifier: Apache-2.0
// One collector: its transport session (RFC 7011, 2), the messages that wait for
// it, and what became of those that left. Templates and options go first in each
// session and again over datagrams; time and sequence number are written when a
// message leaves. Belongs to the thread of its exporter; counters any thread.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/export/exporter.hpp"
#include "exporters/session/message_format.hpp"
#include "exporters/session/message_queue.hpp"
#include "exporters/transport/message_transport.hpp"

namespace nfstreamd::exporters {

struct ExportClock {
    std::function<std::chrono::system_clock::time_point()> wall = [] { return std::chrono::system_clock::now(); };
    std::function<std::chrono::steady_clock::time_point()> steady = [] { return std::chrono::steady_clock::now(); };
};

struct SessionOptions {
    std::size_t send_octets = 64 * 1024;  // complete messages gather up to this while there is more to come
    std::chrono::milliseconds template_refresh = std::chrono::seconds(60);  // datagrams only
    std::uint64_t template_refresh_messages = 0;  // likewise, after so many of them at the latest; 0: by time alone
    std::chrono::milliseconds report_interval = std::chrono::seconds(60);  // 0: never
    // Datagrams that are refused (ICMP) end the session, and a new one is up only
    // when none was for a moment: somebody keeps records for a collector that is away.
    bool refusal_fails = false;
    bool remembers = false;  // what has left and may be lost, for oldest_unconfirmed() and forget()
};

class ExportSession {
public:
    using Deadline = MessageTransport::Clock::time_point;

    // `format` and `logger` outlive the session; `name` is the exporter's.
    ExportSession(std::string name, std::unique_ptr<MessageTransport> transport, MessageFormat& format,
                  const SessionOptions& options, const ExportClock& clock, Logger& logger);

    // A new session, over which what still waits goes on. kBusy: call again soon.
    Status open(Deadline deadline);
    bool is_open() const noexcept { return state_ == State::kUp; }
    bool is_datagram() const noexcept { return transport_->is_datagram(); }

    // Where records are added. Full: send before more is added.
    MessageQueue& data() noexcept { return data_; }
    bool is_full() const noexcept { return !data_.empty() && data_.bytes().size() >= options_.send_octets; }

    // Templates and reports are due, or it is full.
    bool has_to_send();
    // What is due of templates and reports, then the complete messages.
    Status send(Deadline deadline);
    // The message under way, too; then looks whether the collector is still there.
    Status flush(Deadline deadline);
    // Templates and options go out with the next send(); over a stream, where templates
    // stand until the session ends (RFC 7011, 8), options alone.
    void repeat_announcement() noexcept { announcement_wanted_ = state_ == State::kUp; }
    // Before close(): what is left of the announcement, a last report, and a flush.
    Status finish(Deadline deadline);
    // finish(), then until the collector has ended the session, too, as one does that
    // has read everything; kBusy: not yet. Only open() and close() come after it.
    Status conclude(Deadline deadline);
    // Ends the session in an orderly way, what waits stays.
    void close() noexcept;
    // What waits is given up, counted in dropped_failed.
    void drop_waiting() noexcept;
    // What waits at another session goes on here.
    void take_over(ExportSession& other);

    // Order number (MessageCounts::first_record) of the oldest flow record that may
    // yet be lost: it waits, or the collector may not have read it. kNone: none.
    static constexpr std::uint64_t kNone = ~std::uint64_t{0};
    std::uint64_t oldest_unconfirmed();
    // Records below that one are safe with all collectors.
    void confirm(std::uint64_t below);
    // Forgets the records from that one on, as if they had never come here.
    void forget(std::uint64_t from);

    // What the exporter has lost in all, for the reports.
    void note_losses(const LossTotals& all) { exporter_losses_ = all; }

    const ExporterCounters& counters() const noexcept { return counters_; }
    const LossTotals& losses() const noexcept { return losses_; }  // the exporter's thread
    std::string description() const { return transport_->description(); }

private:
    enum class State : std::uint8_t { kClosed, kProving, kUp, kEnding };

    Status prove();
    Status announce();
    void turn_pages(std::size_t most_messages);
    void report();
    Status refresh();
    Status send_waiting(Deadline deadline);
    Status send_from(MessageQueue& queue, bool& begun, std::size_t most, Deadline deadline);
    void stamp(MessageQueue& queue, bool begun);
    void note_sent(const MessageQueue& queue, std::size_t count);
    Status note_refused();
    Status go_on_trial();
    bool count_refused();
    void count_late_refusals();
    void end() noexcept;
    void give_up(MessageQueue& queue, const Error& error);
    void lose(const MessageCounts& message, Counter& counter);
    void use_limit();
    Status fail(Error error);

    const std::string name_;
    const std::unique_ptr<MessageTransport> transport_;
    MessageFormat& format_;
    const SessionOptions options_;
    const ExportClock& clock_;
    Logger& logger_;

    // Data survives a new session, as template ids tell what it means; templates and
    // options do not: it has its own.
    MessageQueue data_, session_;
    bool data_begun_ = false, session_begun_ = false;  // part of the first message may be out

    State state_ = State::kClosed;
    std::uint32_t sequence_ = 0;
    std::uint64_t messages_sent_ = 0;                                    // in this session
    std::array<MessageCounts, MessageTransport::kRemembered> newest_{};  // that left, by number
    struct Left {
        std::uint64_t number;  // of the message in the session
        MessageCounts counts;
        Counter* counted_in;
    };
    std::deque<Left> left_;               // messages with records that may have to be forgotten, oldest first
    std::size_t unconfirmed_at_end_ = 0;  // messages, of the session that failed
    SessionTemplates known_;
    std::unique_ptr<MessagePages> pages_;  // that are not sent yet
    bool refused_since_announced_ = false, announcement_wanted_ = false;
    std::uint64_t announced_version_ = 0;
    std::uint64_t announced_at_ = 0;  // messages_sent_ then
    bool on_trial_ = false;           // nothing that could be refused has left so far
    std::chrono::steady_clock::time_point announced_{}, reported_{}, proven_at_{};

    ExporterCounters counters_;
    std::uint64_t flow_data_records_ = 0;
    LossTotals losses_, exporter_losses_;
    RateLimit drop_log_;
};

}  // namespace nfstreamd::exporters
