// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/top_sample.hpp"

#include <algorithm>

#include "daemon/ctl/answer.hpp"

namespace nfstreamd::ctl {
namespace {

template <class Parsed, class Read>
Result<Parsed> parse(const std::string& document, Read read) {
    const auto tree = parse_answer(document);
    if (!tree) return tree.error();
    try {
        return Parsed(read(tree.value()));
    } catch (const std::exception& error) {
        return unreadable(error);
    }
}

template <class Units>
auto find_name(const Units& units, const std::string& name) {
    const auto found = std::find_if(units.begin(), units.end(), [&](const auto& unit) { return unit.name == name; });
    return found == units.end() ? nullptr : &*found;
}

double rate(std::uint64_t before, std::uint64_t now, std::chrono::nanoseconds time) {
    if (now < before || time.count() <= 0) return 0;
    return static_cast<double>(now - before) / std::chrono::duration<double>(time).count();
}

}  // namespace

Result<DaemonCounters> parse_counters(const std::string& status_json) {
    return parse<DaemonCounters>(status_json, [](const Tree& status) {
        DaemonCounters counters;
        counters.version = text(status, "version");
        counters.instance = text(status, "instance");
        counters.started = text(status, "started");
        counters.uptime_s = number(status, "uptime_s");
        for (const auto& [key, interface] : status.get_child("interfaces"))
            counters.interfaces.push_back(
                {text(interface, "name"), text(interface, "state"), interface.get<bool>("up"),
                 number(interface, "metered.packets"), number(interface, "metered.octets"),
                 number(interface, "flows_created"), number(interface, "flows_active"), number(interface, "max_flows"),
                 number(interface, "kernel_dropped") + number(interface, "interface_dropped") +
                     number(interface, "unread"),
                 number(interface, "overload.ring_fill_percent"), text(interface, "overload.shed")});
        for (const auto& [key, exporter] : status.get_child("exporters"))
            counters.exporters.push_back({text(exporter, "name"), text(exporter, "type"), text(exporter, "destination"),
                                          exporter.get<bool>("up"), number(exporter, "records"),
                                          number(exporter, "queue_depth"), sum(exporter.get_child("dropped"))});
        return counters;
    });
}

Result<Activity> parse_activity(const std::string& activity_json) {
    return parse<Activity>(activity_json, [](const Tree& answer) {
        Activity activity;
        activity.window = std::chrono::milliseconds(number(answer, "window_ms"));
        activity.active_flows = number(answer, "active_flows");
        for (const auto& [key, talker] : answer.get_child("talkers"))
            activity.talkers.push_back({text(talker, "address"), number(talker, "sent_bits_per_s"),
                                        number(talker, "received_bits_per_s"), number(talker, "sent_packets_per_s"),
                                        number(talker, "received_packets_per_s"), number(talker, "flows")});
        for (const auto& [key, application] : answer.get_child("applications"))
            activity.applications.push_back({text(application, "name"), number(application, "bits_per_s"),
                                             number(application, "packets_per_s"), number(application, "flows")});
        return activity;
    });
}

Rates rates_between(const DaemonCounters& before, const DaemonCounters& now, std::chrono::nanoseconds time) {
    Rates rates{.now = now, .interfaces = {}, .exporters = {}};
    const bool goes_on = before.started == now.started;
    for (const InterfaceCounters& interface : now.interfaces) {
        InterfaceRates& made = rates.interfaces.emplace_back();
        made.now = interface;
        const InterfaceCounters* was = goes_on ? find_name(before.interfaces, interface.name) : nullptr;
        if (was == nullptr) continue;
        made.packets = rate(was->packets, interface.packets, time);
        made.bits = 8 * rate(was->octets, interface.octets, time);
        made.flows = rate(was->flows_created, interface.flows_created, time);
        made.drops = rate(was->dropped, interface.dropped, time);
        rates.packets += made.packets;
        rates.bits += made.bits;
        rates.flows += made.flows;
        rates.drops += made.drops;
    }
    for (const ExporterCounters& exporter : now.exporters) {
        ExporterRates& made = rates.exporters.emplace_back();
        made.now = exporter;
        const ExporterCounters* was = goes_on ? find_name(before.exporters, exporter.name) : nullptr;
        if (was == nullptr) continue;
        made.records = rate(was->records, exporter.records, time);
        made.lost = rate(was->lost, exporter.lost, time);
        rates.records += made.records;
        rates.lost += made.lost;
    }
    return rates;
}

}  // namespace nfstreamd::ctl
