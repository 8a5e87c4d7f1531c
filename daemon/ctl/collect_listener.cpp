// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/collect_listener.hpp"

#include <fmt/format.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include <boost/asio/buffer.hpp>

namespace nfstreamd::ctl {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr int kReceiveBuffer = 64 << 20;
constexpr int kPerRound = 256;  // datagrams or reads before others have their turn
constexpr int kAll = std::numeric_limits<int>::max();
constexpr std::chrono::milliseconds kFlushPeriod{100}, kAcceptPause{200};
constexpr std::chrono::seconds kResolveTimeout{5};
constexpr std::chrono::seconds kLongestStop{2};  // for what arrived before the end

template <class Endpoint>
std::string address_text(const Endpoint& endpoint) {
    const auto address = endpoint.address();
    return address.is_v6() ? fmt::format("[{}]:{}", address.to_string(), endpoint.port())
                           : fmt::format("{}:{}", address.to_string(), endpoint.port());
}

// As much as the system allows: root may pass net.core.rmem_max.
void grow_receive_buffer(int descriptor) {
    if (::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer) != 0)
        ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
}

std::uint64_t kernel_drops(int descriptor) {
    std::uint32_t memory[SK_MEMINFO_VARS] = {};
    socklen_t length = sizeof memory;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, memory, &length) != 0) return 0;
    return memory[SK_MEMINFO_DROPS];
}

Error failed(const exporters::Endpoint& endpoint, const error_code& error) {
    const auto code = error == asio::error::access_denied ? ErrorCode::kPermission : ErrorCode::kIo;
    return {code, "cannot listen: " + error.message(), endpoint.text()};
}

}  // namespace

CollectListener::CollectListener(asio::io_context& context, MessageReader& reader, LineOutput& output)
    : context_(context),
      reader_(reader),
      output_(output),
      udp_(context),
      acceptor_(context),
      flush_timer_(context),
      accept_pause_(context),
      buffer_(65536) {}

Result<std::string> CollectListener::open(const exporters::Endpoint& endpoint) {
    const auto addresses = exporters::resolve_host(endpoint.host, kResolveTimeout);
    if (!addresses) return addresses.error();
    const auto& address = addresses.value().front();
    const bool is_udp = endpoint.protocol == exporters::EndpointProtocol::kUdp;
    const auto opened = is_udp ? open_udp({address, endpoint.port}) : open_tcp({address, endpoint.port});
    if (!opened) return Error{opened.error().code, opened.error().message, endpoint.text()};
    flush_later();
    return is_udp ? "udp://" + address_text(udp_.local_endpoint())
                  : "tcp://" + address_text(acceptor_.local_endpoint());
}

Status CollectListener::open_udp(const Udp::endpoint& endpoint) {
    error_code error;
    udp_.open(endpoint.protocol(), error);
    if (!error) grow_receive_buffer(udp_.native_handle());
    if (!error) udp_.bind(endpoint, error);
    if (!error) udp_.non_blocking(true, error);
    if (error) return failed({}, error);
    wait_for_datagrams();
    return ok();
}

Status CollectListener::open_tcp(const Tcp::endpoint& endpoint) {
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) acceptor_.non_blocking(true, error);
    if (error) return failed({}, error);
    accept();
    return ok();
}

void CollectListener::wait_for_datagrams() {
    udp_.async_wait(Udp::socket::wait_read, [this](const error_code& error) {
        if (error) return;
        take_datagrams(kPerRound);
        end_of_round();
        if (udp_.is_open()) wait_for_datagrams();
    });
}

void CollectListener::take_datagrams(int most, Moment until) {
    for (int i = 0; i < most && !output_.ended() && Clock::now() < until; ++i) {
        Udp::endpoint sender;
        error_code error;
        const auto length = udp_.receive_from(asio::buffer(buffer_), sender, 0, error);
        if (error == asio::error::would_block) return;
        if (error) continue;  // of an earlier datagram, by ICMP
        if (sender != last_sender_ || last_source_.empty()) {
            last_sender_ = sender;
            last_source_ = address_text(sender);
        }
        reader_.feed_datagram({buffer_.data(), length}, last_source_);
    }
}

void CollectListener::accept() {
    acceptor_.async_accept([this](const error_code& error, Tcp::socket socket) {
        if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
        if (!error) {
            take_connection(std::move(socket));
            return accept();
        }
        // out of descriptors, most likely: not at once again
        accept_pause_.expires_after(kAcceptPause);
        accept_pause_.async_wait([this](const error_code& cancelled) {
            if (!cancelled && acceptor_.is_open()) accept();
        });
    });
}

void CollectListener::take_connection(Tcp::socket socket) {
    error_code error;
    socket.non_blocking(true, error);
    auto connection = std::make_shared<Connection>(std::move(socket));
    const auto peer = connection->socket.remote_endpoint(error);
    if (error) return;  // it has gone already, without a byte
    connection->source = address_text(peer);
    connections_.push_back(connection);
    wait_for(connection);
}

void CollectListener::wait_for(const std::shared_ptr<Connection>& connection) {
    connection->socket.async_wait(Tcp::socket::wait_read, [this, connection](const error_code& error) {
        if (error || !connection->socket.is_open()) return;
        if (!take_bytes(*connection, kPerRound)) remove(connection);
        end_of_round();
        if (connection->socket.is_open()) wait_for(connection);
    });
}

bool CollectListener::take_bytes(Connection& connection, int most, Moment until) {
    for (int i = 0; i < most && !output_.ended() && Clock::now() < until; ++i) {
        error_code error;
        const auto length = connection.socket.read_some(asio::buffer(buffer_), error);
        if (error == asio::error::would_block) return true;
        if (error || !reader_.feed_stream({buffer_.data(), length}, connection.source)) return false;
    }
    return true;
}

void CollectListener::remove(const std::shared_ptr<Connection>& connection) {
    reader_.end_stream(connection->source);
    error_code ignored;
    connection->socket.close(ignored);
    connections_.erase(std::remove(connections_.begin(), connections_.end(), connection), connections_.end());
}

void CollectListener::flush_later() {
    flush_timer_.expires_after(kFlushPeriod);
    flush_timer_.async_wait([this](const error_code& cancelled) {
        if (cancelled) return;
        output_.flush();
        end_of_round();
        flush_later();
    });
}

void CollectListener::end_of_round() {
    output_.pause();
    if (output_.ended()) context_.stop();
}

void CollectListener::stop() {
    error_code error;
    const auto until = Clock::now() + kLongestStop;
    if (udp_.is_open()) {
        take_datagrams(kAll, until);
        dropped_ = kernel_drops(udp_.native_handle());
        udp_.close(error);
    }
    // connections that wait in the backlog may have brought all they have
    while (acceptor_.is_open() && !error && Clock::now() < until) {
        Tcp::socket socket(context_);
        acceptor_.accept(socket, error);
        if (!error) take_connection(std::move(socket));
    }
    acceptor_.close(error);
    for (const auto& connection : std::vector(connections_)) {
        take_bytes(*connection, kAll, until);
        remove(connection);
    }
    output_.flush();
    context_.stop();
}

}  // namespace nfstreamd::ctl
