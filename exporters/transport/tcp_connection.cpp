// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/tcp_connection.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>

#include <algorithm>

#include <boost/asio/buffer.hpp>

namespace nfstreamd::exporters {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr int kProbes = 3;      // that are not answered, at the end of a silent stall_timeout
constexpr int kMostReads = 64;  // in a row, of a peer that does not stop talking

}  // namespace

TcpConnection::TcpConnection(std::string description, std::chrono::milliseconds stall_timeout, Receive receive)
    : description_(std::move(description)), stall_timeout_(stall_timeout), receive_(std::move(receive)) {}

Status TcpConnection::open(const Address& address, std::uint16_t port, const std::optional<Address>& source,
                           Clock::time_point deadline) {
    close();
    const tcp::endpoint peer(address, port);
    boost::system::error_code error;
    socket_.open(peer.protocol(), error);
    if (!error) socket_.non_blocking(true, error);
    if (!error && source) {
        socket_.bind({*source, 0}, error);
        if (error) return failure("cannot connect from " + source->to_string() + " to", error);
    }
    if (error) return failure("cannot connect to", error);

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
    if (error) {
        close();
        return failure("cannot connect to", error);
    }
    set_options();
    peer_.clear();
    busy_ = ended_ = false;
    progress_ = Clock::now();
    written_ = 0;
    messages_.clear();
    read_ahead();
    return ok();
}

// Without them the session works as well, only slower to notice its end.
void TcpConnection::set_options() {
    boost::system::error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    const auto set = [descriptor = socket_.native_handle()](int option, int value) {
        setsockopt(descriptor, IPPROTO_TCP, option, &value, sizeof value);
    };
    const auto milliseconds = static_cast<int>(stall_timeout_.count());
    set(TCP_USER_TIMEOUT, milliseconds);
    set(TCP_KEEPIDLE, std::max(1, milliseconds / 2000));
    set(TCP_KEEPINTVL, std::max(1, milliseconds / 2000 / kProbes));
    set(TCP_KEEPCNT, kProbes);
}

void TcpConnection::read_ahead() {
    socket_.async_read_some(asio::buffer(received_), [this](const boost::system::error_code& error, std::size_t n) {
        if (n > 0) {
            said_ = true;
            if (receive_) receive_({received_.data(), n});
        }
        if (error == asio::error::operation_aborted) return;
        if (error)
            peer_ = error;
        else if (!draining_)
            read_ahead();
    });
}

Status TcpConnection::status() const {
    if (!socket_.is_open()) return failure("not connected to", asio::error::not_connected);
    if (peer_ == asio::error::eof) return Error{ErrorCode::kUnavailable, description_ + " closed the connection", ""};
    if (peer_) return failure("lost", peer_);
    return ok();
}

Status TcpConnection::poll() {
    io_.restart();
    for (int i = 0; i < kMostReads && io_.poll_one() > 0; ++i) {
    }
    return status();
}

Status TcpConnection::wait(Clock::time_point deadline) {
    said_ = false;
    io_.restart();
    while (!said_ && !peer_ && socket_.is_open() && Clock::now() < deadline) io_.run_one_until(deadline);
    return said_ ? ok() : status();  // what was said before the end is to be looked at first
}

Status TcpConnection::write(std::span<const std::uint8_t> bytes, std::size_t& sent, Clock::time_point deadline) {
    if (!busy_) progress_ = Clock::now();
    busy_ = false;
    while (sent < bytes.size()) {
        if (Status status = poll(); !status) return status;
        boost::system::error_code error;
        const std::size_t n = socket_.write_some(asio::buffer(bytes.data() + sent, bytes.size() - sent), error);
        sent += n;
        written_ += n;
        if (n > 0) progress_ = Clock::now();
        if (!error || error == asio::error::interrupted) continue;
        if (error != asio::error::would_block) return failure("cannot send to", error);
        if (Clock::now() - progress_ >= stall_timeout_) return failure("stalled:", asio::error::timed_out);
        busy_ = Clock::now() >= deadline;
        if (busy_) return Error{ErrorCode::kBusy, description_ + " takes no more for now", ""};
        wait_writable(std::min<Clock::time_point>(deadline, progress_ + stall_timeout_));
    }
    return ok();
}

void TcpConnection::wait_writable(Clock::time_point until) {
    bool ready = false;
    socket_.async_wait(tcp::socket::wait_write, [&ready](const boost::system::error_code&) { ready = true; });
    io_.restart();
    while (!ready && !peer_ && Clock::now() < until) io_.run_one_until(until);
    if (ready) return;
    cancel_and_drain();  // the handler refers to this frame
    if (!peer_) read_ahead();
}

void TcpConnection::cancel_and_drain() noexcept {
    boost::system::error_code ignored;
    draining_ = true;  // a read that is complete already is not cancelled, and must not begin another
    socket_.cancel(ignored);
    io_.restart();
    io_.run();
    draining_ = false;
}

// A peer that ends the stream with data it has not read resets it. One that had
// ended it before us has read what it has read.
Status TcpConnection::conclude(Clock::time_point deadline, bool told) {
    if (!ended_) {
        const Status present = poll();
        if (!present && !(told && peer_ == asio::error::eof)) return present;
        boost::system::error_code error;
        socket_.shutdown(tcp::socket::shutdown_send, error);
        if (error) return failure("cannot end the stream to", error);
        ended_ = true;
    }
    io_.restart();
    while (!peer_ && Clock::now() < deadline) io_.run_one_until(deadline);
    if (peer_ && peer_ != asio::error::eof) return status();
    if (peer_) messages_.confirm(socket_.native_handle());
    if (messages_.count() == 0) return ok();
    return Error{ErrorCode::kBusy, description_ + " has not ended the connection so far", ""};
}

// Unread input would turn the end into a reset that throws away what is to leave.
void TcpConnection::close() noexcept {
    if (!socket_.is_open()) return;
    boost::system::error_code ignored;
    look_at_progress();
    static_cast<void>(poll());
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    cancel_and_drain();
    socket_.close(ignored);
    peer_.clear();
}

void TcpConnection::look_at_progress() noexcept {
    if (socket_.is_open()) messages_.look_at(socket_.native_handle(), written_);
}

std::size_t TcpConnection::unconfirmed() noexcept {
    look_at_progress();
    return messages_.count();
}

Error TcpConnection::failure(std::string_view what, const boost::system::error_code& error) const {
    return {ErrorCode::kUnavailable, fmt::format("{} {}: {}", what, description_, error.message()), ""};
}

}  // namespace nfstreamd::exporters
