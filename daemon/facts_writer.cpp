// SPDX-License-Identifier: Apache-2.0
#include "daemon/facts_writer.hpp"

#include <algorithm>
#include <utility>

#include "core/host/interface_names.hpp"

namespace nfstreamd::daemon {
namespace {

constexpr std::string_view kAnyInterface = "any";  // libpcap's: records have the number of each packet's own

}  // namespace

MeterFacts meter_facts(const MeteringProcess& meter) {
    const ObservationPoint& point = meter.point();
    MeterFacts facts{point.process, ignored_packets(meter.counters(), meter.capture()), {}};
    if (point.offline) return facts;
    for (const auto& member : meter.members()) facts.interfaces.push_back(member.source);
    if (facts.interfaces.empty()) facts.interfaces.push_back(meter.source_description());
    return facts;
}

void FactsWriter::update(std::span<const MeterFacts> meters, const IgnoredPackets& past, std::int64_t now_ms) {
    IgnoredPackets sum = past;
    for (const MeterFacts& meter : meters) sum += meter.ignored;
    std::vector<MeteringStatistics> metering{notice(0, sum, now_ms)};
    for (const MeterFacts& meter : meters) metering.push_back(notice(meter.process, meter.ignored, now_ms));
    std::erase_if(noticed_, [&](const auto& one) {
        return std::none_of(metering.begin(), metering.end(), [&](const auto& m) { return m.process == one.first; });
    });
    facts_->set_metering(std::move(metering));
    update_interfaces(meters);
}

MeteringStatistics FactsWriter::notice(std::uint32_t process, const IgnoredPackets& ignored, std::int64_t now_ms) {
    MeteringStatistics& noticed = noticed_[process];
    noticed.process = process;
    if (ignored.packets != noticed.ignored_packets) {
        if (noticed.first_ms == 0) noticed.first_ms = now_ms;
        noticed.last_ms = now_ms;
    }
    noticed.ignored_packets = ignored.packets;
    noticed.ignored_octets = ignored.octets;
    return noticed;
}

void FactsWriter::update_interfaces(std::span<const MeterFacts> meters) {
    std::map<std::uint32_t, std::string> names;
    bool any = false;
    for (const MeterFacts& meter : meters)
        for (const auto& interface : meter.interfaces) {
            any = any || interface.name == kAnyInterface;
            if (interface.interface_index != 0) names.emplace(interface.interface_index, interface.name);
        }
    if (any)
        for (auto& interface : interface_names()) names.emplace(interface.index, std::move(interface.name));
    std::vector<InterfaceInfo> interfaces;
    for (const auto& [index, name] : names) interfaces.push_back({index, name, interface_alias(name)});
    facts_->set_interfaces(std::move(interfaces));
}

}  // namespace nfstreamd::daemon
