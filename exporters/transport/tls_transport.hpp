// SPDX-License-Identifier: Apache-2.0
// Messages over TLS 1.2 or later over TCP (RFC 7011, 11). A session is up when each
// side has accepted the other; there is no way to a session that is not. Belongs
// to the thread of its exporter.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "exporters/transport/destination.hpp"
#include "exporters/transport/message_transport.hpp"
#include "exporters/transport/tcp_connection.hpp"
#include "exporters/transport/tls_engine.hpp"

namespace nfstreamd::exporters {

class TlsTransport final : public MessageTransport {
public:
    TlsTransport(const Endpoint& endpoint, const TransportOptions& options, std::shared_ptr<TlsContext> context);
    ~TlsTransport() override { close(); }

    Status open(Clock::time_point deadline) override;
    Status send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                Clock::time_point deadline) override;
    Status check() override;
    void close() noexcept override;
    std::size_t unconfirmed() noexcept override { return connection_.unconfirmed(); }
    Status conclude(Clock::time_point deadline) override;
    std::string description() const override { return destination_.text(); }

private:
    Status connect(const Destination::Address& address, Clock::time_point deadline);
    Status shake_hands(Clock::time_point deadline);
    Status wait_for_acceptance(Clock::time_point deadline);
    Status flush(Clock::time_point deadline);
    Status told(Status status) const;

    Destination destination_;
    const std::shared_ptr<TlsContext> context_;
    std::optional<TlsEngine> engine_;
    Status received_ = ok();  // what the engine made of the peer's octets
    TcpConnection connection_;
    TlsEngine::Output output_;  // of the engine, on its way
    std::size_t flushed_ = 0;   // octets of it that are out
    bool begun_ = false;        // the first message to send is encrypted
};

}  // namespace nfstreamd::exporters
