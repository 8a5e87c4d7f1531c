// SPDX-License-Identifier: Apache-2.0
// One message, one record, one datagram, over DTLS 1.2 (RFC 6347; RFC 7011, 11).
// A collector that was started again knows nothing of the session and drops what
// it gets without a word: a refusal by ICMP ends the session, so does an alert, and
// so does session_lifetime, which bounds what is lost when neither comes. Belongs to
// the thread of its exporter.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporters/transport/destination.hpp"
#include "exporters/transport/message_transport.hpp"
#include "exporters/transport/tls_engine.hpp"
#include "exporters/transport/udp_socket.hpp"

namespace nfstreamd::exporters {

class DtlsTransport final : public MessageTransport {
public:
    DtlsTransport(const Endpoint& endpoint, const TransportOptions& options, std::shared_ptr<TlsContext> context);
    ~DtlsTransport() override { close(); }

    Status open(Clock::time_point deadline) override;
    Status send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                Clock::time_point deadline) override;
    Status check() override;
    void close() noexcept override;
    std::vector<std::uint64_t> take_refused() override;
    bool is_datagram() const noexcept override { return true; }
    std::size_t message_limit() const noexcept override;
    std::string description() const override { return destination_.text(); }

private:
    static constexpr std::uint64_t kNoMessage = UINT64_MAX;

    Status connect(const Destination::Address& address, Clock::time_point deadline);
    Status shake_hands(Clock::time_point deadline);
    Status send_output(Clock::time_point deadline);
    Status send_some(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                     Clock::time_point deadline);
    Status take_datagrams();
    void gather_refused();

    Destination destination_;
    const std::size_t most_, mtu_;  // octets of a message, of an IP packet, by the configuration
    const std::chrono::milliseconds lifetime_;
    const std::shared_ptr<TlsContext> context_;
    UdpSocket socket_;
    std::optional<TlsEngine> engine_;
    TlsEngine::Output output_;
    Clock::time_point began_{};
    std::array<std::uint64_t, kRemembered> message_of_{};  // the newest datagrams, by their number
    std::uint64_t messages_ = 0;                           // in this session
    std::vector<std::uint64_t> refused_;
    bool lost_ = false;  // a message was refused: the collector has gone, and the session with it
};

}  // namespace nfstreamd::exporters
