// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/message_transport.hpp"

#include "exporters/transport/tcp_transport.hpp"
#include "exporters/transport/udp_transport.hpp"

namespace nfstreamd::exporters {

std::unique_ptr<MessageTransport> make_message_transport(const Endpoint& endpoint, const std::string& source_address) {
    if (endpoint.protocol == EndpointProtocol::kUdp) return std::make_unique<UdpTransport>(endpoint, source_address);
    return std::make_unique<TcpTransport>(endpoint, source_address);
}

}  // namespace nfstreamd::exporters
