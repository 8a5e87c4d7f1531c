// SPDX-License-Identifier: Apache-2.0
// The settings that every exporter type with framed messages and a collector has.
// Free functions, any thread.
#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <tuple>

#include "config/settings.hpp"
#include "exporters/transport/message_transport.hpp"

namespace nfstreamd::exporters {

inline constexpr std::size_t kSmallestMtu = 512;

inline constexpr std::array kTransportSettings{
    config::SettingSpec{.name = "mtu",
                        .type = config::SettingType::kInteger,
                        .default_value = "1420",
                        .description = "Largest IP packet that a message over UDP or DTLS may make, in octets; smaller "
                                       "where the path takes less.",
                        .min = kSmallestMtu,
                        .max = 9000},
    config::SettingSpec{.name = "source_address",
                        .type = config::SettingType::kString,
                        .default_value = "",
                        .description = "Local address to send from, also the version of IP; without it the system "
                                       "chooses."},
    config::SettingSpec{.name = "resolve_interval",
                        .type = config::SettingType::kDuration,
                        .default_value = "5m",
                        .description = "How often the collector's name is looked up again; when it no longer stands "
                                       "for the address in use, a new session begins. off: for a new session only.",
                        .min = 1,
                        .max = 604800,
                        .choices = "off"},
    config::SettingSpec{.name = "connect_timeout",
                        .type = config::SettingType::kDuration,
                        .default_value = "4s",
                        .description = "Time for one attempt to begin a session: name, all addresses, handshake.",
                        .min = 0.1,
                        .max = 4},
    config::SettingSpec{.name = "stall_timeout",
                        .type = config::SettingType::kDuration,
                        .default_value = "30s",
                        .description = "A session over TCP, TLS or SCTP on which nothing moves, or of which nothing is "
                                       "acknowledged, for so long is ended, and another begins.",
                        .min = 1,
                        .max = 3600},
    config::SettingSpec{.name = "session_lifetime",
                        .type = config::SettingType::kDuration,
                        .default_value = "10m",
                        .description = "A session over DTLS is begun anew after this time: nothing tells that the "
                                       "collector was started again meanwhile, and what it gets is lost. off: never.",
                        .min = 1,
                        .max = 604800,
                        .choices = "off"},
    config::SettingSpec{.name = "tls.ca",
                        .type = config::SettingType::kString,
                        .default_value = "",
                        .description = "PEM file with the CA certificates by which the collector's certificate is "
                                       "verified; for tls:// and dtls://, as are the other two files."},
    config::SettingSpec{.name = "tls.certificate",
                        .type = config::SettingType::kString,
                        .default_value = "",
                        .description = "PEM file with the certificate that is shown to the collector, those that lead "
                                       "to its CA behind it. Renewed files count from the next session on."},
    config::SettingSpec{.name = "tls.key",
                        .type = config::SettingType::kString,
                        .default_value = "",
                        .description = "PEM file with the private key of tls.certificate, without passphrase."},
    config::SettingSpec{.name = "tls.server_name",
                        .type = config::SettingType::kString,
                        .default_value = "",
                        .description = "DNS name, or IP address, that the collector's certificate must have among its "
                                       "alternative names; without it the host of the endpoint."},
    config::SettingSpec{.name = "tls.ciphers",
                        .type = config::SettingType::kString,
                        .default_value = "",
                        .description = "Ciphers of TLS 1.2 and DTLS 1.2, as openssl-ciphers(1) writes them; without it "
                                       "OpenSSL's own. Those without encryption or authentication never are."},
};

// How many settings an array of them has, by its type.
template <class Table>
inline constexpr std::size_t kSettingsIn = std::tuple_size_v<Table>;
template <std::size_t N>
inline constexpr std::size_t kSettingsIn<config::SettingSpec[N]> = N;

// Tables of settings as the one of an exporter type, in this order.
template <class... Tables>
constexpr auto joined_settings(const Tables&... tables) {
    std::array<config::SettingSpec, (kSettingsIn<Tables> + ...)> joined{};
    std::size_t at = 0;
    const auto add = [&](const auto& table) {
        for (const config::SettingSpec& setting : table) joined[at++] = setting;
    };
    (add(tables), ...);
    return joined;
}

// Of a table with kTransportSettings. Errors have the place in the configuration.
Result<TransportOptions> transport_options(const config::Settings& settings);

// make_message_transport(), its errors with the place in the configuration.
Result<std::unique_ptr<MessageTransport>> make_message_transport(const Endpoint& endpoint,
                                                                 const config::Settings& settings);

}  // namespace nfstreamd::exporters
