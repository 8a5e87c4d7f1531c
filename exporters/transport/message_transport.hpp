// SPDX-License-Identifier: Apache-2.0
// Whole messages of a protocol that frames its own, such as IPFIX, to one
// receiver. Belongs to the thread of its exporter; one call lasts until its
// deadline at most.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "exporters/transport/endpoint.hpp"

namespace nfstreamd::exporters {

class MessageTransport {
public:
    using Clock = std::chrono::steady_clock;

    virtual ~MessageTransport() = default;

    // A new session; what an earlier one left half sent is forgotten.
    virtual Status open(Clock::time_point deadline) = 0;

    // Message i is the part of `bytes` that ends at ends[i]. `sent` comes in as 0
    // and counts the messages that were handed over as a whole, with an error too.
    // ErrorCode::kBusy: the receiver is slow, a part of the next message may be
    // out; the next call must begin with that one. ErrorCode::kInvalidArgument: the
    // next message can never go, others may. Any other error ends the session.
    virtual Status send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                        Clock::time_point deadline) = 0;

    // Notices what happened since the last send: a peer that closed, a refusal.
    virtual Status check() = 0;

    // Ends the session in an orderly way; what was handed over still leaves.
    virtual void close() noexcept = 0;

    // Messages of which a host on the way said since the last call that they
    // reached nobody: their numbers, counted from 0 in each session as handed over.
    static constexpr std::size_t kRemembered = 1024;  // of the newest messages, that may be among them
    virtual std::vector<std::uint64_t> take_refused() { return {}; }

    // Octets that a message may have on the present path; 0: no limit but the protocol's.
    virtual std::size_t message_limit() const noexcept { return 0; }

    // Of the messages handed over in this session, also after it has failed, the
    // newest so many may never have been read by the collector.
    virtual std::size_t unconfirmed() noexcept { return 0; }

    virtual bool is_datagram() const noexcept { return false; }
    virtual std::string description() const = 0;  // any thread
};

// `source_address` may be empty.
std::unique_ptr<MessageTransport> make_message_transport(const Endpoint& endpoint, const std::string& source_address);

}  // namespace nfstreamd::exporters
