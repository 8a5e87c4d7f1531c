// SPDX-License-Identifier: Apache-2.0
// The one receiver of a type that sends whole messages over UDP, TCP, TLS or
// DTLS: its settings, and the transport made of them. Free functions, any thread.
#pragma once
#include <array>
#include <cstddef>
#include <memory>

#include "exporters/text_format.hpp"
#include "exporters/transport/transport_settings.hpp"

namespace nfstreamd::exporters {

inline constexpr std::array kReceiverSettings = joined_settings(
    std::array{config::SettingSpec{
        .name = "collectors",
        .type = config::SettingType::kStringList,
        .default_value = "",
        .required = true,
        .description =
            "The receiver: PROTOCOL://HOST:PORT, an IPv6 address in brackets; tcp, udp, tls or dtls. One per "
            "exporter: for a copy to another write another exporter. A record that is longer than mtu goes in "
            "a datagram of its own, which IP fragments."}},
    kTransportSettings);

inline constexpr std::size_t kLongestLine = 16 * 1024 * 1024;  // over a stream

struct Receiver {
    std::unique_ptr<MessageTransport> transport;
    std::size_t datagram = 0;  // octets that a datagram may have without fragments; 0: a stream
    std::size_t most = 0;      // octets that a message may have at all
};
// Whether records wait on the disk for a receiver that is away.
inline bool has_spool(const config::Settings& settings) {
    return !settings.string("spool.directory").empty();
}
// Ports 0: the port must be given.
Result<Receiver> make_receiver(const config::Settings& settings, DefaultPorts ports);

}  // namespace nfstreamd::exporters
