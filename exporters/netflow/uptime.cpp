// SPDX-License-Identifier: Apache-2.0
#include "exporters/netflow/uptime.hpp"

#include <ctime>

namespace nfstreamd::exporters::netflow {

std::int64_t host_start_ms() {
    const auto milliseconds = [](clockid_t clock) {
        timespec time{};
        clock_gettime(clock, &time);
        return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
    };
    return milliseconds(CLOCK_REALTIME) - milliseconds(CLOCK_BOOTTIME);
}

}  // namespace nfstreamd::exporters::netflow
