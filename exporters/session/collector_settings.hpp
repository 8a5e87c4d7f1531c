// SPDX-License-Identifier: Apache-2.0
// The settings that all exporter types with collectors have, and the exporter
// that is made of them and a format. Free functions, control thread.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "core/base/result.hpp"
#include "exporters/registry.hpp"
#include "exporters/session/collector_exporter.hpp"
#include "exporters/transport/endpoint.hpp"
#include "exporters/transport/message_transport.hpp"

namespace nfstreamd::exporters {

inline constexpr config::SettingSpec kCollectorSettings[] = {
    {"collectors", config::SettingType::kStringList, "[]", false, config::Reload::kReopen,
     "Collectors: udp://HOST:PORT or tcp://HOST:PORT, 4739 without a port, an IPv6 address in brackets."},
    {"policy", config::SettingType::kChoice, "copy", false, config::Reload::kReopen,
     "Of several collectors: copy, each gets every record; failover, the first that is up; round_robin, one after the "
     "other, those that are down are left out; hash, all records of a flow to the same one. With copy and hash each "
     "has a queue, a thread and a spool of its own, and is shown as NAME, NAME/2, NAME/3.",
     0, 0, "copy failover round_robin hash"},
    {"failback", config::SettingType::kDuration, "60s", false, config::Reload::kReopen,
     "With failover: how often a better collector that was down is tried.", 1, 86400},
    {"mtu", config::SettingType::kInteger, "1420", false, config::Reload::kReopen,
     "Largest IP packet that a datagram may make, in octets; a path that carries less is noticed.", 512, 9000},
    {"source_address", config::SettingType::kString, "", false, config::Reload::kReopen,
     "Local address to send from; without it the system chooses."},
};

// Tables of settings as one, to be an exporter type's.
template <std::size_t... Sizes>
constexpr auto joined_settings(const config::SettingSpec (&... tables)[Sizes]) {
    std::array<config::SettingSpec, (Sizes + ...)> all;
    std::size_t at = 0;
    const auto add = [&](const auto& table) {
        for (const config::SettingSpec& setting : table) all[at++] = setting;
    };
    (add(tables), ...);
    return all;
}

struct Collectors {
    std::vector<std::unique_ptr<MessageTransport>> transports;
    bool datagrams = false;          // one of them at least
    std::uint16_t max_datagram = 0;  // octets of a message, by `mtu`
};
// Of `collectors`, which is not empty. Opens nothing.
Result<Collectors> make_collectors(const config::Settings& settings, std::uint16_t default_port);

CollectorOptions collector_options(const config::Settings& settings);

// The error of a setting, with its place.
Error setting_error(const config::Settings& settings, std::string_view key, std::string_view message);

}  // namespace nfstreamd::exporters
