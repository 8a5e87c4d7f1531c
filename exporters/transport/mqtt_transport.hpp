// SPDX-License-Identifier: Apache-2.0
// Messages to a topic of an MQTT broker (MQTT 3.1.1) by libmosquitto. With
// quality of service 1 and 2 a message is delivered when the broker said so, and
// libmosquitto sends it again over the next session until then; with 0 when it
// was written. Belongs to the thread of its exporter; callbacks run there, too.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/log.hpp"
#include "exporters/transport/publisher.hpp"

namespace nfstreamd::exporters {

struct MqttOptions {
    std::string host;
    std::uint16_t port = 1883;
    bool tls = false;
    std::string topic, client_id, user, password;
    int qos = 1;
    bool clean_session = true, retain = false;
    std::chrono::seconds keepalive{60};
    std::string ca_file, certificate_file, key_file;  // ca_file empty: the system's authorities
};

class MqttTransport final : public Publisher {
public:
    // `logger` outlives it; `name` is the exporter's, for the log.
    MqttTransport(MqttOptions options, std::string name, Logger& logger);
    ~MqttTransport() override;

    Status open(Clock::time_point deadline) override;
    Status publish(const OutgoingMessage& message, Clock::time_point deadline) override;
    Status progress(Clock::time_point deadline) override;
    Status settle(Clock::time_point deadline) override;
    void forget() noexcept override;
    void close(Clock::time_point deadline) noexcept override;
    std::string description() const override { return description_; }

private:
    struct Client;     // libmosquitto's
    struct Callbacks;  // from it to us

    struct UnderWay {
        std::uint64_t number;
        std::size_t octets;
    };

    Status create();
    Status connect(Clock::time_point deadline);
    Status loop(int timeout_ms);
    Status lost(int code);
    void fail_what_is_not_kept();
    void note_published(int id);

    const MqttOptions options_;
    const std::string name_, description_;
    Logger& logger_;
    std::unique_ptr<Client> client_;
    bool connected_ = false;                       // as the broker said
    int refusal_ = 0;                              // its return code (MQTT 3.1.1, 3.2.2.3)
    std::unordered_map<int, UnderWay> under_way_;  // by packet id
    std::size_t octets_ = 0;                       // of these
    std::vector<int> early_;                       // published before their id was known
    RateLimit library_log_;
};

}  // namespace nfstreamd::exporters
