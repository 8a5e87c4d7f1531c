// SPDX-License-Identifier: Apache-2.0
// One message, one datagram. Belongs to the thread of its exporter.
#pragma once
#include <string>
#include <vector>

#include "exporters/transport/destination.hpp"
#include "exporters/transport/message_transport.hpp"
#include "exporters/transport/udp_socket.hpp"

namespace nfstreamd::exporters {

class UdpTransport final : public MessageTransport {
public:
    // `segmentation` false: never GSO, whatever the kernel has. `lookup` empty: by
    // the system's resolver.
    explicit UdpTransport(const Endpoint& endpoint, const TransportOptions& options = {}, bool segmentation = true,
                          HostAddresses::Lookup lookup = {});

    Status open(Clock::time_point deadline) override;
    Status send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                Clock::time_point deadline) override;
    Status check() override;
    void close() noexcept override { socket_.close(); }
    std::vector<std::uint64_t> take_refused() override;
    bool is_datagram() const noexcept override { return true; }
    std::size_t message_limit() const noexcept override;
    std::string description() const override { return destination_.text(); }

    bool segments() const noexcept { return socket_.segments(); }  // whether GSO is in use

private:
    Destination destination_;
    const std::size_t most_;  // octets of a message, by the configuration
    UdpSocket socket_;
    bool refused_ = false;  // in this session, and told
};

}  // namespace nfstreamd::exporters
