// SPDX-License-Identifier: Apache-2.0
// Messages over any MessageTransport, such as UDP and TCP: lines, syslog. Nobody
// confirms them: a message is delivered when the system has taken it, and remains
// unconfirmed as long as the transport says so. Messages gather, so that many
// leave in one system call. Belongs to the thread of its exporter.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "exporters/transport/message_transport.hpp"
#include "exporters/transport/publisher.hpp"

namespace nfstreamd::exporters {

enum class StreamFraming { kNone, kOctetCount };  // RFC 6587, 3.4.1: "123 MESSAGE"

class SessionPublisher final : public Publisher {
public:
    // `framing` is that of streams; datagrams need none. `preamble` begins each
    // session over a stream. `logger` outlives it; `name` is the exporter's.
    SessionPublisher(std::unique_ptr<MessageTransport> transport, StreamFraming framing, std::string preamble,
                     std::string name, Logger& logger);

    Status open(Clock::time_point deadline) override;
    Status publish(const OutgoingMessage& message, Clock::time_point deadline) override;
    Status progress(Clock::time_point deadline) override;
    Status settle(Clock::time_point deadline) override;
    Status conclude(Clock::time_point deadline) override;
    void forget() noexcept override;
    void close(Clock::time_point deadline) noexcept override;
    std::size_t unconfirmed() noexcept override { return transport_->unconfirmed(); }
    std::uint64_t take_refused_records() override;
    std::string description() const override { return transport_->description(); }

private:
    struct Waiting {
        std::uint64_t number, records;
    };

    Status send(Clock::time_point deadline);
    void sent(std::size_t count);
    void give_up_first(const Error& error);
    void take_refused();
    void append(std::string_view payload);

    const std::unique_ptr<MessageTransport> transport_;
    const StreamFraming framing_;
    const std::string preamble_, name_;
    Logger& logger_;
    bool open_ = false, ending_ = false;

    std::vector<std::uint8_t> bytes_;
    std::vector<std::size_t> ends_;  // of the messages in bytes_
    std::vector<Waiting> waiting_;   // the same messages
    bool preamble_waits_ = false;    // the first of them is the preamble

    std::uint64_t messages_sent_ = 0;                                          // in this session
    std::array<std::uint64_t, MessageTransport::kRemembered> records_sent_{};  // of the newest, by number
    std::uint64_t refused_records_ = 0;
    RateLimit drop_log_, refused_log_;
};

}  // namespace nfstreamd::exporters
