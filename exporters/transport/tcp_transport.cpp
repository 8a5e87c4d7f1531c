// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/tcp_transport.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>

namespace nfstreamd::exporters {
namespace asio = boost::asio;
using asio::ip::tcp;

TcpTransport::TcpTransport(Endpoint endpoint, std::string source_address, std::chrono::milliseconds stall_timeout)
    : endpoint_(std::move(endpoint)),
      source_address_(std::move(source_address)),
      description_(endpoint_.text()),
      stall_timeout_(stall_timeout) {}

TcpTransport::~TcpTransport() {
    close();
}

Status TcpTransport::open(Clock::time_point deadline) {
    close();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    const auto addresses = resolve_host(endpoint_.host, left);
    if (!addresses) return addresses.error();
    Status status = ok();
    for (const auto& address : addresses.value()) {
        status = connect(address, deadline);
        if (status) break;
        close();
    }
    return status;
}

Status TcpTransport::connect(const asio::ip::address& address, Clock::time_point deadline) {
    const tcp::endpoint peer(address, endpoint_.port);
    boost::system::error_code error;
    socket_.open(peer.protocol(), error);
    if (!error) socket_.non_blocking(true, error);
    if (!error && !source_address_.empty()) {
        const auto source = asio::ip::make_address(source_address_, error);
        if (!error) socket_.bind({source, 0}, error);
        if (error) return failure("cannot connect from " + source_address_ + " to", error);
    }
    if (error) return failure("cannot connect to", error);

    error = asio::error::timed_out;
    bool done = false;
    socket_.async_connect(peer, [&](const boost::system::error_code& result) {
        error = result;
        done = true;
    });
    io_.restart();
    io_.run_until(deadline);
    if (!done) {
        cancel_and_drain();  // the handler refers to this call's frame
        error = asio::error::timed_out;
    }
    if (error) return failure("cannot connect to", error);
    set_options();
    peer_.clear();
    sent_ = 0;
    busy_ = false;
    progress_ = Clock::now();
    read_ahead();
    return ok();
}

// Without them the session works as well, only slower to notice its end.
void TcpTransport::set_options() {
    boost::system::error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    const auto unacknowledged_ms = static_cast<unsigned>(stall_timeout_.count());
    setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms);
}

void TcpTransport::read_ahead() {
    socket_.async_read_some(asio::buffer(received_), [this](const boost::system::error_code& error, std::size_t) {
        if (error == asio::error::operation_aborted) return;
        if (error)
            peer_ = error;
        else if (!draining_)
            read_ahead();
    });
}

Status TcpTransport::check() {
    if (!socket_.is_open()) return failure("not connected to", asio::error::not_connected);
    io_.restart();
    io_.poll();
    if (peer_ == asio::error::eof) return Error{ErrorCode::kUnavailable, description_ + " closed the connection", ""};
    if (peer_) return failure("lost", peer_);
    return ok();
}

Status TcpTransport::send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                          Clock::time_point deadline) {
    if (!busy_) progress_ = Clock::now();
    Status status = write_all(bytes, deadline);
    busy_ = !status && status.error().code == ErrorCode::kBusy;
    while (sent < ends.size() && ends[sent] <= sent_) ++sent;
    if (sent > 0) sent_ -= ends[sent - 1];
    return status;
}

// Goes on behind the sent_ octets that are out.
Status TcpTransport::write_all(std::span<const std::uint8_t> bytes, Clock::time_point deadline) {
    while (sent_ < bytes.size()) {
        if (Status status = check(); !status) return status;
        boost::system::error_code error;
        const std::size_t n = socket_.write_some(asio::buffer(bytes.data() + sent_, bytes.size() - sent_), error);
        sent_ += n;
        if (n > 0) progress_ = Clock::now();
        if (!error || error == asio::error::interrupted) continue;
        if (error != asio::error::would_block) return failure("cannot send to", error);
        if (Clock::now() - progress_ >= stall_timeout_) return failure("stalled:", asio::error::timed_out);
        if (Clock::now() >= deadline) return Error{ErrorCode::kBusy, description_ + " takes no more for now", ""};
        wait_writable(std::min(deadline, progress_ + stall_timeout_));
    }
    return ok();
}

void TcpTransport::wait_writable(Clock::time_point until) {
    bool ready = false;
    socket_.async_wait(tcp::socket::wait_write, [&ready](const boost::system::error_code&) { ready = true; });
    io_.restart();
    while (!ready && !peer_ && Clock::now() < until) io_.run_one_until(until);
    if (ready) return;
    cancel_and_drain();  // the handler refers to this frame
    if (!peer_) read_ahead();
}

void TcpTransport::cancel_and_drain() noexcept {
    boost::system::error_code ignored;
    draining_ = true;  // a read that is complete already is not cancelled, and must not begin another
    socket_.cancel(ignored);
    io_.restart();
    io_.run();
    draining_ = false;
}

// What the kernel has taken still leaves; unread input would turn the end into a
// reset that throws it away.
void TcpTransport::close() noexcept {
    if (!socket_.is_open()) return;
    boost::system::error_code ignored;
    io_.restart();
    io_.poll();
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    cancel_and_drain();
    socket_.close(ignored);
    peer_.clear();
    sent_ = 0;
}

Error TcpTransport::failure(std::string_view what, const boost::system::error_code& error) const {
    return {ErrorCode::kUnavailable, fmt::format("{} {}: {}", what, description_, error.message()), ""};
}

}  // namespace nfstreamd::exporters
