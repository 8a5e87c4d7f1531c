// SPDX-License-Identifier: Apache-2.0
// NetFlow version 5: a header of 24 octets and at most 30 records of 48, for IPv4
// alone. Its mapping is fixed, so it goes by no field table. Each direction of a
// flow is a record; counters have 32 bits, a flow that has more becomes as many
// records as it takes. Belongs to the thread of its exporter.
#pragma once
#include <cstdint>

#include "exporters/netflow/uptime.hpp"
#include "exporters/session/message_format.hpp"

namespace nfstreamd::exporters::netflow {

struct Netflow5Options {
    std::uint8_t engine_type = 0, engine_id = 0;
    std::size_t max_message = 1372;
    // How packets were sampled: mode in the upper two bits (1 each N-th, 2 at random),
    // N below; 0: not at all. Collectors multiply by it.
    std::uint16_t sampling = 0;
    std::int64_t start_ms = 0;  // host_start_ms()
};

class Netflow5Format final : public MessageFormat {
public:
    static constexpr std::size_t kHeader = 24, kRecord = 48, kMostRecords = 30;

    explicit Netflow5Format(const Netflow5Options& options);

    const MessageFraming& framing() const noexcept override { return framing_; }
    std::size_t max_message() const noexcept override { return max_message_; }
    // kUnsupported: IPv6.
    Added add(const FlowRecord& record, MessageQueue& queue) override;
    void forget() noexcept override { progress_ = {}; }
    Status announce(MessageQueue&, SessionTemplates&) override { return ok(); }
    void stamp(std::span<std::uint8_t> message, const MessageCounts& counts, std::chrono::system_clock::time_point now,
               std::uint32_t sequence) const noexcept override;
    std::uint32_t sequence_step(const MessageCounts& counts) const noexcept override { return counts.data_records; }

private:
    // A flow of more records than a message holds: how far it is. It goes on with the
    // next call for the same flow.
    struct Progress {
        std::uint64_t id = 0, done = 0;
        TimestampNs last = 0;
    };

    const Uptime uptime_;
    const std::size_t max_message_;
    MessageFraming framing_;
    Progress progress_;
};

}  // namespace nfstreamd::exporters::netflow
