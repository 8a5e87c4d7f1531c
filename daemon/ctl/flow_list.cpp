// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/flow_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "daemon/ctl/answer.hpp"
#include "daemon/ctl/terminal_text.hpp"

namespace nfstreamd::ctl {
namespace {

using Row = std::vector<std::string>;

std::string protocol_name(std::uint64_t number) {
    switch (number) {
        case 1:
            return "icmp";
        case 6:
            return "tcp";
        case 17:
            return "udp";
        case 58:
            return "icmp6";
        case 132:
            return "sctp";
        default:
            return std::to_string(number);
    }
}

std::string endpoint(const Tree& flow, const char* address, const char* port) {
    const std::string host = text(flow, address);
    const bool is_v6 = host.find(':') != host.npos;
    return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", number(flow, port));
}

// "TLS.Google www.example.org"; of what is not dissected nothing.
std::string application(const Tree& flow) {
    std::string name = flow.get<std::string>("application_name", "");
    if (name == "null") name.clear();
    std::string host = flow.get<std::string>("requested_server_name", "");
    if (host == "null") host.clear();
    return printable(name + (host.empty() ? "" : " " + host));
}

// "udps.slice 3, udps.sizes [60 1500]": what plugins have given it so far.
std::string plugin_values(const Tree& flow) {
    std::string line;
    for (const auto& [name, value] : flow) {
        if (!name.starts_with("udps.") || (value.empty() && value.data() == "null")) continue;
        std::string shown = value.data();
        if (!value.empty()) {
            for (const auto& [no_key, item] : value) shown += (shown.empty() ? "[" : " ") + item.data();
            shown += "]";
        }
        line += fmt::format("{}{} {}", line.empty() ? "" : ", ", name, shown);
    }
    return printable(line);
}

Row row_of(const Tree& flow) {
    const double seconds = static_cast<double>(number(flow, "bidirectional_duration_ms")) / 1000;
    return {protocol_name(number(flow, "protocol")),
            endpoint(flow, "src_ip", "src_port"),
            endpoint(flow, "dst_ip", "dst_port"),
            text(flow, "src2dst_packets"),
            text(flow, "dst2src_packets"),
            text(flow, "src2dst_bytes"),
            text(flow, "dst2src_bytes"),
            fmt::format("{:.3f}", seconds),
            application(flow)};
}

}  // namespace

Result<std::string> flow_list(const std::string& flows_json) {
    return with_answer(flows_json, [](const Tree& answer) {
        const Row head{"PROTO",    "SOURCE",   "DESTINATION", "PKTS >",     "< PKTS",
                       "OCTETS >", "< OCTETS", "SECONDS",     "APPLICATION"};
        std::vector<Row> rows{head};
        std::vector<std::string> below{""};
        for (const auto& [key, flow] : answer.get_child("flows")) {
            rows.push_back(row_of(flow));
            below.push_back(plugin_values(flow));
        }
        std::vector<std::size_t> widths(head.size());
        for (const Row& row : rows)
            for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
        std::string out;
        for (std::size_t number = 0; number < rows.size(); ++number) {
            const Row& row = rows[number];
            std::string line;
            for (std::size_t i = 0; i < row.size(); ++i) {
                const bool is_number = i >= 3 && i + 1 < row.size();
                line +=
                    (i == 0 ? "" : "  ") + (is_number ? right_aligned(row[i], widths[i]) : fitted(row[i], widths[i]));
            }
            line.erase(line.find_last_not_of(' ') + 1);
            out += line + '\n';
            if (!below[number].empty()) out += "    " + below[number] + '\n';
        }
        const auto matching = number(answer, "matching");
        out += fmt::format("{} of {} flows that match, of {} in the flow cache{}\n", rows.size() - 1, matching,
                           number(answer, "looked_at"),
                           answer.get<bool>("complete") ? "" : " so far: not all of it was looked at in time");
        return out;
    });
}

}  // namespace nfstreamd::ctl
