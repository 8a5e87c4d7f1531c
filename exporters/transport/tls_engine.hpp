// SPDX-License-Identifier: Apache-2.0
// One TLS or DTLS session as a client, without a socket: octets of the peer go in,
// octets for the peer come out, of DTLS as datagrams. Belongs to its transport.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "exporters/transport/tls_context.hpp"

struct ssl_st;

namespace nfstreamd::exporters {

class TlsEngine {
public:
    // `host` is the name to expect in the certificate unless the options say another;
    // `description` is for errors.
    TlsEngine(const TlsContext& context, const std::string& host, std::string description);
    ~TlsEngine();
    TlsEngine(const TlsEngine&) = delete;
    TlsEngine& operator=(const TlsEngine&) = delete;

    // Takes what the peer sent: of DTLS one datagram. An error is the session's end,
    // ErrorCode::kPermission when one side does not accept the other.
    Status receive(std::span<const std::uint8_t> octets);

    // Goes on with the handshake; ErrorCode::kBusy: the peer must say more first.
    Status handshake();
    bool established() const noexcept { return established_; }

    // The peer has accepted our certificate. With TLS 1.3 established() comes before
    // the peer has looked at it: only what it says next tells (RFC 8446, 4.6.1, 6).
    bool accepted() const noexcept { return accepted_; }

    // One message to as many records as it needs; of DTLS one.
    Status encrypt(std::span<const std::uint8_t> message);
    void end();  // our last word: close_notify

    // What is for the peer since the last call; of DTLS datagrams.
    struct Output {
        std::vector<std::uint8_t> octets;
        std::vector<std::size_t> ends;  // of the datagrams in it
    };
    void take_output(Output& output);

    // DTLS: what a datagram may have, and what of it is left to a message; the
    // handshake's timer, which sends again what was lost.
    void set_datagram_limit(std::size_t octets);
    std::size_t message_limit() const noexcept;
    std::optional<std::chrono::milliseconds> timeout() const noexcept;
    Status on_timeout();

private:
    struct Hooks;
    friend struct Hooks;

    Status outcome(int result);
    Error ended(int code);

    const std::string description_, name_;
    const bool datagrams_;
    ssl_st* ssl_ = nullptr;
    std::span<const std::uint8_t> input_;
    std::vector<std::uint8_t> rest_;  // of the input that was not taken yet
    Output output_;
    bool established_ = false, accepted_ = false;
    int alert_ = -1;  // of the peer, fatal
    std::optional<Error> error_;
};

}  // namespace nfstreamd::exporters
