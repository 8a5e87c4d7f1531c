// SPDX-License-Identifier: Apache-2.0
#include "core/metering/flow_timeouts.hpp"

#include <algorithm>

namespace nfstreamd {
namespace {

// All flows are looked at when the longest timeout has fallen to that part of what it was the last time.
constexpr double kNotably = 0.75;

}  // namespace

bool FlowTimeouts::configure(const TimeoutOptions& options) noexcept {
    const auto ms = [](std::chrono::milliseconds time) { return std::min<TimestampNs>(time.count(), kNever); };
    const FlowTimeouts before = *this;
    const TimestampNs idle = ms(options.idle_timeout);
    configured_ms_ = {ms(options.idle_tcp.value_or(options.idle_timeout)),
                      ms(options.idle_udp.value_or(options.idle_timeout)),
                      ms(options.idle_icmp.value_or(options.idle_timeout)),
                      ms(options.idle_other.value_or(options.idle_timeout)), idle};
    active_ms_ = ms(options.active_timeout);
    linger_ms_ = options.tcp_end ? ms(*options.tcp_end) : kNever;
    pressure_from_ = options.pressure_from.value_or(0);
    pressed_idle_ms_ = ms(options.pressure_idle_timeout);
    pressure_ = 0;
    flows_ = 0;
    put_in_force();
    revisited_ms_ = *std::max_element(in_force_ms_.begin(), in_force_ms_.end());
    bool shorter = active_ms_ < before.active_ms_ || linger_ms_ < before.linger_ms_;
    for (std::size_t i = 0; i < kClasses; ++i) shorter = shorter || in_force_ms_[i] < before.in_force_ms_[i];
    return shorter;
}

TimestampNs FlowTimeouts::longest_ns(bool active_ends) const noexcept {
    const TimestampNs idle = *std::max_element(in_force_ms_.begin(), in_force_ms_.end());
    return (active_ends ? std::min(idle, active_ms_) : idle) * kNsPerMs;
}

TimestampNs FlowTimeouts::shortest_ns(bool active_ends) const noexcept {
    TimestampNs shortest = *std::min_element(in_force_ms_.begin(), in_force_ms_.end());
    if (active_ends) shortest = std::min(shortest, active_ms_);
    if (linger_ms_ > 0) shortest = std::min(shortest, linger_ms_);  // with 0 none waits
    return shortest * kNsPerMs;
}

bool FlowTimeouts::adapt(std::uint32_t flows, std::uint32_t max_flows) noexcept {
    if (pressure_from_ == 0 || flows == flows_) return false;
    flows_ = flows;
    const double from = static_cast<double>(max_flows) * pressure_from_ / 100;
    const double pressure = std::clamp((flows - from) / std::max(static_cast<double>(max_flows) - from, 1.0), 0.0, 1.0);
    if (pressure == pressure_) return false;
    pressure_ = pressure;
    put_in_force();
    const TimestampNs longest = *std::max_element(in_force_ms_.begin(), in_force_ms_.end());
    const bool notably = static_cast<double>(longest) < kNotably * static_cast<double>(revisited_ms_);
    if (notably || longest > revisited_ms_) revisited_ms_ = longest;
    return notably;
}

void FlowTimeouts::put_in_force() noexcept {
    for (std::size_t i = 0; i < kClasses; ++i) {
        const TimestampNs room = std::max<TimestampNs>(configured_ms_[i] - pressed_idle_ms_, 0);
        in_force_ms_[i] = configured_ms_[i] - static_cast<TimestampNs>(static_cast<double>(room) * pressure_);
    }
    const TimestampNs shortest = std::min(*std::min_element(in_force_ms_.begin(), in_force_ms_.end()), linger_ms_);
    shortest_idle_ns_ = (shortest - 1) * kNsPerMs;
    surely_active_ns_ = (active_ms_ - 1) * kNsPerMs;
}

}  // namespace nfstreamd
