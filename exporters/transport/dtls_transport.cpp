// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/dtls_transport.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nfstreamd::exporters {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostRecords = 64;    // encrypted ahead of one system call
constexpr std::size_t kMostDatagrams = 64;  // read in a row, of a peer that does not stop talking
constexpr std::size_t kIpAndUdpHeaders = 48;
constexpr auto kLongestWait = 200ms;  // for an answer, before refusals are looked at

}  // namespace

DtlsTransport::DtlsTransport(const Endpoint& endpoint, const TransportOptions& options,
                             std::shared_ptr<TlsContext> context)
    : destination_(endpoint, options),
      most_(datagram_limit(EndpointProtocol::kDtls, options.mtu)),
      mtu_(options.mtu),
      lifetime_(options.session_lifetime),
      context_(std::move(context)),
      socket_(destination_.text(), true) {}

Status DtlsTransport::open(Clock::time_point deadline) {
    close();
    context_->refresh();
    return destination_.reach(deadline, [this](const Destination::Address& address, Clock::time_point until) {
        Status status = connect(address, until);
        if (!status) close();
        return status;
    });
}

Status DtlsTransport::connect(const Destination::Address& address, Clock::time_point deadline) {
    if (Status status = socket_.open(address, destination_.endpoint().port, destination_.source()); !status)
        return status;
    engine_.emplace(*context_, destination_.endpoint().host, destination_.text());
    engine_->set_datagram_limit(std::min(socket_.limit(), mtu_ - kIpAndUdpHeaders));
    refused_.clear();
    message_of_.fill(kNoMessage);
    messages_ = 0;
    lost_ = false;
    if (Status status = shake_hands(deadline); !status) return status;
    began_ = Clock::now();
    return ok();
}

Status DtlsTransport::shake_hands(Clock::time_point deadline) {
    while (true) {
        const Status step = engine_->handshake();
        const Status out = send_output(deadline);  // with an alert, too, which tells the peer why
        if (step) return ok();
        if (step.error().code != ErrorCode::kBusy) return step;
        if (!out) return out;
        const auto now = Clock::now();
        if (now >= deadline)
            return Error{ErrorCode::kUnavailable, destination_.text() + ": no DTLS handshake in time", ""};
        const auto again = engine_->timeout().value_or(kLongestWait);  // RFC 6347, 4.2.4
        socket_.wait_readable(std::min<Clock::time_point>(deadline, now + std::min(again, kLongestWait)));
        if (Status status = take_datagrams(); !status) {
            static_cast<void>(send_output(deadline));
            return status;
        }
        socket_.check();
        if (!socket_.take_refused().empty())
            return destination_.failure("cannot reach", boost::asio::error::connection_refused);
        if (engine_->timeout() == 0ms)
            if (Status status = engine_->on_timeout(); !status) return status;
    }
}

// Of the handshake, or the last word: what is lost of it is sent again.
Status DtlsTransport::send_output(Clock::time_point deadline) {
    engine_->take_output(output_);
    std::size_t sent = 0;
    if (output_.ends.empty()) return ok();
    const std::uint64_t first = socket_.count();
    Status status = socket_.send(output_.octets, output_.ends, sent, deadline);
    for (std::uint64_t n = first; n < socket_.count(); ++n) message_of_[n % kRemembered] = kNoMessage;
    return status;
}

Status DtlsTransport::take_datagrams() {
    std::array<std::uint8_t, 16384> datagram;
    for (std::size_t i = 0; i < kMostDatagrams; ++i) {
        const std::size_t length = socket_.receive(datagram);
        if (length == 0) break;
        if (Status status = engine_->receive(std::span(datagram).first(length)); !status) return status;
    }
    return ok();
}

Status DtlsTransport::send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                           Clock::time_point deadline) {
    if (Status status = check(); !status) return status;
    const std::size_t limit = message_limit();
    while (sent < ends.size()) {
        const std::size_t begin = sent == 0 ? 0 : ends[sent - 1];
        if (ends[sent] - begin > limit)
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("{}: a message of {} octets is too long for the path, which takes {}; lower mtu",
                                     destination_.text(), ends[sent] - begin, limit),
                         ""};
        if (Status status = send_some(bytes, ends, sent, deadline); !status) return status;
    }
    return ok();
}

// What was encrypted and did not leave is thrown away, and encrypted anew when its
// turn comes: to the peer it is as if lost on the way.
Status DtlsTransport::send_some(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends,
                                std::size_t& sent, Clock::time_point deadline) {
    if (Status status = send_output(deadline); !status) return status;
    const std::size_t limit = message_limit(), most = std::min(ends.size(), sent + kMostRecords);
    for (std::size_t i = sent; i < most; ++i) {
        const std::size_t begin = i == 0 ? 0 : ends[i - 1];
        if (ends[i] - begin > limit) break;
        if (Status status = engine_->encrypt(bytes.subspan(begin, ends[i] - begin)); !status) return status;
    }
    engine_->take_output(output_);
    std::size_t left = 0;
    const std::uint64_t first = socket_.count();
    Status status = socket_.send(output_.octets, output_.ends, left, deadline);
    for (std::uint64_t n = first; n < socket_.count(); ++n) message_of_[n % kRemembered] = messages_++;
    sent += left;
    gather_refused();
    return status;
}

void DtlsTransport::gather_refused() {
    for (const std::uint64_t number : socket_.take_refused()) {
        lost_ = true;
        if (message_of_[number % kRemembered] != kNoMessage) refused_.push_back(message_of_[number % kRemembered]);
    }
}

std::vector<std::uint64_t> DtlsTransport::take_refused() {
    return std::exchange(refused_, {});
}

Status DtlsTransport::check() {
    if (!engine_ || !engine_->established())
        return Error{ErrorCode::kUnavailable, destination_.text() + ": no DTLS session", ""};
    socket_.check();
    gather_refused();
    if (Status status = take_datagrams(); !status) return status;
    if (lost_) return destination_.failure("the session is lost with", boost::asio::error::connection_refused);
    if (lifetime_.count() > 0 && Clock::now() - began_ >= lifetime_)
        return Error{ErrorCode::kUnavailable, destination_.text() + ": the session is begun anew (session_lifetime)",
                     ""};
    engine_->set_datagram_limit(std::min(socket_.limit(), mtu_ - kIpAndUdpHeaders));
    return destination_.check();
}

std::size_t DtlsTransport::message_limit() const noexcept {
    if (!engine_ || !engine_->established()) return most_;
    return std::min(most_, engine_->message_limit());
}

void DtlsTransport::close() noexcept {
    if (engine_ && engine_->established()) {
        engine_->end();
        static_cast<void>(send_output(Clock::now()));
    }
    engine_.reset();
    socket_.close();
}

}  // namespace nfstreamd::exporters
