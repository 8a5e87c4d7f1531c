// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/udp_transport.hpp"

#include <algorithm>

namespace nfstreamd::exporters {

UdpTransport::UdpTransport(const Endpoint& endpoint, const TransportOptions& options, bool segmentation,
                           HostAddresses::Lookup lookup)
    : destination_(endpoint, options, std::move(lookup)),
      most_(datagram_limit(EndpointProtocol::kUdp, options.mtu)),
      socket_(destination_.text(), segmentation) {}

Status UdpTransport::open(Clock::time_point deadline) {
    refused_ = false;
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
    if (refused_)
        if (Status status = destination_.leave(); !status) return status;
    return destination_.check();
}

std::vector<std::uint64_t> UdpTransport::take_refused() {
    auto refused = socket_.take_refused();
    refused_ = refused_ || !refused.empty();
    return refused;
}

std::size_t UdpTransport::message_limit() const noexcept {
    return socket_.limit() == 0 ? most_ : std::min(most_, socket_.limit());
}

}  // namespace nfstreamd::exporters
