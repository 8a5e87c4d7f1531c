// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics/health.hpp"

#include <fmt/format.h>

#include "daemon/json_writer.hpp"

namespace nfstreamd::daemon {
namespace {

// Whether it is captured on.
bool check_capture(const InterfaceStatus& meter, const PacketSource::Description& source, bool up, Health& health) {
    auto& list = meter.required.contains(source.name) ? health.problems : health.degraded;
    if (!up) list.push_back(fmt::format("interface {} is not captured on: {}", source.name, source.state));
    return up;
}

void write_list(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
    json.key(name).begin_array();
    for (const auto& text : texts) json.value(text);
    json.end_array();
}

}  // namespace

// A collector that is away is no reason: what it misses is kept or counted, and tried again.
Health health_of(const DaemonStatus& status, bool stopping) {
    Health health;
    if (stopping) health.problems.emplace_back("the daemon is stopping");
    bool captures = false;
    for (const auto& meter : status.interfaces) {
        if (meter.members.empty()) captures |= check_capture(meter, meter.source, meter.capture.up, health);
        for (const auto& member : meter.members)
            captures |= check_capture(meter, member.source, member.capture.up, health);
    }
    if (!captures) health.problems.emplace_back("no interface is captured on");
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
    write_list(json, "problems", health.problems);
    write_list(json, "degraded", health.degraded);
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
