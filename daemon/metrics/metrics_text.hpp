// SPDX-License-Identifier: Apache-2.0
// The daemon's counters in Prometheus' text format. Names, types and sentences
// are tables in the .cpp, which alone sees the library. Control thread.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "daemon/metrics/process_usage.hpp"
#include "daemon/pipeline.hpp"
#include "daemon/status.hpp"

namespace nfstreamd::daemon {

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

// What a few counters have shown, so that a scrape never sees one go back. They
// go back where a record that had been written turns out lost, or is to be sent
// again. A reload that replaces a part begins anew, which Prometheus understands.
class ShownCounters {
public:
    // `part` numbers the part that counts: another one may begin anew.
    std::uint64_t at_least_before(const std::string& series, std::uint64_t part, std::uint64_t value);
    void forget_others();  // than those asked for since the last call

private:
    using Shown = std::map<std::string, std::pair<std::uint64_t, std::uint64_t>>;  // part, value
    Shown before_, now_;
};

std::string metrics_text(const DaemonStatus& status, const PipelineTotals& totals, const ProcessUsage& usage,
                         ShownCounters& shown);

}  // namespace nfstreamd::daemon
