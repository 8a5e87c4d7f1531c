// SPDX-License-Identifier: Apache-2.0
// The guard around the calls of one instance of a plugin, in whichever language:
// counts calls that fail, measures some of them, and says when the instance is
// to be called no more. Its calls come one after the other.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/log.hpp"
#include "core/metering/extension_counters.hpp"

namespace nfstreamd {

class CallGuard {
public:
    using Clock = std::chrono::steady_clock;
    // More failed calls than that within the period disable the instance; so does
    // more than half of as many measured calls over the time budget.
    static constexpr std::uint32_t kMostFailures = 100;
    static constexpr std::chrono::seconds kFailurePeriod{10};
    static constexpr std::uint32_t kMeasuredEach = 64, kMeasuredCalls = 32;

    // `meter` "": an instance that is only asked for its fields, and not counted.
    CallGuard(std::string plugin, std::string meter, std::optional<std::chrono::microseconds> time_budget,
              std::shared_ptr<ExtensionCounters> counters, Logger& logger);

    void opened() noexcept;
    void closed() noexcept;
    bool disabled() const noexcept { return disabled_; }

    // Before each call; true: this one is measured, and note_time() follows.
    bool measures() noexcept { return --until_measured_ == 0; }
    void note_time(Clock::duration taken) noexcept;
    void note_failure(std::string_view reason) noexcept;
    void note_refusal(std::string_view reason) noexcept;  // something it gave is left out; never disables
    void disable(std::string reason) noexcept;

    void note_flow() noexcept { ++flows_; }
    void note_packet() noexcept { ++packets_; }
    void tell_counters() noexcept;

private:
    void count_error(std::string_view event, std::string_view reason, Clock::time_point now) noexcept;

    const std::string plugin_, meter_;
    const std::optional<std::chrono::microseconds> time_budget_;
    const std::shared_ptr<ExtensionCounters> counters_;
    Logger& logger_;
    bool disabled_ = false;
    std::uint64_t flows_ = 0, packets_ = 0, flows_told_ = 0, packets_told_ = 0;
    std::uint32_t until_measured_ = 1;
    std::uint32_t measured_ = 0, slow_ = 0;  // of the present round
    std::uint32_t failures_ = 0;             // in the present period
    Clock::time_point failures_since_{};
    RateLimit failure_log_;
};

}  // namespace nfstreamd
