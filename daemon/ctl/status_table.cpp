// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/status_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/ctl/answer.hpp"
#include "daemon/ctl/terminal_text.hpp"
#include "daemon/progress.hpp"

namespace nfstreamd::ctl {
namespace {

using Row = std::vector<std::string>;

constexpr std::size_t kTextColumns = 2;  // the first ones are left-aligned

// "not_ip 12, fragment 3": those that are not zero.
std::string counts_text(const Tree& counts) {
    std::string line;
    for (const auto& [name, count] : counts)
        if (const auto value = count.get_value<std::uint64_t>(); value > 0)
            line += fmt::format("{}{} {}", line.empty() ? "" : ", ", name, value);
    return line;
}

// Rows of one cell are remarks on the row above.
std::string table(const std::vector<Row>& rows, std::size_t text_columns) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows)
        for (std::size_t i = 0; row.size() > 1 && i < row.size(); ++i) {
            if (widths.size() <= i) widths.push_back(0);
            widths[i] = std::max(widths[i], row[i].size());
        }
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        if (row.size() == 1)
            line = "    " + row.front();
        else
            for (std::size_t i = 0; i < row.size(); ++i) {
                line += i == 0 ? "" : "  ";
                line += i < text_columns ? fmt::format("{:<{}}", row[i], widths[i])
                                         : fmt::format("{:>{}}", row[i], widths[i]);
            }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

void remark(std::vector<Row>& rows, std::string_view what, const std::string& said) {
    if (!said.empty()) rows.push_back({fmt::format("{}: {}", what, said)});
}

std::string checksums_text(const Tree& metered) {
    const auto bad = number(metered, "bad_checksum"), offloaded = number(metered, "offloaded_checksum");
    return bad + offloaded == 0 ? "" : fmt::format("{} bad, {} left to the interface", bad, offloaded);
}

std::string head(const Tree& status) {
    std::string files;
    for (const auto& [name, file] : status.get_child("files"))
        files += (files.empty() ? "" : " ") + printable(file.data());
    const auto& reload = status.get_child("reload");
    std::string out =
        fmt::format("nfstreamd {}  {}  up {} since {}\n", text(status, "version"), text(status, "instance"),
                    daemon::clock_text(std::chrono::seconds(number(status, "uptime_s"))), text(status, "started"));
    if (!files.empty()) out += fmt::format("configuration  {}\n", files);
    if (const auto result = text(reload, "result"); result != "none")
        out += fmt::format("reloads        {} applied, {} rejected; last {}: {}\n", number(reload, "applied"),
                           number(reload, "rejected"), result, text(reload, "detail"));
    if (const auto violations = number(status, "ledger.violations"); violations > 0)
        out += fmt::format("ledger         {} violations in {} checks: nfstreamctl audit\n", violations,
                           number(status, "ledger.checks"));
    for (const auto& [key, file] : status.get_child("enrichment"))
        out += fmt::format("enrichment     {} from {}: {}{}{}, {} entries\n", text(file, "key"), text(file, "path"),
                           text(file, "type"), text(file, "built").empty() ? "" : " of ", text(file, "built"),
                           number(file, "entries"));
    return out;
}

// "systematic, 1 packet of 10, 900 sampled out": nothing when every packet is metered.
std::string selection_text(const Tree& selection) {
    std::string out;
    if (const auto rate = number(selection, "rate"); rate > 1)
        out = fmt::format("{}, 1 packet of {}, {} sampled out", text(selection, "method"), rate,
                          number(selection, "sampled_out"));
    if (const auto fraction = text(selection, "hash_fraction"); fraction != "1")
        out += fmt::format("{}by hash {} of all packets, {} filtered", out.empty() ? "" : "; ", fraction,
                           number(selection, "hash_filtered"));
    return out;
}

std::string left_out_text(std::uint64_t filtered, std::uint64_t sampled_out) {
    if (filtered == 0 && sampled_out == 0) return "";
    return fmt::format("{} records by filter, {} by sampling", filtered, sampled_out);
}

// Now, and since the start: nothing when it never was.
std::string overload_text(const Tree& overload) {
    if (number(overload, "times") == 0) return "";
    Tree counts;
    for (const char* name : {"flows_not_dissected", "dissections_stopped", "packets_shed"})
        counts.put(name, number(overload, name));
    const auto shed = counts_text(counts);
    return fmt::format("{} now, begun {} times{}{}", text(overload, "shed"), number(overload, "times"),
                       shed.empty() ? "" : ": ", shed);
}

// What putting several interfaces into one order could not do, and did besides.
std::string order_text(const Tree& interface) {
    Tree counts;
    for (const char* name : {"late", "early", "duplicates"}) counts.put(name, number(interface, name));
    return counts_text(counts);
}

// Of an interface, or one of a group.
std::uint64_t dropped(const Tree& capture) {
    return number(capture, "kernel_dropped") + number(capture, "interface_dropped") + number(capture, "unread");
}

std::string dropped_text(const Tree& capture) {
    Tree counts;
    counts.put("by the kernel", number(capture, "kernel_dropped"));
    counts.put("by the interface", number(capture, "interface_dropped"));
    counts.put("unread in a ring that was closed", number(capture, "unread"));
    return counts_text(counts);
}

std::string interfaces(const Tree& status) {
    std::vector<Row> rows{
        {"INTERFACE", "STATE", "FRAMES", "OCTETS", "DROPPED", "IGNORED", "PACKETS", "FLOWS", "RECORDS"}};
    for (const auto& [key, interface] : status.get_child("interfaces")) {
        const auto& ignored = interface.get_child("ignored");
        const auto& records = interface.get_child("records");
        rows.push_back({text(interface, "name"), interface.get<bool>("up") ? "up" : "down", text(interface, "frames"),
                        text(interface, "octets"), std::to_string(dropped(interface)), std::to_string(sum(ignored)),
                        text(interface, "metered.packets"), text(interface, "flows_active"),
                        std::to_string(sum(records))});
        remark(rows, "state", text(interface, "state") == "up" ? "" : text(interface, "state"));
        remark(rows, "capture",
               fmt::format("{}, time stamps {} ({})", text(interface, "link_type"), text(interface, "timestamp_type"),
                           text(interface, "timestamp_precision")));
        for (const auto& [no_key, member] : interface.get_child("members"))
            remark(rows, text(member, "name"),
                   fmt::format("{}, {} frames, {} octets, {} dropped", text(member, "state"), text(member, "frames"),
                               text(member, "octets"), dropped(member)));
        remark(rows, "dropped", dropped_text(interface));
        remark(rows, "selection", selection_text(interface.get_child("selection")));
        remark(rows, "order", order_text(interface));
        remark(rows, "load shed", overload_text(interface.get_child("overload")));
        remark(rows, "ignored", counts_text(ignored));
        remark(rows, "cut by the snapshot length", number(interface, "truncated") ? text(interface, "truncated") : "");
        remark(rows, "checksums", checksums_text(interface.get_child("metered")));
        remark(rows, "metered without their VNI, as too many are in use",
               number(interface, "metered.merged_segments") ? text(interface, "metered.merged_segments") : "");
        remark(rows, "enrichment of addresses", counts_text(interface.get_child("enrichment")));
        remark(rows, "records", counts_text(records));
        remark(
            rows, "flow cache",
            fmt::format("{} of {} flows, {} octets a flow, {} octets in all, {} of them prefaulted, {} in huge pages, "
                        "idle timeout {} s",
                        number(interface, "flows_active"), number(interface, "max_flows"),
                        number(interface, "flow_octets"), number(interface, "table_octets"),
                        number(interface, "prefaulted_octets"), number(interface, "huge_page_octets"),
                        static_cast<double>(number(interface, "idle_timeout_ms")) / 1000));
        remark(rows, "longest pause",
               number(interface, "longest_pause_us") ? text(interface, "longest_pause_us") + " us" : "");
        remark(rows, "steps of the clock", number(interface, "clock_steps") ? text(interface, "clock_steps") : "");
        remark(rows, "discarded after max_nflows", counts_text(interface.get_child("discarded")));
    }
    return table(rows, kTextColumns);
}

// What is there now, and what went through it; nothing where none is configured.
std::string spool_text(const Tree& spool) {
    if (text(spool, "path").empty()) return "";
    std::string out = fmt::format("{} records in {} octets", number(spool, "records"), number(spool, "octets"));
    if (const auto oldest = text(spool, "oldest"); !oldest.empty()) out += fmt::format(", the oldest of {}", oldest);
    Tree counts;
    for (const char* name : {"written", "read", "recovered", "torn_octets", "foreign_segments", "failures"})
        counts.put(name, number(spool, name));
    const auto since_start = counts_text(counts);
    return out + (since_start.empty() ? "" : "; " + since_start) + "; " + text(spool, "path");
}

std::string losses_text(const Tree& losses) {
    if (number(losses, "records") == 0) return "";
    return fmt::format("{} records of {} packets, {} octets, from {} to {}", number(losses, "records"),
                       number(losses, "packets"), number(losses, "octets"), text(losses, "first"),
                       text(losses, "last"));
}

std::string exporters(const Tree& status) {
    std::vector<Row> rows{
        {"EXPORTER", "TYPE", "DESTINATION", "STATE", "RECORDS", "MESSAGES", "OCTETS", "QUEUED", "LOST"}};
    for (const auto& [key, exporter] : status.get_child("exporters")) {
        const auto& dropped = exporter.get_child("dropped");
        rows.push_back({text(exporter, "name"), text(exporter, "type"), text(exporter, "destination"),
                        exporter.get<bool>("up") ? "up" : "down", text(exporter, "records"), text(exporter, "messages"),
                        text(exporter, "octets"), text(exporter, "queue_depth"), std::to_string(sum(dropped))});
        remark(rows, "left out", left_out_text(number(exporter, "filtered"), number(exporter, "sampled_out")));
        remark(rows, "lost", counts_text(dropped));
        remark(rows, "lost before export", losses_text(exporter.get_child("lost_before_export")));
        remark(rows, "spool", spool_text(exporter.get_child("spool")));
        remark(rows, "delivered again", number(exporter, "redelivered") ? text(exporter, "redelivered") : "");
        if (const auto& collectors = exporter.get_child("collectors"); collectors.size() > 1)
            for (const auto& [index, collector] : collectors)
                remark(rows, text(collector, "destination"),
                       fmt::format("{}, {} records, {} lost", collector.get<bool>("up") ? "up" : "down",
                                   text(collector, "records"), text(collector, "dropped")));
        remark(rows, "shortened records", counts_text(exporter.get_child("shortened")));
        remark(rows, "last error", text(exporter, "last_error"));
    }
    return table(rows, 2 * kTextColumns);
}

}  // namespace

Result<std::string> status_table(const std::string& status_json) {
    return with_answer(status_json, [](const Tree& status) {
        return head(status) + "\n" + interfaces(status) + "\n" + exporters(status);
    });
}

Result<std::string> interfaces_table(const std::string& interfaces_json) {
    return with_answer(interfaces_json, interfaces);
}

Result<std::string> exporters_table(const std::string& exporters_json) {
    return with_answer(exporters_json, exporters);
}

}  // namespace nfstreamd::ctl
