// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/sctp_transport.hpp"

#include <fmt/format.h>
#include <linux/sctp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <boost/asio/ip/tcp.hpp>

namespace nfstreamd::exporters {
namespace asio = boost::asio;
using asio::generic::stream_protocol;

namespace {

// The address of a socket of any protocol over IP.
stream_protocol::endpoint endpoint_of(const asio::ip::address& address, std::uint16_t port) {
    return asio::ip::tcp::endpoint(address, port);
}

boost::system::error_code system_error(int error) {
    return {error, boost::system::system_category()};
}

}  // namespace

SctpTransport::SctpTransport(const Endpoint& endpoint, const TransportOptions& options)
    : destination_(endpoint, options), stall_timeout_(options.stall_timeout) {}

SctpTransport::SctpTransport(const Endpoint& endpoint, const TransportOptions& options, int connected)
    : SctpTransport(endpoint, options) {
    socket_.assign(stream_protocol(AF_UNIX, 0), connected);
    socket_.non_blocking(true);
}

Status SctpTransport::open(Clock::time_point deadline) {
    close();
    busy_ = false;
    return destination_.reach(deadline, [this](const Destination::Address& address, Clock::time_point until) {
        Status status = connect(address, until);
        if (!status) close();
        return status;
    });
}

Status SctpTransport::connect(const Destination::Address& address, Clock::time_point deadline) {
    close();
    boost::system::error_code error;
    socket_.open(stream_protocol(address.is_v4() ? AF_INET : AF_INET6, IPPROTO_SCTP), error);
    if (error.value() == EPROTONOSUPPORT || error.value() == ESOCKTNOSUPPORT)
        return Error{ErrorCode::kUnavailable,
                     fmt::format("{}: this kernel has no SCTP: load it (modprobe sctp), or send over tcp:// or tls://",
                                 destination_.text()),
                     ""};
    if (!error) socket_.non_blocking(true, error);
    if (!error && destination_.source()) {
        socket_.bind(endpoint_of(*destination_.source(), 0), error);
        if (error)
            return destination_.failure("cannot connect from " + destination_.source()->to_string() + " to", error);
    }
    if (error) return destination_.failure("cannot connect to", error);
    set_options(deadline);
    bool done = false;
    socket_.async_connect(endpoint_of(address, destination_.endpoint().port),
                          [&](const boost::system::error_code& result) {
                              error = result;
                              done = true;
                          });
    io_.restart();
    io_.run_until(deadline);
    if (!done) {
        socket_.close(error);
        io_.restart();
        io_.run();  // the handler refers to this call's frame
        error = asio::error::timed_out;
    }
    return error ? destination_.failure("cannot connect to", error) : ok();
}

// Without them the session works as well, only slower to notice its end. The
// heartbeats that find a dead peer are the kernel's.
void SctpTransport::set_options(Clock::time_point deadline) {
    const int descriptor = socket_.native_handle();
    const int on = 1;
    setsockopt(descriptor, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on);
    sctp_initmsg init{};
    init.sinit_num_ostreams = 1;
    init.sinit_max_instreams = 1;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    init.sinit_max_init_timeo = static_cast<std::uint16_t>(std::clamp<long>(left, 100, 60'000));
    setsockopt(descriptor, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof init);
    sctp_paddrparams path{};
    path.spp_address.ss_family = AF_UNSPEC;
    path.spp_flags = SPP_HB_ENABLE;
    path.spp_hbinterval = static_cast<std::uint32_t>(stall_timeout_.count() / 6);
    setsockopt(descriptor, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof path);
}

Status SctpTransport::send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                           Clock::time_point deadline) {
    if (!busy_) progress_ = Clock::now();
    Status status = check();
    while (status && sent < ends.size()) {
        const std::size_t begin = sent == 0 ? 0 : ends[sent - 1];
        status = send_one(bytes.subspan(begin, ends[sent] - begin), deadline);
        if (!status) break;
        progress_ = Clock::now();
        ++sent;
    }
    busy_ = !status && status.error().code == ErrorCode::kBusy;
    return status;
}

// The kernel takes a message as a whole or not at all.
Status SctpTransport::send_one(std::span<const std::uint8_t> message, Clock::time_point deadline) {
    while (true) {
        const auto n = ::send(socket_.native_handle(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n == static_cast<ssize_t>(message.size())) return ok();
        if (n >= 0) return destination_.failure("a message was cut on its way to", system_error(EMSGSIZE));
        const int error = errno;
        if (error == EINTR) continue;
        if (error == EMSGSIZE)
            return Error{
                ErrorCode::kInvalidArgument,
                fmt::format("{}: a message of {} octets is too long for SCTP", destination_.text(), message.size()),
                ""};
        if (error != EAGAIN && error != ENOBUFS) return destination_.failure("cannot send to", system_error(error));
        const auto now = Clock::now();
        if (now - progress_ >= stall_timeout_) return destination_.failure("stalled:", asio::error::timed_out);
        if (now >= deadline) return Error{ErrorCode::kBusy, destination_.text() + " takes no more for now", ""};
        wait_writable(std::min<Clock::time_point>(deadline, progress_ + stall_timeout_));
    }
}

bool SctpTransport::wait_writable(Clock::time_point deadline) {
    bool ready = false;
    io_.restart();
    socket_.async_wait(stream_protocol::socket::wait_write,
                       [&ready](const boost::system::error_code& error) { ready = !error; });
    io_.run_until(deadline);
    if (!ready) {
        boost::system::error_code ignored;
        socket_.cancel(ignored);
        io_.restart();
        io_.run();  // the handler refers to this call's frame
    }
    return ready;
}

// A peer that closed or aborted is seen by reading; what it says is thrown away.
Status SctpTransport::check() {
    if (!socket_.is_open()) return destination_.failure("not connected to", asio::error::not_connected);
    std::array<char, 4096> said;
    for (int i = 0; i < 64; ++i) {  // a peer that talks is not listened to for long
        const auto n = ::recv(socket_.native_handle(), said.data(), said.size(), MSG_DONTWAIT);
        if (n > 0) continue;
        if (n == 0) return Error{ErrorCode::kUnavailable, destination_.text() + " closed the connection", ""};
        if (errno == EAGAIN) break;
        if (errno != EINTR) return destination_.failure("lost", system_error(errno));
    }
    return destination_.check();
}

// What the kernel has taken still leaves before the association ends.
void SctpTransport::close() noexcept {
    if (!socket_.is_open()) return;
    boost::system::error_code ignored;
    socket_.shutdown(stream_protocol::socket::shutdown_send, ignored);
    socket_.close(ignored);
}

}  // namespace nfstreamd::exporters
