// SPDX-License-Identifier: Apache-2.0
// Ports of 127.0.0.1 that nobody has now.
#pragma once
#include <cstdint>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

namespace nfstreamd::test {

// For TCP and UDP.
inline std::uint16_t unused_port() {
    boost::asio::io_context io;
    while (true) {
        boost::asio::ip::tcp::acceptor tcp(io, {boost::asio::ip::address_v4::loopback(), 0});
        boost::asio::ip::udp::socket udp(io, boost::asio::ip::udp::v4());
        boost::system::error_code error;
        udp.bind({boost::asio::ip::address_v4::loopback(), tcp.local_endpoint().port()}, error);
        if (!error) return tcp.local_endpoint().port();
    }
}

}  // namespace nfstreamd::test
