// SPDX-License-Identifier: Apache-2.0
// Times that are told as milliseconds since an exporter's start (RFC 3954, 5.1;
// systemInitTimeMilliseconds in IPFIX), which wrap every 49.7 days.
#pragma once
#include <cstdint>

namespace nfstreamd::exporters::ipfix {

struct UptimeClock {
    std::uint64_t now_ms = 0;     // since 1970
    std::uint32_t uptime_ms = 0;  // at that moment

    // The moment of that uptime which is nearest to now.
    std::uint64_t milliseconds(std::uint32_t uptime) const noexcept {
        const auto ago = static_cast<std::int64_t>(static_cast<std::int32_t>(uptime_ms - uptime));
        const auto then = static_cast<std::int64_t>(now_ms) - ago;
        return then > 0 ? static_cast<std::uint64_t>(then) : 0;
    }
};

}  // namespace nfstreamd::exporters::ipfix
