// SPDX-License-Identifier: Apache-2.0
#include "exporters/options/process_options.hpp"

#include <algorithm>

namespace nfstreamd::exporters {
namespace {

constexpr OptionsField kObservationDomain{149, 4}, kMeteringProcess{143, 4}, kExportingProcess{144, 4};
constexpr OptionsField kExportedOctets{40, 8}, kExportedMessages{41, 8}, kExportedFlowRecords{42, 8};
constexpr OptionsField kIgnoredPackets{164, 8}, kIgnoredOctets{165, 8};
constexpr OptionsField kNotSentFlows{166, 8}, kNotSentPackets{167, 8}, kNotSentOctets{168, 8};
constexpr OptionsField kObservationTime{323, 8};  // milliseconds; the first, then the last
constexpr OptionsField kSystemInitTime{160, 8};
constexpr OptionsField kExporterIpv4{130, 4}, kExporterIpv6{131, 16};

std::uint64_t time(std::int64_t ms) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 0));
}

}  // namespace

LossTotals sum_of(const LossTotals& a, const LossTotals& b) noexcept {
    LossTotals sum{a.records + b.records, a.packets + b.packets, a.octets + b.octets, 0,
                   std::max(a.last_ms, b.last_ms)};
    sum.first_ms =
        a.first_ms == 0 || b.first_ms == 0 ? std::max(a.first_ms, b.first_ms) : std::min(a.first_ms, b.first_ms);
    return sum;
}

OptionsTable metering_options(const OptionsProfile& profile, const ExportingStatistics& exporting) {
    return {
        {.name = "metering", .fields = {kObservationDomain, kExportedOctets, kExportedMessages, kExportedFlowRecords}},
        {{std::uint64_t{profile.domain}, exporting.octets, exporting.messages, exporting.flow_records}}};
}

OptionsTable reliability_options(const OptionsProfile& profile, std::span<const MeteringStatistics> metering) {
    OptionsTable table{{.name = "reliability",
                        .fields = {kObservationDomain, kMeteringProcess, kIgnoredPackets, kIgnoredOctets,
                                   kObservationTime, kObservationTime},
                        .scopes = 2},
                       {}};
    for (const MeteringStatistics& one : metering)
        table.rows.push_back({std::uint64_t{profile.domain}, std::uint64_t{one.process}, one.ignored_packets,
                              one.ignored_octets, time(one.first_ms), time(one.last_ms)});
    return table;
}

OptionsTable exporting_options(const OptionsProfile&, const ExportingStatistics& exporting) {
    const LossTotals& lost = exporting.not_sent;
    return {{.name = "exporting",
             .fields = {kExportingProcess, kNotSentFlows, kNotSentPackets, kNotSentOctets, kObservationTime,
                        kObservationTime}},
            {{std::uint64_t{exporting.process}, lost.records, lost.packets, lost.octets, time(lost.first_ms),
              time(lost.last_ms)}}};
}

OptionsTable system_options(const OptionsProfile& profile, std::int64_t started_ms) {
    OptionsTable table{{.name = "system", .fields = {kObservationDomain, kSystemInitTime}},
                       {{std::uint64_t{profile.domain}, time(started_ms)}}};
    const IpAddress& address = profile.exporter_address;
    if (address.version == 0) return table;
    table.tmpl.fields.push_back(address.version == 4 ? kExporterIpv4 : kExporterIpv6);
    table.rows.front().push_back(address);
    return table;
}

}  // namespace nfstreamd::exporters
