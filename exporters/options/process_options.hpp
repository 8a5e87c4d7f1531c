// SPDX-License-Identifier: Apache-2.0
// What a process tells of itself: counts of what was exported, not metered and
// not sent (RFC 7011, section 4), and since when it runs. Pure.
#pragma once
#include <cstdint>
#include <span>

#include "core/export/exporter.hpp"
#include "core/record/process_facts.hpp"
#include "exporters/options/options_profile.hpp"
#include "exporters/options/options_template.hpp"

namespace nfstreamd::exporters {

// Of one exporting process, since its start, before the message that tells it.
struct ExportingStatistics {
    std::uint32_t process = 0;  // IE 144
    std::uint64_t octets = 0, messages = 0, flow_records = 0;
    LossTotals not_sent;  // before the exporter and in it, sum_of()
};

LossTotals sum_of(const LossTotals& a, const LossTotals& b) noexcept;

OptionsTable metering_options(const OptionsProfile& profile, const ExportingStatistics& exporting);
OptionsTable reliability_options(const OptionsProfile& profile, std::span<const MeteringStatistics> metering);
OptionsTable exporting_options(const OptionsProfile& profile, const ExportingStatistics& exporting);
OptionsTable system_options(const OptionsProfile& profile, std::int64_t started_ms);

}  // namespace nfstreamd::exporters
