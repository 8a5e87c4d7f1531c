// SPDX-License-Identifier: Apache-2.0
// One flow export protocol: how flow records become messages, and what goes with
// them. Knows no transport and no session; the sessions of an exporter share one.
// Belongs to the thread of its exporter.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <span>

#include "core/base/result.hpp"
#include "core/export/exporter.hpp"
#include "core/record/flow_record.hpp"
#include "exporters/session/message_queue.hpp"

namespace nfstreamd::exporters {

// What a session tells of the exporter now and then (RFC 7011, 4).
struct SessionReport {
    const ExporterCounters& counters;
    std::uint64_t flow_data_records = 0;  // data records that left, of flows: one may be two of them
    LossTotals losses;
};

// Options templates that a session has: over a stream none is sent twice.
struct SessionTemplates {
    std::set<std::uint16_t> options;
};

// What is too long to be sent at once, such as the names of all applications.
class MessagePages {
public:
    virtual ~MessagePages() = default;
    // Appends so many messages, or a few more. False: that was all.
    virtual bool turn(MessageQueue& queue, SessionTemplates& known, std::size_t most_messages) = 0;
};

// Records that were shortened to fit a message, since the start.
struct ShortenedRecords {
    std::uint64_t strings = 0, lists = 0;
};

class MessageFormat {
public:
    enum class Added : std::uint8_t {
        kTaken,
        kNoRoom,       // in the message under way: end it and try again
        kTooLong,      // for any message
        kUnsupported,  // the protocol cannot tell of such a flow
    };

    virtual ~MessageFormat() = default;

    virtual const MessageFraming& framing() const noexcept = 0;
    virtual std::size_t max_message() const noexcept = 0;  // octets, by the configuration

    // Adds the data records of one flow to the message under way, all of them or
    // none, and counts them in data_records; the flow itself is the caller's to count.
    virtual Added add(const FlowRecord& record, MessageQueue& queue) = 0;

    // A record of which a part may have been added will not come again as it was.
    virtual void forget() noexcept {}

    virtual ShortenedRecords shortened() const noexcept { return {}; }

    // Appends the messages that begin a session and are repeated over datagrams:
    // templates and options. Error: they do not fit queue.max_message().
    virtual Status announce(MessageQueue& queue, SessionTemplates& known) = 0;
    // Appends the templates of the announcement once more: datagrams may be lost
    // (RFC 7011, 8.4).
    virtual void repeat_templates(MessageQueue&, const SessionTemplates&) {}
    // What has changed of the options since, of which announced_version() tells by
    // another number.
    virtual std::uint64_t announced_version() const noexcept { return 0; }
    virtual void announce_changes(MessageQueue&, SessionTemplates&) {}
    // Behind both of them; null: nothing.
    virtual std::unique_ptr<MessagePages> pages(std::size_t /*max_message*/) { return nullptr; }
    // Options that tell how the process is doing; with the announcement, and now and then.
    virtual void report(MessageQueue&, SessionTemplates&, const SessionReport&) {}

    // Writes what belongs to the moment in which a complete message leaves: time and
    // `sequence`, which goes on by sequence_step() with each message of a session.
    virtual void stamp(std::span<std::uint8_t> message, const MessageCounts& counts,
                       std::chrono::system_clock::time_point now, std::uint32_t sequence) const noexcept = 0;
    virtual std::uint32_t sequence_step(const MessageCounts& counts) const noexcept = 0;
};

}  // namespace nfstreamd::exporters
