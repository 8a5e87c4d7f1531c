// SPDX-License-Identifier: Apache-2.0
// The one collector of a type that sends over UDP or TCP: its settings, and the
// transport made of them. Free functions, any thread.
#pragma once
#include <array>
#include <cstddef>
#include <memory>

#include "exporters/text_format.hpp"
#include "exporters/transport/message_transport.hpp"

namespace nfstreamd::exporters {

inline constexpr std::array kCollectorSettings{
    config::SettingSpec{.name = "collectors",
                        .type = config::SettingType::kStringList,
                        .default_value = "",
                        .required = true,
                        .description = "The receiver, tcp://HOST:PORT or udp://HOST:PORT (IPv6 in brackets). One per "
                                       "exporter: for a copy to another write another exporter."},
    config::SettingSpec{.name = "mtu",
                        .type = config::SettingType::kInteger,
                        .default_value = "1420",
                        .description = "Largest IP packet that a datagram of several records may make, in octets; a "
                                       "record that is longer goes in a datagram of its own, which IP fragments.",
                        .min = 512,
                        .max = 65535},
    config::SettingSpec{.name = "source_address",
                        .type = config::SettingType::kString,
                        .default_value = "",
                        .description = "Local address to send from; without it the system chooses."},
};

inline constexpr std::size_t kLongestDatagram = 65'507;        // of UDP over IPv4
inline constexpr std::size_t kLongestLine = 16 * 1024 * 1024;  // over a stream

struct Collector {
    std::unique_ptr<MessageTransport> transport;
    std::size_t datagram;  // octets that a datagram may have without fragments
};
// `default_port` 0: the port must be given.
Result<Collector> make_collector(const config::Settings& settings, std::uint16_t default_port);

}  // namespace nfstreamd::exporters
