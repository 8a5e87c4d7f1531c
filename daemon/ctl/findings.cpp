// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/findings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "core/metering/flow_meter.hpp"
#include "daemon/assembly.hpp"
#include "daemon/ctl/terminal_text.hpp"
#include "daemon/json_writer.hpp"

namespace nfstreamd::ctl {
namespace {

using namespace std::chrono_literals;
using Findings = std::vector<Finding>;
using enum Severity;

constexpr unsigned kCapNetRaw = 13;
constexpr std::uint32_t kLinkHeader = 22;  // Ethernet with two VLAN tags
constexpr std::uint64_t kSmallRing = 8 << 20, kGoodRing = 64 << 20, kDefaultRing = 2 << 20;
constexpr std::uint64_t kSmallReceiveBuffer = 1 << 20;
constexpr std::uint64_t kFewFiles = 1024;
constexpr auto kJump = 50ms;

std::string mebibytes(std::uint64_t octets) {
    return fmt::format("{} MiB", (octets + (1 << 19)) >> 20);
}

// An interface as the configuration names it.
struct Captured {
    std::string name;
    const config::CaptureConfig* capture;
};

std::vector<Captured> captured(const HostFacts& facts) {
    std::vector<Captured> found;
    if (facts.loaded.config)
        for (const auto& capture : facts.loaded.config->capture)
            for (const auto& name : capture.interfaces) found.push_back({name, &capture});
    return found;
}

const Link* find_link(const HostFacts& facts, const std::string& name) {
    const auto found =
        std::find_if(facts.links.begin(), facts.links.end(), [&](const Link& l) { return l.name == name; });
    return found == facts.links.end() ? nullptr : &*found;
}
const Link* find_link(const HostFacts& facts, std::uint32_t index) {
    const auto found =
        std::find_if(facts.links.begin(), facts.links.end(), [&](const Link& l) { return l.index == index; });
    return index == 0 || found == facts.links.end() ? nullptr : &*found;
}

// Links that see the packets of this one, too: below a VLAN, above a bond's part.
void collect_related(const HostFacts& facts, const Link& link, std::set<std::uint32_t>& seen) {
    for (const std::uint32_t next : {link.lower, link.master})
        if (const Link* other = find_link(facts, next); other != nullptr && seen.insert(next).second)
            collect_related(facts, *other, seen);
}

const Tree* interface_status(const HostFacts& facts, const std::string& name) {
    if (!facts.daemon.running) return nullptr;
    for (const auto& [key, interface] : facts.daemon.status.get_child("interfaces"))
        if (interface.get<std::string>("name", "") == name) return &interface;
    return nullptr;
}

// ---- configuration ----

void look_at_configuration(const HostFacts& facts, Findings& findings) {
    for (const auto& error : facts.loaded.errors)
        findings.push_back({kError, "configuration", facts.config_file, error.text(),
                            fmt::format("edit it, then `nfstreamd -t -c {}`", facts.config_file)});
    for (const auto& warning : facts.loaded.warnings)
        findings.push_back(
            {kNote, "configuration", facts.config_file, warning, "edit it, or leave it if that is meant"});
    if (facts.config_facts.there && (facts.config_facts.mode & 2) != 0)
        findings.push_back({kWarning, "config-permission", facts.config_file, "everybody may write it",
                            fmt::format("chmod 0640 {}", facts.config_file)});
    if (facts.config_facts.there && facts.service_user && facts.service_group &&
        !may_read(facts.config_facts, *facts.service_user, *facts.service_group))
        findings.push_back({kError, "config-permission", facts.config_file,
                            "the service's user nfstreamd cannot read it",
                            fmt::format("chown root:nfstreamd {0} && chmod 0640 {0}", facts.config_file)});
}

// ---- capture ----

void look_at_links(const HostFacts& facts, Findings& findings) {
    if (!facts.problem_of_links.empty())
        findings.push_back({kWarning, "links", "network interfaces", facts.problem_of_links,
                            "run it where netlink sockets are allowed"});
    for (const auto& [name, capture] : captured(facts)) {
        if (name == "any" || !facts.problem_of_links.empty()) continue;
        const Link* link = find_link(facts, name);
        const std::string where = capture->where;
        if (link == nullptr) {
            findings.push_back({capture->options.required ? kError : kWarning, "interface", name,
                                fmt::format("there is no such interface ({})", where),
                                "name one of `nfstreamd --list-interfaces`; it is waited for unless `required: true`"});
            continue;
        }
        if (!link->up)
            findings.push_back({kWarning, "interface", name, "it is down, so that there is nothing to capture",
                                fmt::format("ip link set dev {} up", name)});
        if (!link->offloads.empty()) {
            const bool receives = std::any_of(link->offloads.begin(), link->offloads.end(),
                                              [](const auto& one) { return one == "gro" || one == "lro"; });
            std::string off;
            for (const auto& one : link->offloads) off += fmt::format(" {} off", one);
            findings.push_back(
                {receives ? kWarning : kNote, "offloads", name,
                 fmt::format(
                     "{} {} on: the kernel joins {} to packets of up to 64 KiB before the capture sees them, so "
                     "packet counts are too low and sizes not those on the wire",
                     fmt::join(link->offloads, ", "), link->offloads.size() > 1 ? "are" : "is",
                     receives ? "what it receives" : "what this host sends"),
                 fmt::format("ethtool -K {}{}", name, off)});
        }
        const auto snapshot = static_cast<std::uint64_t>(std::max(capture->options.snapshot_length, 0));
        if (link->mtu + kLinkHeader > snapshot) {
            const Tree* status = interface_status(facts, name);
            const auto cut = status ? number(*status, "truncated") : 0;
            findings.push_back(
                {cut > 0 ? kWarning : kNote, "snapshot-length", name,
                 fmt::format("MTU {} and a snapshot length of {}: of longer packets nDPI does not see the end{}",
                             link->mtu, snapshot, cut > 0 ? fmt::format(", {} were cut so far", cut) : ""),
                 fmt::format("set `snapshot_length: {}` at {}", link->mtu + kLinkHeader, where)});
        }
    }
}

void look_at_duplicates(const HostFacts& facts, Findings& findings) {
    const auto interfaces = captured(facts);
    for (const auto& [name, capture] : interfaces) {
        if (name == "any" && interfaces.size() > 1)
            findings.push_back({kWarning, "duplicates", name,
                                "`any` sees every interface, so that what the others see is metered twice",
                                "capture either `any` or single interfaces"});
        const Link* link = find_link(facts, name);
        if (link == nullptr) continue;
        std::set<std::uint32_t> related;
        collect_related(facts, *link, related);
        for (const auto& [other_name, other] : interfaces) {
            const Link* other_link = find_link(facts, other_name);
            if (other_link == nullptr || !related.contains(other_link->index)) continue;
            const bool together = !capture->group.empty() && capture->group == other->group;
            if (together && capture->merge.deduplicate > 0ms) continue;
            const std::string relation = link->master == other_link->index
                                             ? fmt::format("{} is a part of {} {}", name, other_link->kind, other_name)
                                             : fmt::format("{} {} lies on {}", link->kind, name, other_name);
            findings.push_back(
                {kWarning, "duplicates", fmt::format("{} and {}", other_name, name),
                 fmt::format("{}: both see the same packets, which are metered twice{}", relation,
                             together ? " in one flow" : ""),
                 together ? fmt::format("set `deduplicate: 100ms` for group '{}' ({})", capture->group, capture->where)
                          : fmt::format("capture one of them ({}, {}), or give both the same `group` and `deduplicate: "
                                        "100ms`",
                                        other->where, capture->where)});
        }
    }
}

void look_at_drops(const HostFacts& facts, Findings& findings) {
    if (!facts.daemon.running) return;
    for (const auto& [key, interface] : facts.daemon.status.get_child("interfaces")) {
        const auto name = text(interface, "name");
        const auto kernel = number(interface, "kernel_dropped"), device = number(interface, "interface_dropped");
        const auto frames = number(interface, "frames");
        const auto configured = captured(facts);
        const auto entry = std::find_if(configured.begin(), configured.end(), [&](const Captured& one) {
            return one.name == name || name.starts_with(one.name + "/") || one.capture->group == name;
        });
        const auto ring = entry != configured.end() && entry->capture->options.socket_buffer_size > 0
                              ? entry->capture->options.socket_buffer_size
                              : kDefaultRing;
        const auto at = entry != configured.end() ? entry->capture->where : std::string("capture");
        if (kernel > 0)
            findings.push_back(
                {kError, "ring-drops", name,
                 fmt::format("{} packets dropped as the capture ring was full, {:.3f} % of all", kernel,
                             100.0 * static_cast<double>(kernel) / static_cast<double>(kernel + frames)),
                 ring < kGoodRing ? fmt::format("set `socket_buffer_size: 64MiB` at {} (it has {}), and `n_meters: 0`",
                                                at, mebibytes(ring))
                                  : fmt::format("set `n_meters: 0` at {} for a meter on each processor, or a "
                                                "`bpf_filter`, or lower `metering.n_dissections`",
                                                at)});
        if (device > 0)
            findings.push_back({kWarning, "device-drops", name,
                                fmt::format("{} packets dropped by the device or its driver", device),
                                fmt::format("ethtool -G {} rx 4096", name)});
        if (const auto unread = number(interface, "unread"); unread > 0)
            findings.push_back({kWarning, "unread", name,
                                fmt::format("{} packets were in a capture ring that had to be closed before they could "
                                            "be read",
                                            unread),
                                fmt::format("the meter was too far behind: set `n_meters: 0` at {} for a meter on each "
                                            "processor, or lower `metering.n_dissections`",
                                            at)});
        if (number(interface, "overload.times") > 0)
            findings.push_back({kWarning, "overload", name,
                                fmt::format("the ring filled {} times, load was shed: some flows are not dissected",
                                            number(interface, "overload.times")),
                                fmt::format("set `n_meters: 0` and `socket_buffer_size: 64MiB` at {}", at)});
        if (number(interface, "clock_steps") > 0)
            findings.push_back({kWarning, "clock", name,
                                fmt::format("the clock that stamps packets stepped {} times, all flows ended then",
                                            number(interface, "clock_steps")),
                                "let chrony or systemd-timesyncd slew it: `timedatectl set-ntp true`"});
        if (const auto evicted = interface.get<std::uint64_t>("records.lack-of-resources", 0); evicted > 0)
            findings.push_back({kWarning, "flow-table", name,
                                fmt::format("{} flows left before their timeout, as the flow table was full", evicted),
                                fmt::format("raise `metering.max_flows` above {}, or shorten `metering.idle_timeout`",
                                            number(interface, "max_flows"))});
    }
}

// ---- permission ----

void look_at_permission(const HostFacts& facts, Findings& findings) {
    const DaemonFacts& daemon = facts.daemon;
    if (daemon.capabilities && (*daemon.capabilities >> kCapNetRaw & 1) == 0)
        findings.push_back({kError, "capability", fmt::format("process {}", daemon.pid),
                            "nfstreamd runs without CAP_NET_RAW: it can open no interface any more",
                            "start it by `systemctl start nfstreamd`, whose unit has AmbientCapabilities=CAP_NET_RAW"});
    if (!daemon.running && !facts.may_capture && !facts.service_installed)
        findings.push_back({kWarning, "capability", "this user",
                            "may not open packet sockets, so nfstreamd could not capture",
                            "run it as root, as a service, or `setcap cap_net_raw=ep $(command -v nfstreamd)`"});
    if (facts.is_root && !facts.may_capture)
        findings.push_back(
            {kError, "capability", "root", "may not open packet sockets here",
             "give the container CAP_NET_RAW (`--cap-add NET_RAW`) and the unit RestrictAddressFamilies=AF_PACKET"});
    if (facts.service_installed && (!facts.service_user || !facts.service_group))
        findings.push_back(
            {kError, "service-user", "nfstreamd.service", "there is no user and group nfstreamd", "systemd-sysusers"});
    if (daemon.running && daemon.user == 0)
        findings.push_back({kNote, "root", fmt::format("process {}", daemon.pid),
                            "nfstreamd runs as root, CAP_NET_RAW would do", "start it by its unit, as user nfstreamd"});
    if (facts.socket_file.there && (facts.socket_file.mode & 2) != 0)
        findings.push_back({kWarning, "control-socket", facts.socket, "everybody may command the daemon",
                            fmt::format("chmod 0660 {}", facts.socket)});
    if (!daemon.running && facts.socket_file.there && daemon.why_not.code == ErrorCode::kPermission)
        findings.push_back({kWarning, "control-socket", facts.socket, "this user may not ask the daemon",
                            "usermod -aG nfstreamd $USER, then log in again; or use sudo"});
    if (!daemon.running && facts.socket_file.there && daemon.why_not.code == ErrorCode::kIo)
        findings.push_back({kError, "control-socket", facts.socket,
                            fmt::format("the daemon does not answer: {}", daemon.why_not.message),
                            "journalctl -u nfstreamd; systemctl restart nfstreamd"});
}

// ---- export ----

void look_at_export(const HostFacts& facts, Findings& findings) {
    for (const Destination& one : facts.destinations)
        if (!one.problem.empty())
            findings.push_back({kError, "collector", fmt::format("{} {}", one.exporter, one.text),
                                fmt::format("cannot be reached: {} ({})", one.problem, one.where),
                                "start the collector, open the firewall, or correct the address there"});
    for (const SpoolFacts& spool : facts.spools) {
        const auto user = facts.daemon.running ? std::optional(facts.daemon.user) : facts.service_user;
        const auto group = facts.daemon.running ? std::optional(facts.daemon.group) : facts.service_group;
        if (!spool.folder.directory)
            findings.push_back({kError, "spool", spool.path, fmt::format("{} is no folder", spool.folder_path),
                                fmt::format("correct `spool.directory` at {}", spool.where)});
        else if (user && !may_write(spool.folder, *user, group.value_or(0)))
            findings.push_back({kError, "spool", spool.path,
                                fmt::format("exporter {} cannot write in {}", spool.exporter, spool.folder_path),
                                fmt::format("install -d -o nfstreamd -g nfstreamd -m 0750 {}", spool.path)});
        if (spool.folder.all_octets > 0 &&
            (spool.folder.free_octets < spool.folder.all_octets / 20 || spool.folder.free_octets < spool.max_octets))
            findings.push_back(
                {kWarning, "spool", spool.path,
                 fmt::format("its file system has {} left, the spool of {} may take {}",
                             mebibytes(spool.folder.free_octets), spool.exporter, mebibytes(spool.max_octets)),
                 fmt::format("make room, or lower `spool.max_size` ({})", spool.where)});
    }
    if (!facts.daemon.running) return;
    for (const auto& [key, exporter] : facts.daemon.status.get_child("exporters")) {
        const auto lost = sum(exporter.get_child("dropped"));
        const auto why = text(exporter, "last_error");
        if (!exporter.get<bool>("up") && !why.empty())
            findings.push_back({kError, "exporter", text(exporter, "name"), fmt::format("is down: {}", why),
                                "see the collector; records wait in `spool.directory` if it is set"});
        if (lost > 0) {
            std::string causes;
            for (const auto& [cause, count] : exporter.get_child("dropped"))
                if (count.get_value<std::uint64_t>() > 0) causes += fmt::format(" {} {}", cause, count.data());
            findings.push_back({kError, "lost-records", text(exporter, "name"),
                                fmt::format("{} records were lost:{}", lost, causes),
                                "set `spool.directory`, so that they wait for the collector; raise `queue_records` for "
                                "queue_full"});
        }
    }
}

// ---- host ----

void look_at_host(const HostFacts& facts, Findings& findings) {
    if (!facts.clock.synchronised)
        findings.push_back({kWarning, "clock", "this host",
                            "its clock is not synchronised: flow times cannot be compared",
                            "timedatectl set-ntp true (or install chrony)"});
    if (facts.clock.jump > kJump)
        findings.push_back(
            {kWarning, "clock", "this host",
             fmt::format("its clock jumped by {} ms while we looked",
                         std::chrono::duration_cast<std::chrono::milliseconds>(facts.clock.jump).count()),
             "let one program alone set it: `systemctl status chrony systemd-timesyncd ntp`"});
    if (facts.daemon.open_files && *facts.daemon.open_files < kFewFiles)
        findings.push_back({kWarning, "limits", fmt::format("process {}", facts.daemon.pid),
                            fmt::format("may have {} open files", *facts.daemon.open_files),
                            "LimitNOFILE=65536 in its unit"});
    for (const auto& [key, capture] : captured(facts))
        if (capture->options.socket_buffer_size > 0 && capture->options.socket_buffer_size < kSmallRing)
            findings.push_back({kNote, "ring-size", key,
                                fmt::format("its ring has {}: a burst at 1 Gbit/s fills it in {} ms",
                                            mebibytes(capture->options.socket_buffer_size),
                                            capture->options.socket_buffer_size * 8 / 1'000'000),
                                fmt::format("set `socket_buffer_size: 64MiB` at {}", capture->where)});
    for (const Destination& one : facts.destinations)
        if (one.local_datagrams && facts.receive_buffer_max > 0 && facts.receive_buffer_max < kSmallReceiveBuffer)
            findings.push_back({kNote, "receive-buffer", fmt::format("{} {}", one.exporter, one.text),
                                fmt::format("a collector on this host may have a receive buffer of {} octets only, and "
                                            "loses what comes in a burst",
                                            facts.receive_buffer_max),
                                "sysctl -w net.core.rmem_max=67108864, and have the collector ask for it"});
    // the rings are not the control group's, the flow caches are
    std::uint64_t caches = 0, rings = 0;
    if (facts.daemon.running) {
        for (const auto& [key, interface] : facts.daemon.status.get_child("interfaces"))
            caches += number(interface, "max_flows") * number(interface, "flow_octets");
    } else if (facts.loaded.config) {
        for (const auto& plan : daemon::capture_plans(*facts.loaded.config))
            if (!plan.offline()) caches += expected_flow_memory(facts.loaded.config->metering);
    }
    for (const auto& [name, capture] : captured(facts))
        rings += capture->options.socket_buffer_size > 0 ? capture->options.socket_buffer_size : kDefaultRing;
    const auto limit = std::min(facts.memory, facts.daemon.memory.value_or(facts.memory));
    if (limit > 0 && caches > limit - limit / 4)
        findings.push_back({kError, "memory", "flow cache",
                            fmt::format("with `max_flows` flows it takes {} of {}: the system would end the daemon",
                                        mebibytes(caches), mebibytes(limit)),
                            fmt::format("lower `metering.max_flows` to a {}th of it, or `n_meters`",
                                        std::max<std::uint64_t>(2, (caches * 2 + limit - 1) / limit))});
    if (facts.memory > 0 && rings > facts.memory / 2)
        findings.push_back({kWarning, "memory", "capture rings",
                            fmt::format("they take {} of {}", mebibytes(rings), mebibytes(facts.memory)),
                            "lower `socket_buffer_size`"});
}

std::string_view name_of(Severity severity) {
    return severity == kError ? "error" : severity == kWarning ? "warning" : "note";
}

}  // namespace

std::vector<Finding> examine(const HostFacts& facts) {
    Findings findings;
    look_at_configuration(facts, findings);
    look_at_permission(facts, findings);
    look_at_links(facts, findings);
    look_at_duplicates(facts, findings);
    look_at_drops(facts, findings);
    look_at_export(facts, findings);
    look_at_host(facts, findings);
    std::stable_sort(findings.begin(), findings.end(),
                     [](const Finding& a, const Finding& b) { return a.severity < b.severity; });
    return findings;
}

std::string findings_text(const std::vector<Finding>& findings, const HostFacts& facts) {
    std::string out =
        facts.daemon.running
            ? fmt::format("nfstreamd {} answers at {}\n", text(facts.daemon.status, "version"), facts.socket)
            : fmt::format("no nfstreamd answers at {}: looked at {} and this host alone\n", facts.socket,
                          facts.config_file);
    for (const Finding& finding : findings)
        out += fmt::format("\n{}: {}: {}\n    fix: {}\n", name_of(finding.severity), printable(finding.where),
                           printable(finding.what), printable(finding.fix));
    if (findings.empty()) return out + "nothing found\n";
    return out + fmt::format("\n{} found\n", findings.size());
}

std::string findings_json(const std::vector<Finding>& findings, const HostFacts& facts) {
    daemon::JsonWriter json;
    json.begin_object();
    json.member("daemon_answers", facts.daemon.running);
    json.member("config", facts.config_file);
    json.key("findings").begin_array();
    for (const Finding& finding : findings) {
        json.begin_object();
        json.member("severity", name_of(finding.severity));
        json.member("check", finding.check);
        json.member("where", finding.where);
        json.member("what", finding.what);
        json.member("fix", finding.fix);
        json.end_object();
    }
    json.end_array();
    json.end_object();
    return json.text() + "\n";
}

}  // namespace nfstreamd::ctl
