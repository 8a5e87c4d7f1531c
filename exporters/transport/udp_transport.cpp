// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/udp_transport.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>

namespace nfstreamd::exporters {
namespace asio = boost::asio;
using asio::ip::udp;

UdpTransport::UdpTransport(Endpoint endpoint, std::string source_address)
    : endpoint_(std::move(endpoint)), source_address_(std::move(source_address)), description_(endpoint_.text()) {}

Status UdpTransport::open(Clock::time_point deadline) {
    close();
    refused_ = false;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    const auto addresses = resolve_host(endpoint_.host, left);
    if (!addresses) return addresses.error();
    Status status = ok();
    for (const auto& address : addresses.value()) {
        status = open_address(address);
        if (status) break;
    }
    return status;
}

Status UdpTransport::open_address(const asio::ip::address& address) {
    const udp::endpoint peer(address, endpoint_.port);
    boost::system::error_code error;
    close();
    socket_.open(peer.protocol(), error);
    if (!error) socket_.non_blocking(true, error);
    if (!error && !source_address_.empty()) {
        const auto source = asio::ip::make_address(source_address_, error);
        if (!error) socket_.bind({source, 0}, error);
        if (error) return failure("cannot send from " + source_address_ + " to", error);
    }
    if (!error) socket_.connect(peer, error);
    if (error) return failure("cannot send to", error);
    return ok();
}

// An error that waits on the socket tells of an earlier datagram and keeps this
// one from leaving: send it again. More than one may wait.
Status UdpTransport::send(std::span<const std::uint8_t> message, Clock::time_point deadline) {
    boost::system::error_code error;
    for (int attempt = 0; attempt < 4; ++attempt) {
        socket_.send(asio::buffer(message.data(), message.size()), 0, error);
        if (!error) return ok();
        if (error == asio::error::connection_refused) {
            refused_ = true;
        } else if (error == asio::error::would_block || error == asio::error::no_buffer_space) {
            if (!wait_writable(deadline))
                return Error{ErrorCode::kBusy, description_ + ": the socket's buffer is full", ""};
        } else if (error == asio::error::message_size) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("{}: a message of {} octets is too long for the path; lower mtu", description_,
                                     message.size()),
                         ""};
        } else if (error != asio::error::interrupted) {
            break;
        }
    }
    return failure("cannot send to", error);
}

bool UdpTransport::wait_writable(Clock::time_point deadline) {
    bool ready = false;
    io_.restart();
    socket_.async_wait(udp::socket::wait_write, [&ready](const boost::system::error_code& error) { ready = !error; });
    io_.run_until(deadline);
    if (!ready) {
        boost::system::error_code ignored;
        socket_.cancel(ignored);
        io_.restart();
        io_.run();  // the handler refers to this call's frame
    }
    return ready;
}

Status UdpTransport::check() {
    int pending = 0;
    socklen_t length = sizeof pending;
    if (socket_.is_open() && getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &pending, &length) == 0 &&
        pending == ECONNREFUSED)
        refused_ = true;
    return ok();
}

void UdpTransport::close() noexcept {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

Error UdpTransport::failure(std::string_view what, const boost::system::error_code& error) const {
    return {ErrorCode::kUnavailable, fmt::format("{} {}: {}", what, description_, error.message()), ""};
}

}  // namespace nfstreamd::exporters
