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
#include "exporters/transport/transport_options.hpp"

namespace nfstreamd::exporters {

class MessageTransport {
public:
    using Clock = std::chrono::steady_clock;

    virtual ~MessageTransport() = default;

    // A new session; what an earlier one left half sent is forgotten.
    // ErrorCode::kPermission: the peers do not accept each other (TLS, DTLS).
    virtual Status open(Clock::time_point deadline) = 0;

    // Message i is the part of `bytes` that ends at ends[i]. `sent` comes in as 0
    // and counts the messages that were handed over as a whole, with an error too.
    // ErrorCode::kBusy: the receiver is slow, a part of the next message may be
    // out; the next call must begin with that one. ErrorCode::kInvalidArgument: the
    // next message can never go, others may. Any other error ends the session.
    virtual Status send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                        Clock::time_point deadline) = 0;

    // Notices what happened since the last send: a peer that closed, a refusal, a
    // name that moved to another address, a session that has lasted long enough. An
    // error asks for open().
    virtual Status check() = 0;

    // Ends the session in an orderly way; what was handed over still leaves.
    virtual void close() noexcept = 0;

    // Messages of which a host on the way said since the last call that they
    // reached nobody: their numbers, counted from 0 in each session as handed over.
    static constexpr std::size_t kRemembered = 1024;  // of the newest messages, that may be among them
    virtual std::vector<std::uint64_t> take_refused() { return {}; }

    // Of the messages handed over in this session, or in the one that ended last,
    // the newest so many may never have been read by the peer's application: those
    // of which octets are not acknowledged, and those within twice the greatest
    // window that the peer was seen to advertise, as its kernel acknowledges what it
    // only keeps. At most kMostUnconfirmed, whatever their size. 0 where nobody
    // acknowledges anything.
    static constexpr std::size_t kMostUnconfirmed = 65536;
    virtual std::size_t unconfirmed() noexcept { return 0; }

    // Nothing more is sent in this session. Waits until the deadline for the peer to
    // end it, too, as one does that has read all of it: then unconfirmed() is 0.
    // ErrorCode::kBusy: it has not so far, call again.
    virtual Status conclude(Clock::time_point) { return ok(); }

    // Octets that a message may have now to travel in one packet of this path; may
    // change with each call. 0: no limit but the protocol's.
    virtual std::size_t message_limit() const noexcept { return 0; }

    virtual bool is_datagram() const noexcept { return false; }
    virtual std::string description() const = 0;  // any thread
};

// Octets that a message may have, over UDP or DTLS, in an IP packet of `mtu`
// octets of either version; 0 for the other protocols. message_limit() is at
// most that.
std::size_t datagram_limit(EndpointProtocol protocol, std::size_t mtu) noexcept;

// Opens nothing, but reads the files of TLS and DTLS. The error's `where` is the
// setting, such as "tls.key".
Result<std::unique_ptr<MessageTransport>> make_message_transport(const Endpoint& endpoint,
                                                                 const TransportOptions& options);

}  // namespace nfstreamd::exporters
