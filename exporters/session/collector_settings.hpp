// SPDX-License-Identifier: Apache-2.0
// The settings that all exporter types with collectors have, and the exporter
// that is made of them and a format. Free functions, control thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "core/base/result.hpp"
#include "exporters/registry.hpp"
#include "exporters/session/collector_exporter.hpp"
#include "exporters/transport/endpoint.hpp"
#include "exporters/transport/message_transport.hpp"
#include "exporters/transport/transport_settings.hpp"

namespace nfstreamd::exporters {

inline constexpr config::SettingSpec kCollectorSettings[] = {
    {"collectors", config::SettingType::kStringList, "[]", false, config::Reload::kReopen,
     "Collectors: PROTOCOL://HOST[:PORT], an IPv6 address in brackets; udp, for IPFIX also tcp, sctp, tls and dtls. "
     "Without a port 4739, 4740 for tls and dtls, 2055 for NetFlow."},
    {"policy", config::SettingType::kChoice, "copy", false, config::Reload::kReopen,
     "Of several collectors: copy, each gets every record; failover, the first that is up; round_robin, one after the "
     "other, those that are down are left out; hash, all records of a flow to the same one. With copy and hash each "
     "has a queue, a thread and a spool of its own, and is shown as NAME, NAME/2, NAME/3.",
     0, 0, "copy failover round_robin hash"},
    {"failback", config::SettingType::kDuration, "60s", false, config::Reload::kReopen,
     "With failover: how often a better collector that was down is tried.", 1, 86400},
};
// For types that have collectors over streams.
inline constexpr config::SettingSpec kRetryIntervalSetting{
    .name = "retry_interval",
    .type = config::SettingType::kDuration,
    .default_value = "60s",
    .description =
        "Over TCP, TLS and SCTP a session that failed is not tried again before so much time has passed "
        "since the attempt before (RFC 7011, 10.4.4 wants a minute); a spool keeps the records meanwhile.",
    .min = 0.1,
    .max = 86400};

struct Collectors {
    std::vector<std::unique_ptr<MessageTransport>> transports;
    std::size_t max_message = 0;  // octets that a message may have for all of them; 0: no limit but the protocol's
};
// Of `collectors`, which is not empty. Opens nothing.
Result<Collectors> make_collectors(const config::Settings& settings, DefaultPorts ports,
                                   std::span<const EndpointProtocol> protocols = kEveryProtocol);

CollectorOptions collector_options(const config::Settings& settings);

// Whether one of `collectors` is spoken to over a stream.
bool has_stream(const config::Settings& settings);

// Those of `collectors` that are elsewhere and spoken to without encryption.
std::vector<Endpoint> unencrypted_collectors(const config::Settings& settings, DefaultPorts ports);

// The error of a setting, with its place.
Error setting_error(const config::Settings& settings, std::string_view key, std::string_view message);

}  // namespace nfstreamd::exporters
