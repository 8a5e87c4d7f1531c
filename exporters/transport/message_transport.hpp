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

#include "core/base/result.hpp"
#include "exporters/transport/endpoint.hpp"

namespace nfstreamd::exporters {

class MessageTransport {
public:
    using Clock = std::chrono::steady_clock;

    virtual ~MessageTransport() = default;

    // A new session; what an earlier one left half sent is forgotten.
    virtual Status open(Clock::time_point deadline) = 0;

    // Success: handed over as a whole. ErrorCode::kBusy: the receiver is slow, a
    // part may be out; the next call must bring the same message again.
    // ErrorCode::kInvalidArgument: this message can never go, others may. Any
    // other error ends the session.
    virtual Status send(std::span<const std::uint8_t> message, Clock::time_point deadline) = 0;

    // Notices what happened since the last send: a peer that closed, a refusal.
    virtual Status check() = 0;

    // Ends the session in an orderly way; what was handed over still leaves.
    virtual void close() noexcept = 0;

    // Whether the receiver's host said since the last call that the message before
    // the one just sent (in check(): the last one) reached nobody.
    virtual bool take_refused() noexcept { return false; }

    virtual bool is_datagram() const noexcept { return false; }
    virtual std::string description() const = 0;  // any thread
};

// `source_address` may be empty.
std::unique_ptr<MessageTransport> make_message_transport(const Endpoint& endpoint, const std::string& source_address);

}  // namespace nfstreamd::exporters
