// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/zmq_transport.hpp"

#include <fmt/format.h>
#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;

constexpr const char* kEvents = "inproc://events";
constexpr auto kLookForPeers = 100ms;

int milliseconds_until(Publisher::Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Publisher::Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

}  // namespace

struct ZmqTransport::Sockets {
    void* context = ::zmq_ctx_new();
    void* data = nullptr;
    void* events = nullptr;  // of the monitor of `data`

    ~Sockets() {
        if (data) ::zmq_socket_monitor(data, nullptr, 0);
        if (events) ::zmq_close(events);
        if (data) ::zmq_close(data);
        while (context && ::zmq_ctx_term(context) != 0 && errno == EINTR) {
        }
    }
    bool set(int option, int value) { return ::zmq_setsockopt(data, option, &value, sizeof value) == 0; }
};

ZmqTransport::ZmqTransport(ZmqOptions options) : options_(std::move(options)) {}

ZmqTransport::~ZmqTransport() = default;

Status ZmqTransport::failure(const char* what) const {
    const int error = ::zmq_errno();
    const bool wrong = error == EINVAL || error == EPROTONOSUPPORT || error == ENODEV;
    return Error{wrong ? ErrorCode::kInvalidArgument : ErrorCode::kUnavailable,
                 fmt::format("{} {}: {}", what, options_.endpoint, ::zmq_strerror(error)), ""};
}

Status ZmqTransport::open(Clock::time_point deadline) {
    if (!sockets_)
        if (Status status = create(); !status) return status;
    return wait_for_peer(deadline);
}

// XPUB is PUB that can be told to be busy.
Status ZmqTransport::create() {
    auto made = std::make_unique<Sockets>();
    made->data = ::zmq_socket(made->context, options_.push ? ZMQ_PUSH : ZMQ_XPUB);
    if (!made->data) return failure("cannot make a socket for");
    made->set(ZMQ_SNDHWM, options_.high_water_mark);
    made->set(ZMQ_LINGER, 0);
    made->set(ZMQ_IPV6, 1);
    made->set(ZMQ_TCP_KEEPALIVE, 1);
    if (!options_.push) made->set(ZMQ_XPUB_NODROP, options_.wait_for_slow ? 1 : 0);
    const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED;
    if (::zmq_socket_monitor(made->data, kEvents, events) != 0) return failure("cannot watch");
    made->events = ::zmq_socket(made->context, ZMQ_PAIR);
    if (!made->events || ::zmq_connect(made->events, kEvents) != 0) return failure("cannot watch");
    const char* endpoint = options_.endpoint.c_str();
    if (options_.bind && ::zmq_bind(made->data, endpoint) != 0) return failure("cannot bind");
    if (!options_.bind && ::zmq_connect(made->data, endpoint) != 0) return failure("cannot connect to");
    peers_ = 0;
    sockets_ = std::move(made);
    return ok();
}

// A publisher needs nobody; a pusher has nobody to give to without a peer.
Status ZmqTransport::wait_for_peer(Clock::time_point deadline) {
    read_events(0);
    if (!options_.push && options_.bind) return ok();
    while (peers_ <= 0) {
        if (Clock::now() >= deadline)
            return Error{ErrorCode::kUnavailable, description() + ": nobody is connected", ""};
        read_events(std::min<int>(milliseconds_until(deadline), kLookForPeers.count()));
    }
    return ok();
}

// Event numbers come in a first frame: 16 bits of event, 32 bits of value.
void ZmqTransport::read_events(int timeout_ms) {
    zmq_pollitem_t item{sockets_->events, 0, ZMQ_POLLIN, 0};
    while (::zmq_poll(&item, 1, timeout_ms) > 0) {
        timeout_ms = 0;
        std::uint8_t frame[64];
        const int length = ::zmq_recv(sockets_->events, frame, sizeof frame, ZMQ_DONTWAIT);
        std::uint16_t event = 0;
        if (length >= static_cast<int>(sizeof event)) std::memcpy(&event, frame, sizeof event);
        peers_ += event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED ? 1 : event == ZMQ_EVENT_DISCONNECTED ? -1 : 0;
        int more = 0;
        std::size_t size = sizeof more;
        while (::zmq_getsockopt(sockets_->events, ZMQ_RCVMORE, &more, &size) == 0 && more != 0)
            ::zmq_recv(sockets_->events, frame, sizeof frame, ZMQ_DONTWAIT);
    }
    peers_ = std::max(peers_, 0L);
}

Status ZmqTransport::publish(const OutgoingMessage& message, Clock::time_point deadline) {
    if (!sockets_) return Error{ErrorCode::kUnavailable, description() + " is not open", ""};
    void* socket = sockets_->data;
    while (true) {
        const bool topic = !options_.push && !options_.topic.empty();
        int sent = 0;
        if (topic) sent = ::zmq_send(socket, options_.topic.data(), options_.topic.size(), ZMQ_DONTWAIT | ZMQ_SNDMORE);
        if (sent >= 0) sent = ::zmq_send(socket, message.payload.data(), message.payload.size(), ZMQ_DONTWAIT);
        if (sent >= 0) {
            note(message.number, Outcome::kDelivered);
            return ok();
        }
        if (::zmq_errno() != EAGAIN && ::zmq_errno() != EINTR) return failure("cannot send to");
        read_events(0);
        if (options_.push && peers_ <= 0)
            return Error{ErrorCode::kUnavailable, description() + ": nobody is connected", ""};
        if (Clock::now() >= deadline) return Error{ErrorCode::kBusy, description() + ": its queue is full", ""};
        zmq_pollitem_t item{socket, 0, ZMQ_POLLOUT, 0};
        ::zmq_poll(&item, 1, std::min<int>(milliseconds_until(deadline), kLookForPeers.count()));
    }
}

// Subscriptions are XPUB's to read; unread ones would fill its queue.
Status ZmqTransport::progress(Clock::time_point) {
    if (!sockets_) return Error{ErrorCode::kUnavailable, description() + " is not open", ""};
    char subscription[256];
    if (!options_.push)
        while (::zmq_recv(sockets_->data, subscription, sizeof subscription, ZMQ_DONTWAIT) >= 0) {
        }
    read_events(0);
    return ok();
}

Status ZmqTransport::settle(Clock::time_point deadline) {
    if (Status status = progress(deadline); !status) return status;
    if ((options_.push || !options_.bind) && peers_ <= 0)
        return Error{ErrorCode::kUnavailable, description() + ": nobody is connected", ""};
    return ok();
}

void ZmqTransport::close(Clock::time_point deadline) noexcept {
    if (sockets_) sockets_->set(ZMQ_LINGER, milliseconds_until(deadline));
    sockets_.reset();
}

}  // namespace nfstreamd::exporters
