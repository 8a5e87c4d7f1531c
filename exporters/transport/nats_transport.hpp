// SPDX-License-Identifier: Apache-2.0
// Messages to a subject of NATS by libnats. Core NATS: the server has them when
// it answers the ping behind them. JetStream: the stream acknowledges each. What
// is not confirmed is kept here and sent again over the next session. Belongs to
// the thread of its exporter; libnats has threads of its own.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "exporters/transport/publisher.hpp"

namespace nfstreamd::exporters {

struct NatsOptions {
    std::vector<std::string> servers;  // "nats://HOST:PORT", "tls://HOST:PORT"
    std::string subject, client_name;
    bool jetstream = false, tls = false;
    std::string user, password, token, credentials_file;
    std::string ca_file, certificate_file, key_file;
};

class NatsTransport final : public Publisher {
public:
    explicit NatsTransport(NatsOptions options);
    ~NatsTransport() override;

    Status open(Clock::time_point deadline) override;
    Status publish(const OutgoingMessage& message, Clock::time_point deadline) override;
    Status progress(Clock::time_point deadline) override;
    Status settle(Clock::time_point deadline) override;
    void forget() noexcept override;
    void close(Clock::time_point deadline) noexcept override;
    std::string description() const override { return description_; }

private:
    struct Session;  // libnats's
    struct Kept {
        std::uint64_t number;
        std::string payload;
    };

    Status connect(Clock::time_point deadline);
    Status hand_over(const Kept& message);
    Status confirm_by_ping(Clock::time_point deadline);
    Status confirm_by_stream(Clock::time_point deadline);
    Status lost(int status, const char* what);

    const NatsOptions options_;
    const std::string description_;
    const std::string run_;  // before message ids, so that a stream sees doubles
    std::unique_ptr<Session> session_;
    std::deque<Kept> kept_;  // oldest first
    std::size_t octets_ = 0;
};

}  // namespace nfstreamd::exporters
