// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/tcp_transport.hpp"

namespace nfstreamd::exporters {

TcpTransport::TcpTransport(const Endpoint& endpoint, const TransportOptions& options)
    : destination_(endpoint, options), connection_(destination_.text(), options.stall_timeout) {}

Status TcpTransport::open(Clock::time_point deadline) {
    connection_.close();
    sent_ = 0;
    return destination_.reach(deadline, [this](const Destination::Address& address, Clock::time_point until) {
        return connection_.open(address, destination_.endpoint().port, destination_.source(), until);
    });
}

Status TcpTransport::check() {
    if (Status status = connection_.poll(); !status) return status;
    return destination_.check();
}

Status TcpTransport::send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                          Clock::time_point deadline) {
    Status status = connection_.write(bytes, sent_, deadline);
    for (; sent < ends.size() && ends[sent] <= sent_; ++sent) connection_.end_message(sent_ - ends[sent]);
    if (sent > 0) sent_ -= ends[sent - 1];
    connection_.look_at_progress();
    return status;
}

}  // namespace nfstreamd::exporters
