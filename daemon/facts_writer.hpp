// SPDX-License-Identifier: Apache-2.0
// Keeps the ProcessFacts that exporters tell their collectors: looks at the meters
// now and then. Control thread.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/capture/packet_source.hpp"
#include "core/metering/ignored_packets.hpp"
#include "core/record/process_facts.hpp"

namespace nfstreamd::daemon {

// What one meter shows now.
struct MeterFacts {
    std::uint32_t process = 0;  // its number in the run
    IgnoredPackets ignored;
    std::vector<PacketSource::Description> interfaces;  // live ones
};
MeterFacts meter_facts(const MeteringProcess& meter);

class FactsWriter {
public:
    explicit FactsWriter(std::int64_t started_ms) : facts_(std::make_shared<ProcessFacts>(started_ms)) {}

    std::shared_ptr<const ProcessFacts> facts() const { return facts_; }

    // `past`: of the meters that are gone. A loss has the time at which it was noticed.
    void update(std::span<const MeterFacts> meters, const IgnoredPackets& past, std::int64_t now_ms);
    void set_applications(ApplicationList applications) { facts_->set_applications(std::move(applications)); }

private:
    MeteringStatistics notice(std::uint32_t process, const IgnoredPackets& ignored, std::int64_t now_ms);
    void update_interfaces(std::span<const MeterFacts> meters);

    const std::shared_ptr<ProcessFacts> facts_;
    std::map<std::uint32_t, MeteringStatistics> noticed_;  // by process; 0: the sum
};

}  // namespace nfstreamd::daemon
