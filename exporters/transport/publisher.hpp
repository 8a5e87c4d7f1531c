// SPDX-License-Identifier: Apache-2.0
// Whole messages to a broker, a server or a peer that may say later what became
// of them. Knows nothing of flows. Belongs to the thread of its exporter; no call
// lasts longer than its deadline, and a moment.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace nfstreamd::exporters {

struct OutgoingMessage {
    std::uint64_t number = 0;  // tells it from others when it is settled; never the same twice
    std::string_view payload;
    std::string_view key;       // messages of one key stay in order, where there is such a thing
    std::uint64_t records = 1;  // that are lost with it
};

enum class Outcome : std::uint8_t {
    kDelivered,  // confirmed, or out where nobody confirms
    kTooLarge,   // for the receiver or the path
    kFailed,     // given up: refused for good, or unknown
};

struct SettledMessage {
    std::uint64_t number;
    Outcome outcome;
};

class Publisher {
public:
    using Clock = std::chrono::steady_clock;

    virtual ~Publisher() = default;

    // A session. Called again after a failure of any call, with no close()
    // between: messages that were taken and are not settled go on over the new one.
    virtual Status open(Clock::time_point deadline) = 0;

    // Takes the message as a whole or, with an error, not at all. ErrorCode::kBusy:
    // as many as may be under way are. Any other error: the session is lost.
    virtual Status publish(const OutgoingMessage& message, Clock::time_point deadline) = 0;

    // Lets out what is gathered and takes note of reports, without waiting for them.
    virtual Status progress(Clock::time_point deadline) = 0;

    // Until every message that was taken is settled; ErrorCode::kBusy: not yet.
    virtual Status settle(Clock::time_point deadline) = 0;

    // Nothing more is published in this session: as settle(), and until the receiver
    // has said that it read everything, where it can; ErrorCode::kBusy: not yet.
    virtual Status conclude(Clock::time_point deadline) { return settle(deadline); }

    // Messages that were taken and are not settled are not to be sent any more.
    virtual void forget() noexcept = 0;

    // Settles what it can until then, and ends the session. What is not settled
    // afterwards never will be.
    virtual void close(Clock::time_point deadline) noexcept = 0;

    // What became of messages since it was emptied, in any order.
    std::vector<SettledMessage>& settled() noexcept { return settled_; }

    // Of the messages that were settled as delivered, the newest so many may yet be
    // lost: they are out, and nobody says that the receiver has read them. After a
    // failure those of the session that has ended. 0: what is delivered is safe.
    virtual std::size_t unconfirmed() noexcept { return 0; }

    // Records in messages that were settled as delivered and of which a host on
    // the way said since that they reached nobody.
    virtual std::uint64_t take_refused_records() { return 0; }

    virtual std::string description() const = 0;  // any thread

protected:
    void note(std::uint64_t number, Outcome outcome) { settled_.push_back({number, outcome}); }

private:
    std::vector<SettledMessage> settled_;
};

}  // namespace nfstreamd::exporters
