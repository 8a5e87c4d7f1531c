// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics/health.hpp"

#include <fmt/format.h>

#include "daemon/json_writer.hpp"

namespace nfstreamd::daemon {
namespace {

void check_capture(const PacketSource::Description& source, bool up, Health& health) {
    if (!up) health.problems.push_back(fmt::format("interface {} is not captured on: {}", source.name, source.state));
}

}  // namespace

// A collector that is away is no reason: what it misses is kept or counted, and tried again.
Health health_of(const DaemonStatus& status, bool stopping) {
    Health health;
    if (stopping) health.problems.emplace_back("the daemon is stopping");
    if (status.interfaces.empty()) health.problems.emplace_back("nothing is metered");
    for (const auto& meter : status.interfaces) {
        if (meter.members.empty()) check_capture(meter.source, meter.capture.up, health);
        for (const auto& member : meter.members) check_capture(member.source, member.capture.up, health);
    }
    for (const auto& exporter : status.exporters)
        if (exporter.failed_for_good)
            health.problems.push_back(
                fmt::format("exporter {} has failed for good: {}", exporter.name, exporter.last_error));
    return health;
}

std::string health_json(const DaemonStatus& status, const Health& health) {
    JsonWriter json;
    json.begin_object();
    json.member("healthy", health.ok());
    json.key("problems").begin_array();
    for (const auto& problem : health.problems) json.value(problem);
    json.end_array();
    json.member("version", status.version);
    json.member("instance", status.instance);
    json.member("uptime_s", status.uptime_s);
    json.key("interfaces").begin_object();
    for (const auto& meter : status.interfaces) json.member(meter.source.name, meter.capture.up);
    json.end_object();
    json.key("exporters").begin_object();
    for (const auto& exporter : status.exporters) json.member(exporter.name, exporter.up);
    json.end_object();
    json.end_object();
    return json.text();
}

}  // namespace nfstreamd::daemon
