// SPDX-License-Identifier: Apache-2.0
// Times in NetFlow 5 and 9 (RFC 3954, 5.1): 32 bits of milliseconds since the
// device began, of which the header says how many there are at its own time. They
// wrap after 49.7 days; a receiver tells times apart that lie less than that
// before the header's. Pure; any thread.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>

#include "exporters/session/message_queue.hpp"

namespace nfstreamd::exporters::netflow {

// Milliseconds since 1970 of the moment this host was started: what live flows count from.
std::int64_t host_start_ms();

class Uptime {
public:
    explicit Uptime(std::int64_t start_ms) : start_ms_(start_ms) {}

    // What the times of a message count from that begins with a flow which began
    // then: the start, or for flows of older captures a moment before the flow.
    std::int64_t base_for(std::int64_t flow_start_ms) const noexcept {
        return flow_start_ms >= start_ms_ ? start_ms_ : flow_start_ms - kMargin;
    }
    // Whether a flow's times can stand in a message beside those of its other flows.
    static bool holds(const MessageCounts& message, std::int64_t start_ms, std::int64_t end_ms) noexcept {
        if (start_ms < message.base_ms) return false;
        if (message.records == 0) return true;
        return std::max(message.latest_ms, end_ms) - std::min(message.earliest_ms, start_ms) < kHalf;
    }

    // Milliseconds since the base, in 32 bits.
    static std::uint32_t since(std::int64_t base_ms, std::int64_t time_ms) noexcept {
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(time_ms - base_ms));
    }

    // The header's time: now, but never before the end of a flow in the message (a
    // clock that was set back), nor so late that its times wrap (old captures).
    static std::int64_t header_ms(const MessageCounts& counts, std::chrono::system_clock::time_point now) noexcept {
        const std::int64_t now_ms =
            std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
        if (counts.latest_ms == 0) return now_ms;  // no flow
        return now_ms < counts.latest_ms || now_ms - counts.latest_ms >= kHalf ? counts.latest_ms : now_ms;
    }

    // For a header that has seconds alone: up to a second later, as what is cut off there would be missing in all
    // times.
    static std::int64_t next_second(std::int64_t time_ms) noexcept { return (time_ms + 999) / 1000 * 1000; }

private:
    static constexpr std::int64_t kMargin = 86'400'000;           // a day: flows that began earlier come later
    static constexpr std::int64_t kHalf = std::int64_t{1} << 31;  // half a wrap, 24.8 days

    const std::int64_t start_ms_;
};

}  // namespace nfstreamd::exporters::netflow
