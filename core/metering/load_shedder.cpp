// SPDX-License-Identifier: Apache-2.0
#include "core/metering/load_shedder.hpp"

namespace nfstreamd {

LoadShedder::Shed LoadShedder::shed() const noexcept {
    return {counters_.flows_not_dissected.get(), counters_.dissections_stopped.get(), counters_.packets_shed.get()};
}

ShedLevel LoadShedder::update(unsigned fill_percent, OverloadPolicy::Steady::time_point now) {
    const ShedLevel before = policy_.level(), level = policy_.update(fill_percent, now);
    counters_.ring_fill_percent.set(fill_percent);
    if (level == before) return level;
    counters_.shed_level.set(static_cast<std::uint64_t>(level));
    if (before == ShedLevel::kNothing) counters_.overloads.add();
    if (level == ShedLevel::kNothing)
        tell_end();
    else if (level > before && (told_ == ShedLevel::kNothing || level == ShedLevel::kPackets))
        tell_begin(level, fill_percent);
    return level;
}

void LoadShedder::tell_begin(ShedLevel level, unsigned fill_percent) {
    if (told_ == ShedLevel::kPackets) return;
    if (told_ == ShedLevel::kNothing) {
        if (begins_.admit() < 0) return;  // its end is not told either; what is shed stays in the counters
        before_ = shed();
    }
    told_ = level;
    logger_.warning("capture ring fills faster than it drains, load is shed",
                    {{"meter", meter_}, {"ring_fill_percent", fill_percent}, {"shed", name(level)}});
}

void LoadShedder::tell_end() {
    if (told_ == ShedLevel::kNothing) return;
    told_ = ShedLevel::kNothing;
    const Shed now = shed();
    logger_.warning("capture ring has drained, nothing is shed any more",
                    {{"meter", meter_},
                     {"flows_not_dissected", now.flows_not_dissected - before_.flows_not_dissected},
                     {"dissections_stopped", now.dissections_stopped - before_.dissections_stopped},
                     {"packets_shed", now.packets - before_.packets}});
}

void LoadShedder::end() {
    tell_end();
    counters_.shed_level.set(0);
}

}  // namespace nfstreamd
