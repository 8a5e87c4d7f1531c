// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/call_guard.hpp"

#include <fmt/format.h>

#include <utility>

namespace nfstreamd {

CallGuard::CallGuard(std::string plugin, std::string meter, std::optional<std::chrono::microseconds> time_budget,
                     std::shared_ptr<ExtensionCounters> counters, Logger& logger)
    : plugin_(std::move(plugin)),
      meter_(std::move(meter)),
      time_budget_(time_budget),
      counters_(std::move(counters)),
      logger_(logger) {}

void CallGuard::opened() noexcept {
    if (!meter_.empty()) counters_->instances.fetch_add(1);
}

void CallGuard::closed() noexcept {
    tell_counters();
    if (meter_.empty()) return;
    counters_->instances.fetch_sub(1);
    if (disabled_) counters_->disabled.fetch_sub(1);
}

// After a slow call each is measured, so that a plugin that takes long each time is found out soon.
void CallGuard::note_time(Clock::duration taken) noexcept {
    until_measured_ = kMeasuredEach;
    tell_counters();
    if (!time_budget_) return;
    const bool is_slow = taken > *time_budget_;
    if (is_slow) {
        until_measured_ = 1;
        ++slow_;
        counters_->slow_calls.fetch_add(1);
    }
    if (++measured_ < kMeasuredCalls) return;
    if (slow_ > kMeasuredCalls / 2)
        disable(
            fmt::format("{} of {} measured calls took more than {} us", slow_, kMeasuredCalls, time_budget_->count()));
    measured_ = slow_ = 0;
}

void CallGuard::count_error(std::string_view event, std::string_view reason, Clock::time_point now) noexcept {
    counters_->errors.fetch_add(1);
    if (const std::int64_t held_back = failure_log_.admit(now); held_back >= 0)
        logger_.warning(event, {{"plugin", plugin_},
                                {"meter", meter_},
                                {"reason", reason.empty() ? "none was given" : reason},
                                {"held_back", held_back}});
}

void CallGuard::note_failure(std::string_view reason) noexcept {
    const auto now = Clock::now();
    if (now - failures_since_ > kFailurePeriod) {
        failures_since_ = now;
        failures_ = 0;
    }
    ++failures_;
    count_error("call of a plugin failed", reason, now);
    if (failures_ > kMostFailures)
        disable(fmt::format("more than {} calls failed within {} s, the last one: {}", kMostFailures,
                            kFailurePeriod.count(), reason.empty() ? "no reason was given" : reason));
}

void CallGuard::note_refusal(std::string_view reason) noexcept {
    count_error("value of a plugin left out", reason, Clock::now());
}

void CallGuard::disable(std::string reason) noexcept {
    if (std::exchange(disabled_, true)) return;
    counters_->disabled.fetch_add(1);
    logger_.error("plugin disabled until it is configured anew or the daemon is started again",
                  {{"plugin", plugin_}, {"meter", meter_}, {"reason", reason}});
    counters_->set_reason(std::move(reason));
}

void CallGuard::tell_counters() noexcept {
    counters_->flows.fetch_add(flows_ - std::exchange(flows_told_, flows_));
    counters_->packets.fetch_add(packets_ - std::exchange(packets_told_, packets_));
}

}  // namespace nfstreamd
