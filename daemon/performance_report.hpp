// SPDX-License-Identifier: Apache-2.0
// `metering.performance_report`: how the daemon does, as one line of JSON now and
// then. Control thread.
#pragma once
#include <chrono>
#include <ctime>
#include <string>

#include "daemon/pipeline.hpp"
#include "daemon/status.hpp"

namespace nfstreamd::daemon {

class PerformanceReport {
public:
    using Clock = std::chrono::steady_clock;

    explicit PerformanceReport(Clock::time_point start) : before_at_(start) {}

    // First what nfstream reports, by its names and meanings: sums since the
    // start. Then rates since the line before, and the same by meter and exporter.
    std::string line(const PipelineTotals& totals, const DaemonStatus& status, Clock::time_point now,
                     std::time_t clock);

    // A reader that does not keep up holds nothing up: lines are left out, and
    // counted in later ones. `line` is without its end.
    void print(int descriptor, const std::string& line);

private:
    void write_pending(int descriptor);

    PipelineTotals before_;
    Clock::time_point before_at_;
    std::string pending_;        // of the last line, what could not be written yet
    std::uint64_t skipped_ = 0;  // lines
};

}  // namespace nfstreamd::daemon
