// SPDX-License-Identifier: Apache-2.0
// Watches the capture ring of one metering process, says what is shed now, and
// tells the log once when shedding begins, once when packets are sampled, and
// once, with how much it was, when it is over. One metering thread.
#pragma once
#include <string>

#include "core/base/log.hpp"
#include "core/metering/metering_process.hpp"
#include "core/metering/overload.hpp"

namespace nfstreamd {

class LoadShedder {
public:
    LoadShedder(const std::string& meter, MeterCounters& counters, Logger& logger) noexcept
        : meter_(meter), counters_(counters), logger_(logger) {}

    void configure(OverloadPolicy policy) noexcept { policy_ = policy; }
    ShedLevel update(unsigned fill_percent, OverloadPolicy::Steady::time_point now);
    void end();  // of the run: whatever is shed still

private:
    struct Shed {
        std::uint64_t flows_not_dissected = 0, dissections_stopped = 0, packets = 0;
    };
    Shed shed() const noexcept;
    void tell_begin(ShedLevel level, unsigned fill_percent);
    void tell_end();

    const std::string& meter_;
    MeterCounters& counters_;
    Logger& logger_;
    OverloadPolicy policy_;
    ShedLevel told_ = ShedLevel::kNothing;  // nothing, something, or packets too
    Shed before_;                           // shed when it began
    RateLimit begins_;                      // a load about as high as can be borne may begin often
};

}  // namespace nfstreamd
