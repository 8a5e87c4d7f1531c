// SPDX-License-Identifier: Apache-2.0
#include "daemon/performance_report.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "daemon/json_writer.hpp"

namespace nfstreamd::daemon {
namespace {

void write_meter(JsonWriter& json, const InterfaceStatus& meter) {
    json.begin_object();
    json.member("name", meter.source.name);
    json.member("up", meter.capture.up);
    json.member("packets", meter.packets);
    json.member("ignored", sum(meter.ignored));
    json.member("kernel_dropped", meter.capture.kernel_dropped);
    json.member("interface_dropped", meter.capture.interface_dropped);
    json.member("unread", meter.capture.unread);
    json.member("flows_active", meter.flows_active);
    json.member("records", sum(meter.records));
    json.end_object();
}

void write_exporter(JsonWriter& json, const ExporterStatus& exporter) {
    json.begin_object();
    json.member("name", exporter.name);
    json.member("up", exporter.up);
    json.member("records", exporter.records);
    json.member("queue_depth", exporter.queue_depth);
    json.member("dropped", sum(exporter.dropped));
    json.end_object();
}

}  // namespace

std::string PerformanceReport::line(const PipelineTotals& totals, const DaemonStatus& status, Clock::time_point now,
                                    std::time_t clock) {
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - before_at_).count();
    const auto rate = [&](std::uint64_t after, std::uint64_t before) {
        return (after - before) * 1000 / static_cast<std::uint64_t>(std::max<std::int64_t>(passed, 1));
    };
    JsonWriter json;
    json.begin_object();
    json.member("flows_expired", totals.records);
    json.member("packets_processed", totals.packets);
    json.member("packets_ignored", totals.ignored);
    json.member("packets_dropped_filtered_by_kernel", totals.kernel_dropped);
    json.key("meters_packets_processing_balance").begin_array();
    for (const auto& meter : status.interfaces) json.value(meter.packets);
    json.end_array();

    json.member("time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(clock)));
    json.member("uptime_s", status.uptime_s);
    json.member("interval_ms", passed);
    json.member("packets_per_second", rate(totals.packets, before_.packets));
    json.member("octets_per_second", rate(totals.octets, before_.octets));
    json.member("flows_per_second", rate(totals.flows_created, before_.flows_created));
    json.member("records_per_second", rate(totals.records, before_.records));
    json.member("octets_processed", totals.octets);
    json.member("flows_created", totals.flows_created);
    json.member("flows_active", totals.flows_active);
    json.member("packets_dropped_by_interface", totals.capture_dropped - totals.kernel_dropped - totals.unread);
    json.member("packets_unread", totals.unread);
    json.member("packets_left_out", totals.packets_left_out);
    json.member("packets_shed", totals.packets_shed);
    json.member("records_exported", totals.exported);
    json.member("records_left_out", totals.records_left_out);
    json.member("records_dropped", totals.export_dropped);
    json.member("reports_skipped", skipped_);
    json.key("meters").begin_array();
    for (const auto& meter : status.interfaces) write_meter(json, meter);
    json.end_array();
    json.key("exporters").begin_array();
    for (const auto& exporter : status.exporters) write_exporter(json, exporter);
    json.end_array();
    json.end_object();
    before_ = totals;
    before_at_ = now;
    return json.text();
}

void PerformanceReport::print(int descriptor, const std::string& line) {
    write_pending(descriptor);
    if (!pending_.empty()) {
        ++skipped_;
        return;
    }
    pending_ = line + '\n';
    write_pending(descriptor);
}

// In pieces that a pipe with room takes without waiting for its reader.
void PerformanceReport::write_pending(int descriptor) {
    while (!pending_.empty()) {
        pollfd entry{descriptor, POLLOUT, 0};
        if (::poll(&entry, 1, 0) != 1) return;
        const auto written = ::write(descriptor, pending_.data(), std::min<std::size_t>(pending_.size(), PIPE_BUF));
        if (written < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (written <= 0) {  // nobody reads any more
            pending_.clear();
            ++skipped_;
            return;
        }
        pending_.erase(0, static_cast<std::size_t>(written));
    }
}

}  // namespace nfstreamd::daemon
