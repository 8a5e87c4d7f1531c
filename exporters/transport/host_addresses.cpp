// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/host_addresses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace nfstreamd::exporters {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto kFresh = 1s;     // an answer so young needs no other
constexpr auto kPatience = 1s;  // for a new answer when there is an old one

Result<Addresses> look_up(const std::string& host) {
    asio::io_context io;
    asio::ip::tcp::resolver resolver(io);
    boost::system::error_code error;
    Addresses addresses;
    for (const auto& entry : resolver.resolve(host, "", error)) addresses.push_back(entry.endpoint().address());
    if (error || addresses.empty())
        return Error{ErrorCode::kUnavailable, fmt::format("cannot resolve {}: {}", host, error.message()), ""};
    return addresses;
}

}  // namespace

struct HostAddresses::Pending {
    std::mutex mutex;
    std::condition_variable done;
    std::optional<Result<Addresses>> answer;

    void set(Result<Addresses> found) {
        const std::lock_guard lock(mutex);
        answer = std::move(found);
        done.notify_all();
    }
    bool ready() {
        const std::lock_guard lock(mutex);
        return answer.has_value();
    }
    void wait_until(Clock::time_point deadline) {
        std::unique_lock lock(mutex);
        done.wait_until(lock, deadline, [this] { return answer.has_value(); });
    }
};

HostAddresses::HostAddresses(std::string host, Lookup lookup)
    : host_(std::move(host)), lookup_(lookup ? std::move(lookup) : &look_up) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host_, error);
    literal_ = !error;
    if (literal_) addresses_.push_back(address);
}

Status HostAddresses::begin() {
    began_ = Clock::now();
    auto pending = std::make_shared<Pending>();
    try {
        std::thread([pending, host = host_, lookup = lookup_] { pending->set(lookup(host)); }).detach();
    } catch (const std::system_error& e) {
        return Error{ErrorCode::kUnavailable, fmt::format("cannot resolve {}: {}", host_, e.what()), ""};
    }
    pending_ = std::move(pending);
    return ok();
}

// True when one has come since.
bool HostAddresses::take_answer() {
    if (!pending_ || !pending_->ready()) return false;
    const Result<Addresses> answer = std::move(*pending_->answer);
    pending_.reset();
    answered_ = Clock::now();
    error_.reset();
    if (answer)
        addresses_ = answer.value();
    else
        error_ = answer.error();
    return true;
}

Result<Addresses> HostAddresses::get(Clock::time_point deadline) {
    if (literal_) return addresses_;
    take_answer();
    const auto now = Clock::now();
    const bool fresh = !error_ && !addresses_.empty() && now - answered_ < kFresh;
    if (fresh) return addresses_;
    if (!pending_)
        if (Status status = begin(); !status && addresses_.empty()) return status.error();
    if (pending_) pending_->wait_until(addresses_.empty() ? deadline : std::min(deadline, now + kPatience));
    take_answer();
    if (!addresses_.empty()) return addresses_;
    if (error_) return *error_;
    return Error{ErrorCode::kUnavailable, fmt::format("cannot resolve {}: no answer in time", host_), ""};
}

bool HostAddresses::has_left(const asio::ip::address& address, Clock::duration interval) {
    if (literal_) return false;
    const bool answered = take_answer();
    if (!pending_ && Clock::now() - began_ >= interval) static_cast<void>(begin());
    return answered && !error_ && std::find(addresses_.begin(), addresses_.end(), address) == addresses_.end();
}

}  // namespace nfstreamd::exporters
