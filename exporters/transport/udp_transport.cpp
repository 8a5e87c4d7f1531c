// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/udp_transport.hpp"

#include <algorithm>

namespace nfstreamd::exporters {

UdpTransport::UdpTransport(const Endpoint& endpoint, const TransportOptions& options, bool segmentation)
    : destination_(endpoint, options),
      most_(datagram_limit(EndpointProtocol::kUdp, options.mtu)),
      socket_(destination_.text(), segmentation) {}

Status UdpTransport::open(Clock::time_point deadline) {
    return destination_.reach(deadline, [this](const Destination::Address& address, Clock::time_point) {
        return socket_.open(address, destination_.endpoint().port, destination_.source());
    });
}

Status UdpTransport::send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                          Clock::time_point deadline) {
    return socket_.send(bytes, ends, sent, deadline);
}

Status UdpTransport::check() {
    socket_.check();
    return destination_.check();
}

std::size_t UdpTransport::message_limit() const noexcept {
    return socket_.limit() == 0 ? most_ : std::min(most_, socket_.limit());
}

}  // namespace nfstreamd::exporters
