// SPDX-License-Identifier: Apache-2.0
#include "exporters/transport/destination.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nfstreamd::exporters {
namespace {

std::optional<Destination::Address> source_of(const std::string& text) {
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(text, error);
    return error ? std::optional<Destination::Address>() : address;
}

}  // namespace

Destination::Destination(Endpoint endpoint, const TransportOptions& options, HostAddresses::Lookup lookup)
    : endpoint_(std::move(endpoint)),
      text_(endpoint_.text()),
      connect_timeout_(options.connect_timeout),
      resolve_interval_(options.resolve_interval),
      source_(source_of(options.source_address)),
      host_(endpoint_.host, std::move(lookup)) {}

Result<Addresses> Destination::addresses(Clock::time_point deadline) {
    auto found = host_.get(deadline);
    if (!found) return found;
    auto& all = found.value();
    others_ = all.size() > 1;
    if (left_) std::stable_partition(all.begin(), all.end(), [&](const Address& a) { return a != *left_; });
    if (!source_) return found;
    all.erase(std::remove_if(all.begin(), all.end(), [&](const Address& a) { return a.is_v4() != source_->is_v4(); }),
              all.end());
    others_ = all.size() > 1;
    if (all.empty())
        return Error{ErrorCode::kUnavailable,
                     fmt::format("{}: the host has no IPv{} address, which source_address {} asks for", text_,
                                 source_->is_v4() ? 4 : 6, source_->to_string()),
                     ""};
    return found;
}

Status Destination::reach(Clock::time_point deadline, const Connect& connect) {
    used_.reset();
    deadline = std::min<Clock::time_point>(deadline, Clock::now() + connect_timeout_);
    const auto found = addresses(deadline);
    if (!found) return found.error();
    const Addresses& all = found.value();
    Status status = ok();
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto now = Clock::now();
        status = connect(all[i], now + (deadline - now) / static_cast<int>(all.size() - i));
        if (!status) continue;
        used_ = all[i];
        break;
    }
    return status;
}

Status Destination::check() {
    if (!used_ || resolve_interval_.count() == 0 || !host_.has_left(*used_, resolve_interval_)) return ok();
    return Error{
        ErrorCode::kUnavailable,
        fmt::format("{}: the address of {} changed, it is no longer {}", text_, host_.host(), used_->to_string()), ""};
}

Status Destination::leave() {
    if (!used_ || !others_) return ok();
    left_ = used_;
    return Error{ErrorCode::kUnavailable,
                 fmt::format("{}: nobody is there at {}, another address of {} is tried", text_, used_->to_string(),
                             host_.host()),
                 ""};
}

Error Destination::failure(std::string_view what, const boost::system::error_code& error) const {
    return {ErrorCode::kUnavailable, fmt::format("{} {}: {}", what, text_, error.message()), ""};
}

}  // namespace nfstreamd::exporters
