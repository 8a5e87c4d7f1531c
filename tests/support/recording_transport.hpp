// SPDX-License-Identifier: Apache-2.0
// A transport of messages that keeps what it is given and fails as a test wants.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "exporters/transport/message_transport.hpp"

namespace nfstreamd::test {

using Bytes = std::vector<std::uint8_t>;

// What a test wants to see of a transport is kept outside, as the exporter owns it.
struct TransportLog {
    int conclusions = 0;
    bool ends_too = true;                     // the session, when we do, having read everything
    std::vector<Bytes> messages;              // that were handed over
    std::vector<std::size_t> session_starts;  // index into messages, for each open()
    std::deque<ErrorCode> send_errors;        // of the next sends
    std::size_t accept = SIZE_MAX;            // messages until the sends of a session fail
    bool refuse_open = false;
    std::vector<std::uint64_t> refused;                // numbers of messages, told after the next send
    std::vector<std::size_t> sends;                    // messages of each send that went well
    std::chrono::steady_clock::duration last_limit{};  // what the last send was given
    std::deque<ErrorCode> check_errors;                // of the next checks
    std::size_t unconfirmed = 0;                       // newest messages that may be lost
    std::size_t message_limit = 0;
};

class RecordingTransport final : public exporters::MessageTransport {
public:
    RecordingTransport(TransportLog& log, bool datagram) : log_(log), datagram_(datagram) {}

    Status open(Clock::time_point) override {
        if (log_.refuse_open) return Error{ErrorCode::kUnavailable, "nobody there", ""};
        log_.session_starts.push_back(log_.messages.size());
        return ok();
    }
    Status send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                Clock::time_point deadline) override {
        log_.last_limit = deadline - Clock::now();
        for (; sent < ends.size(); ++sent) {
            if (!log_.send_errors.empty()) {
                const ErrorCode code = log_.send_errors.front();
                log_.send_errors.pop_front();
                return Error{code, "as the test wants", ""};
            }
            if (log_.accept == 0) return Error{ErrorCode::kUnavailable, "connection reset", ""};
            --log_.accept;
            const std::size_t begin = sent == 0 ? 0 : ends[sent - 1];
            const auto message = bytes.subspan(begin, ends[sent] - begin);
            log_.messages.emplace_back(message.begin(), message.end());
        }
        log_.sends.push_back(ends.size());
        return ok();
    }
    Status check() override {
        if (log_.check_errors.empty()) return ok();
        const ErrorCode code = log_.check_errors.front();
        log_.check_errors.pop_front();
        return Error{code, "as the test wants", ""};
    }
    Status conclude(Clock::time_point) override {
        ++log_.conclusions;
        if (!log_.ends_too) return Error{ErrorCode::kBusy, "not yet", ""};
        log_.unconfirmed = 0;
        return ok();
    }
    void close() noexcept override {}
    std::vector<std::uint64_t> take_refused() override { return std::exchange(log_.refused, {}); }
    std::size_t unconfirmed() noexcept override { return log_.unconfirmed; }
    std::size_t message_limit() const noexcept override { return log_.message_limit; }
    bool is_datagram() const noexcept override { return datagram_; }
    std::string description() const override { return "test://"; }

private:
    TransportLog& log_;
    const bool datagram_;
};

}  // namespace nfstreamd::test
