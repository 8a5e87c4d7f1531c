// SPDX-License-Identifier: Apache-2.0
#include "exporters/publish/receiver.hpp"

#include <fmt/format.h>

namespace nfstreamd::exporters {
namespace {

constexpr EndpointProtocol kProtocols[] = {EndpointProtocol::kUdp, EndpointProtocol::kTcp, EndpointProtocol::kTls,
                                           EndpointProtocol::kDtls};
constexpr std::size_t kLongestUdp = 65'507;   // over IPv4
constexpr std::size_t kLongestDtls = 16'384;  // of a record (RFC 6347, 4.1)

}  // namespace

Result<Receiver> make_receiver(const config::Settings& settings, DefaultPorts ports) {
    const auto& collectors = settings.strings("collectors");
    if (collectors.size() != 1)
        return setting_error(settings, "collectors",
                             collectors.empty()
                                 ? "must name a receiver"
                                 : "an exporter has one; for a copy to each write one exporter for each");
    const auto endpoint = parse_endpoint(collectors.front(), ports, kProtocols);
    if (!endpoint) return setting_error(settings, "collectors", endpoint.error().message);
    if (endpoint.value().port == 0)
        return setting_error(settings, "collectors", fmt::format("\"{}\": the port is missing", collectors.front()));
    auto transport = make_message_transport(endpoint.value(), settings);
    if (!transport) return transport.error();
    const EndpointProtocol protocol = endpoint.value().protocol;
    Receiver receiver;
    receiver.datagram = datagram_limit(protocol, static_cast<std::size_t>(settings.integer("mtu")));
    receiver.most = protocol == EndpointProtocol::kUdp    ? kLongestUdp
                    : protocol == EndpointProtocol::kDtls ? kLongestDtls
                                                          : kLongestLine;
    receiver.transport = std::move(transport.value());
    return receiver;
}

}  // namespace nfstreamd::exporters
