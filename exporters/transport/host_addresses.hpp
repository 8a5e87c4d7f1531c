// SPDX-License-Identifier: Apache-2.0
// The addresses that a host name stands for, looked up without ever waiting
// longer than one is told: getaddrinfo(3) cannot be called off, so each lookup has
// a thread that owns all it touches and may outlive us; one at a time. What a
// lookup found is kept until another finds something. A literal address is never
// looked up. Belongs to one thread.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "exporters/transport/endpoint.hpp"

namespace nfstreamd::exporters {

class HostAddresses {
public:
    using Clock = std::chrono::steady_clock;
    using Lookup = std::function<Result<Addresses>(const std::string& host)>;  // called by any thread, may block

    explicit HostAddresses(std::string host, Lookup lookup = {});  // empty: the system's resolver

    // Looks up unless an answer came just now. Those of an earlier lookup when this
    // one fails or has not ended soon; without any an error by the deadline.
    Result<Addresses> get(Clock::time_point deadline);

    // Begins a lookup when the last one began `interval` ago. True when an answer has
    // come in which `address` is no more. Never waits.
    bool has_left(const boost::asio::ip::address& address, Clock::duration interval);

    const std::string& host() const noexcept { return host_; }
    bool is_literal() const noexcept { return literal_; }

private:
    struct Pending;

    Status begin();
    bool take_answer();

    const std::string host_;
    const Lookup lookup_;
    bool literal_ = false;
    Addresses addresses_;               // of the last lookup that found any
    std::optional<Error> error_;        // of the last lookup, if it failed
    std::shared_ptr<Pending> pending_;  // shared with its thread; null: none is under way
    Clock::time_point began_{}, answered_{};
};

}  // namespace nfstreamd::exporters
