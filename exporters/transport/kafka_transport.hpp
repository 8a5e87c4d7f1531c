// SPDX-License-Identifier: Apache-2.0
// Messages to a topic of Kafka by librdkafka, an idempotent producer: what a
// broker has acknowledged is in the log once, in the order of its key. librdkafka
// keeps messages and tries them again; they survive open() after a failure.
// Belongs to the thread of its exporter; its callbacks run there, too.
#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/log.hpp"
#include "exporters/transport/publisher.hpp"

namespace nfstreamd::exporters {

struct KafkaOptions {
    std::vector<std::string> brokers;  // "HOST:PORT"
    std::string topic;
    std::size_t message_size = 1'000'000;                   // octets
    std::size_t in_flight = 100'000, in_flight_octets = 0;  // bounds of what is not confirmed
    std::chrono::milliseconds delivery_timeout{0};          // 0: none
    // librdkafka's properties; those that stand first are ours and may be overridden
    std::vector<std::pair<std::string, std::string>> properties;
};

class KafkaTransport final : public Publisher {
public:
    // The index of the first of `properties` that librdkafka does not take, and what it says.
    struct BadProperty {
        std::size_t index;
        std::string message;
    };
    static std::vector<BadProperty> check(const std::vector<std::pair<std::string, std::string>>& properties);

    // `logger` outlives it; `name` is the exporter's, for the log.
    KafkaTransport(KafkaOptions options, std::string name, Logger& logger);
    ~KafkaTransport() override;

    Status open(Clock::time_point deadline) override;
    Status publish(const OutgoingMessage& message, Clock::time_point deadline) override;
    Status progress(Clock::time_point deadline) override;
    Status settle(Clock::time_point deadline) override;
    void forget() noexcept override;
    void close(Clock::time_point deadline) noexcept override;
    std::string description() const override { return description_; }

private:
    struct Session;    // librdkafka's
    struct Callbacks;  // from it to us

    Status create();
    Status find_topic(Clock::time_point deadline);
    Status lost() const;
    void drop_session() noexcept;

    const KafkaOptions options_;
    const std::string name_, description_;
    Logger& logger_;
    std::unique_ptr<Session> session_;
    bool down_ = false, fatal_ = false;  // as librdkafka told
    std::string reason_;
    RateLimit failed_log_, library_log_;
};

}  // namespace nfstreamd::exporters
