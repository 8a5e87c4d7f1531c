// SPDX-License-Identifier: Apache-2.0
// The timeouts in force in one metering process: by protocol, and shorter as the
// flow cache fills. Whole milliseconds decide, as with nfstream. One metering
// thread.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/metering/metering_options.hpp"
#include "core/packet/frame.hpp"

namespace nfstreamd {

inline constexpr TimestampNs kNsPerMs = 1'000'000;

inline TimestampNs to_ms(TimestampNs ns) noexcept {
    return ns / kNsPerMs;
}

class FlowTimeouts {
public:
    // True: some are shorter than before, waiting flows must be looked at.
    bool configure(const TimeoutOptions& options) noexcept;

    // So many flows are held of so many at most. True: under this pressure
    // timeouts are so much shorter than when it was last said, or lengthened,
    // that waiting flows must be looked at.
    bool adapt(std::uint32_t flows, std::uint32_t max_flows) noexcept;
    bool adaptive() const noexcept { return pressure_from_ != 0; }
    bool under_pressure() const noexcept { return pressure_ > 0; }

    TimestampNs idle_ms(std::uint8_t protocol) const noexcept { return in_force_ms_[class_of(protocol)]; }
    TimestampNs configured_idle_ms(std::uint8_t protocol) const noexcept { return configured_ms_[class_of(protocol)]; }
    TimestampNs active_ms() const noexcept { return active_ms_; }
    TimestampNs default_idle_ms() const noexcept { return in_force_ms_[kDefault]; }  // of idle_timeout itself

    // How long flows wait for their timeout, at most and at least; the active timeout ends some of them.
    TimestampNs longest_ns(bool active_ends) const noexcept;
    TimestampNs shortest_ns(bool active_ends) const noexcept;

    // After the last packet of a TCP connection that both ends closed or one reset.
    bool tcp_ends() const noexcept { return linger_ms_ != kNever; }
    TimestampNs linger_ms() const noexcept { return linger_ms_; }

    // No timeout of any flow has passed: nothing to look at more closely.
    bool within(TimestampNs since_last, TimestampNs since_first) const noexcept {
        return since_last < shortest_idle_ns_ && since_first < surely_active_ns_;
    }

private:
    enum Class : std::uint8_t { kTcp, kUdp, kIcmp, kOther, kDefault, kClasses };
    // so far away that no sum of times overflows
    static constexpr TimestampNs kNever = (TimestampNs{1} << 61) / kNsPerMs;

    static constexpr std::array<std::uint8_t, 256> kClassOf = [] {
        std::array<std::uint8_t, 256> classes{};
        classes.fill(kOther);
        classes[6] = kTcp;
        classes[17] = kUdp;
        classes[1] = classes[58] = kIcmp;  // ICMPv6 too
        return classes;
    }();
    static std::size_t class_of(std::uint8_t protocol) noexcept { return kClassOf[protocol]; }

    void put_in_force() noexcept;

    std::array<TimestampNs, kClasses> configured_ms_{}, in_force_ms_{};
    TimestampNs active_ms_ = 0, linger_ms_ = kNever, pressed_idle_ms_ = 0;
    TimestampNs shortest_idle_ns_ = 0, surely_active_ns_ = 0;  // less the millisecond that truncation may take
    unsigned pressure_from_ = 0;                               // percent; 0: off
    double pressure_ = 0;                                      // 0 none, 1: the flow cache is full
    std::uint32_t flows_ = 0;                                  // that pressure_ is of
    TimestampNs revisited_ms_ = 0;  // longest in force when waiting flows were last looked at
};

}  // namespace nfstreamd
