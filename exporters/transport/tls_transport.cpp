// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/tls_transport.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;

// For a peer of TLS 1.3 that says nothing of our certificate: one that refuses it
// says so in this time, one that sends no tickets is taken to accept it.
constexpr auto kVerdict = 1s;

}  // namespace

TlsTransport::TlsTransport(const Endpoint& endpoint, const TransportOptions& options,
                           std::shared_ptr<TlsContext> context)
    : destination_(endpoint, options),
      context_(std::move(context)),
      connection_(destination_.text(), options.stall_timeout, [this](std::span<const std::uint8_t> octets) {
          if (engine_ && received_) received_ = engine_->receive(octets);
      }) {}

Status TlsTransport::open(Clock::time_point deadline) {
    close();
    context_->refresh();
    return destination_.reach(deadline, [this](const Destination::Address& address, Clock::time_point until) {
        Status status = connect(address, until);
        if (!status) connection_.close();
        return status;
    });
}

Status TlsTransport::connect(const Destination::Address& address, Clock::time_point deadline) {
    engine_.emplace(*context_, destination_.endpoint().host, destination_.text());
    received_ = ok();
    output_ = {};
    flushed_ = 0;
    begun_ = false;
    if (Status status = connection_.open(address, destination_.endpoint().port, destination_.source(), deadline);
        !status)
        return status;
    if (Status status = shake_hands(deadline); !status) return status;
    return wait_for_acceptance(deadline);
}

Status TlsTransport::shake_hands(Clock::time_point deadline) {
    while (true) {
        const Status step = engine_->handshake();
        const Status out = flush(deadline);  // with an alert, too, which tells the peer why
        if (step) return out;
        if (step.error().code != ErrorCode::kBusy) return step;
        if (!out) return told(out);
        if (Status status = connection_.wait(deadline); !status) return told(status);
        if (!received_) {
            static_cast<void>(flush(deadline));
            return received_;
        }
        if (Clock::now() >= deadline)
            return Error{ErrorCode::kUnavailable, destination_.text() + ": no TLS handshake in time", ""};
    }
}

Status TlsTransport::wait_for_acceptance(Clock::time_point deadline) {
    deadline = std::min<Clock::time_point>(deadline, Clock::now() + kVerdict);
    while (!engine_->accepted() && Clock::now() < deadline) {
        if (Status status = connection_.wait(deadline); !status || !received_) return told(status);
        if (Status status = flush(deadline); !status) return told(status);
    }
    return ok();
}

Status TlsTransport::send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                          Clock::time_point deadline) {
    if (!engine_ || !engine_->established()) return told(connection_.poll());
    Status status = ok();
    while (status && sent < ends.size()) {
        const std::size_t begin = sent == 0 ? 0 : ends[sent - 1];
        if (!begun_) status = engine_->encrypt(bytes.subspan(begin, ends[sent] - begin));
        begun_ = begun_ || status;
        if (status) status = flush(deadline);
        if (!status) break;
        connection_.end_message();
        begun_ = false;
        ++sent;
    }
    connection_.look_at_progress();
    return told(std::move(status));
}

Status TlsTransport::check() {
    if (Status status = told(connection_.poll()); !status) return status;
    return destination_.check();
}

// What the engine has for the peer, as far as it goes until the deadline.
Status TlsTransport::flush(Clock::time_point deadline) {
    while (true) {
        if (flushed_ == output_.octets.size()) {
            engine_->take_output(output_);
            flushed_ = 0;
        }
        if (output_.octets.empty()) return ok();
        if (Status status = connection_.write(output_.octets, flushed_, deadline); !status) return status;
    }
}

// The peer's last word says more than that the connection ended.
Status TlsTransport::told(Status status) const {
    if (!received_) return received_;
    return status;
}

Status TlsTransport::conclude(Clock::time_point deadline) {
    if (!engine_ || !engine_->established()) return told(connection_.poll());
    if (!connection_.is_ended()) {
        if (Status status = flush(deadline); !status) return told(std::move(status));
        engine_->end();
        if (Status status = flush(deadline); !status) return told(std::move(status));
    }
    return connection_.conclude(deadline, true);
}

void TlsTransport::close() noexcept {
    const bool mid_record = flushed_ < output_.octets.size();
    if (connection_.is_open() && engine_ && engine_->established() && !mid_record) {
        engine_->end();
        static_cast<void>(flush(Clock::now()));
    }
    connection_.close();
    engine_.reset();
}

}  // namespace nfstreamd::exporters
