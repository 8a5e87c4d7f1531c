// SPDX-License-Identifier: Apache-2.0
#include "core/record/schemas.hpp"

#include <fmt/format.h>

#include <cassert>
#include <string>
#include <vector>

#include "core/record/declared_fields.hpp"
#include "core/record/flow_record.hpp"

namespace nfstreamd {
namespace {

// A column of an older generation: the row it renames, and what is different in it.
struct Alias {
    std::string_view column, row;
    FieldValue (*value)(const FlowRecord&) = nullptr;  // null: the row's own
    std::string_view description = {};                 // "": the row's own
};

FieldValue number_of(const IpAddress& address) {
    std::uint64_t words[2] = {};
    for (std::size_t i = 0; i < 16; ++i) words[i / 8] = words[i / 8] << 8 | address.bytes[i];
    if (address.version == 6) return Unsigned128{words[0], words[1]};
    return words[0] >> 32;
}

FieldValue master_protocol(const FlowRecord& r) {
    if (r.application == nullptr) return {};
    return std::uint64_t{r.application->master_protocol};
}

FieldValue app_protocol(const FlowRecord& r) {
    if (r.application == nullptr) return {};
    return std::uint64_t{r.application->app_protocol};
}

FieldValue client_info(const FlowRecord& r) {
    if (r.application == nullptr) return {};
    const ApplicationDetails* details = r.application->details;
    switch (r.application->family) {
        case ApplicationFamily::kTls:
            return r.application->requested_server_name;
        case ApplicationFamily::kHttp:
            return details != nullptr ? details->detected_os : std::string_view{};
        case ApplicationFamily::kSsh:
            return details != nullptr ? details->ssh_client_version : std::string_view{};
        case ApplicationFamily::kDns:
        case ApplicationFamily::kDhcp:
        case ApplicationFamily::kOther:
            break;
    }
    return std::string_view{};
}

// As far as nfstream 3's documentation prints them: whole names in 64 octets, a NUL included.
std::string_view whole_names(std::string_view names) {
    constexpr std::size_t kMost = 63;
    if (names.size() <= kMost) return names;
    const auto comma = names.rfind(',', kMost);
    return names.substr(0, comma == std::string_view::npos ? kMost : comma);
}

FieldValue server_info(const FlowRecord& r) {
    if (r.application == nullptr) return {};
    const ApplicationDetails* details = r.application->details;
    switch (r.application->family) {
        case ApplicationFamily::kHttp:
        case ApplicationFamily::kDns:
            return r.application->requested_server_name;
        case ApplicationFamily::kTls:
            return details != nullptr ? whole_names(details->tls_server_names) : std::string_view{};
        case ApplicationFamily::kSsh:
            return details != nullptr ? details->ssh_server_version : std::string_view{};
        case ApplicationFamily::kDhcp:
        case ApplicationFamily::kOther:
            break;
    }
    return std::string_view{};
}

// nfstream 0.x joined the names of both protocols, whatever they were; nDPI
// leaves one out that is unknown or the same. Good until the thread asks again.
FieldValue both_names(const FlowRecord& r) {
    constexpr std::string_view kUnknown = "Unknown";  // nDPI's name of protocol 0
    if (r.application == nullptr) return {};
    const ApplicationRecord& a = *r.application;
    thread_local std::string text;
    if (a.master_protocol == 0)
        text.assign(kUnknown).append(1, '.').append(a.name);
    else if (a.app_protocol == 0)
        text.assign(a.name).append(1, '.').append(kUnknown);
    else if (a.master_protocol == a.app_protocol)
        text.assign(a.name).append(1, '.').append(a.name);
    else
        return a.name;
    return std::string_view(text);
}

constexpr Alias kNfstream3[] = {
    {"id", "id", [](const FlowRecord& r) -> FieldValue { return r.creation_id; },
     "Number of the flow in the order of creation, from 0; kept by what goes on after an active timeout."},
    {"first_seen", "bidirectional_first_seen_ms"},
    {"last_seen", "bidirectional_last_seen_ms"},
    {"version", "ip_version"},
    {"src_port", "src_port"},
    {"dst_port", "dst_port"},
    {"protocol", "protocol"},
    {"vlan_id", "vlan_id"},
    {"src_ip", "src_ip"},
    {"dst_ip", "dst_ip"},
    {"ip_src", "src_ip", [](const FlowRecord& r) { return number_of(r.source_address); }, "src_ip as a number."},
    {"ip_dst", "dst_ip", [](const FlowRecord& r) { return number_of(r.destination_address); }, "dst_ip as a number."},
    {"total_packets", "bidirectional_packets"},
    {"total_bytes", "bidirectional_bytes"},
    {"duration", "bidirectional_duration_ms"},
    {"src2dst_packets", "src2dst_packets"},
    {"src2dst_bytes", "src2dst_bytes"},
    {"dst2src_packets", "dst2src_packets"},
    {"dst2src_bytes", "dst2src_bytes"},
    {"expiration_id", "expiration_id",
     [](const FlowRecord& r) -> FieldValue {
         return std::int64_t{r.end_reason == EndReason::kPlugin ? r.custom_expiration : row(r.end_reason).nfstream3};
     }},
    {"master_protocol", "application_name", master_protocol,
     "nDPI's number of the master protocol, 0 without one; not the same in all versions of nDPI."},
    {"app_protocol", "application_name", app_protocol,
     "nDPI's number of the application protocol, 0 when unknown; not the same in all versions of nDPI."},
    {"application_name", "application_name"},
    {"category_name", "application_category_name"},
    {"client_info", "requested_server_name", client_info,
     "Of the client: requested server name of TLS, operating system of HTTP, version of SSH."},
    {"server_info", "requested_server_name", server_info,
     "Of the server: host name of HTTP and DNS, names in the certificate of TLS (whole ones, 63 characters at most), "
     "version of SSH."},
    {"j3a_client", "ja3_client"},
    {"j3a_server", "ja3_server"},
};

constexpr Alias kNfstream0[] = {
    {"ip_src", "src_ip"},
    {"src_port", "src_port"},
    {"ip_dst", "dst_ip"},
    {"dst_port", "dst_port"},
    {"ip_protocol", "protocol"},
    {"src_to_dst_pkts", "src2dst_packets"},
    {"dst_to_src_pkts", "dst2src_packets"},
    {"src_to_dst_bytes", "src2dst_bytes"},
    {"dst_to_src_bytes", "dst2src_bytes"},
    {"application_name", "application_name", both_names,
     "nDPI's names of the master and the application protocol, always both: MASTER.APP."},
    {"category_name", "application_category_name"},
    {"start_time", "bidirectional_first_seen_ms"},
    {"end_time", "bidirectional_last_seen_ms"},
    {"export_reason", "expiration_id",
     [](const FlowRecord& r) -> FieldValue { return std::int64_t{row(r.end_reason).nfstream0}; },
     "Why the flow was exported: 0 inactive, 1 active, 2 end of input or of the process."},
};

std::vector<InformationElement> rows_of(std::span<const Alias> aliases) {
    std::vector<InformationElement> rows;
    for (const Alias& alias : aliases) {
        const InformationElement* source = find_field(alias.row);
        assert(source != nullptr && "an alias of a row that there is not");
        InformationElement& made = rows.emplace_back(*source);
        made.column = alias.column;
        if (alias.value != nullptr) made.value = alias.value;
        if (!alias.description.empty()) made.description = alias.description;
    }
    return rows;
}

std::span<const InformationElement> columns_of(Generation schema) {
    static const std::vector<InformationElement> kOf3 = rows_of(kNfstream3), kOf0 = rows_of(kNfstream0);
    switch (schema) {
        case Generation::kNfstream3:
            return kOf3;
        case Generation::kNfstream0:
            return kOf0;
        case Generation::kNfstream6:
            break;
    }
    return {};
}

// A plugin's values were attributes of the flow itself.
std::string_view plugin_attribute(std::string_view column) {
    constexpr std::string_view kPrefix = "udps.";
    return column.starts_with(kPrefix) ? column.substr(kPrefix.size()) : column;
}

std::span<const Alias> aliases_of(Generation schema) {
    if (schema == Generation::kNfstream3) return kNfstream3;
    return kNfstream0;
}

}  // namespace

FieldSelection schema_fields(Generation schema, const FieldGroups& groups) {
    if (schema == Generation::kNfstream6) return nfstream_fields(groups);
    FieldSelection out;
    for (const InformationElement& column : columns_of(schema))
        if (groups.has(column.group)) out.push_back(&column);
    for (const InformationElement* field : groups.declared)
        out.push_back(renamed_field(*field, plugin_attribute(field->column)));
    return out;
}

std::string schemas_markdown() {
    std::string out;
    for (const Generation schema : {Generation::kNfstream3, Generation::kNfstream0}) {
        out += fmt::format(
            "\n## Schema {0}\n\nThe columns of CSV and JSON with `schema: {0}`, in this order. Any other field can be "
            "added by `fields:`.\n\n| column | made of | description |\n|---|---|---|\n",
            name(schema));
        const auto columns = columns_of(schema);
        for (std::size_t i = 0; i < columns.size(); ++i)
            out +=
                fmt::format("| {} | {} | {} |\n", columns[i].column, aliases_of(schema)[i].row, columns[i].description);
    }
    return out;
}

}  // namespace nfstreamd
