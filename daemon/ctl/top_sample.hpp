// SPDX-License-Identifier: Apache-2.0
// What `top` knows: counters as the daemon told them at a moment, and the rates
// between two such moments. Pure.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace nfstreamd::ctl {

struct InterfaceCounters {
    std::string name, state;
    bool up = false;
    std::uint64_t packets = 0, octets = 0, flows_created = 0, flows_active = 0, max_flows = 0;
    std::uint64_t dropped = 0;  // by kernel and interface
    std::uint64_t ring_fill_percent = 0;
    std::string shed;  // "nothing", or what is shed
};

struct ExporterCounters {
    std::string name, type, destination;
    bool up = false;
    std::uint64_t records = 0, queued = 0, lost = 0;
};

struct DaemonCounters {
    std::string version, instance, started;
    std::uint64_t uptime_s = 0;
    std::vector<InterfaceCounters> interfaces;
    std::vector<ExporterCounters> exporters;
};
Result<DaemonCounters> parse_counters(const std::string& status_json);

struct TalkerRate {
    std::string address;
    std::uint64_t sent_bits = 0, received_bits = 0, sent_packets = 0, received_packets = 0, flows = 0;
};
struct ApplicationRate {
    std::string name;
    std::uint64_t bits = 0, packets = 0, flows = 0;
};
struct Activity {
    std::chrono::milliseconds window{0};  // 0: the first look, there are no rates
    std::uint64_t active_flows = 0;
    std::vector<TalkerRate> talkers;
    std::vector<ApplicationRate> applications;
};
Result<Activity> parse_activity(const std::string& activity_json);

struct InterfaceRates {
    InterfaceCounters now;
    double packets = 0, bits = 0, flows = 0, drops = 0;
};
struct ExporterRates {
    ExporterCounters now;
    double records = 0, lost = 0;
};
struct Rates {
    DaemonCounters now;
    double packets = 0, bits = 0, flows = 0, drops = 0, records = 0, lost = 0;  // a second, of all
    std::vector<InterfaceRates> interfaces;
    std::vector<ExporterRates> exporters;
};
// Of what is new, or of a daemon that has started again: zero.
Rates rates_between(const DaemonCounters& before, const DaemonCounters& now, std::chrono::nanoseconds time);

}  // namespace nfstreamd::ctl
