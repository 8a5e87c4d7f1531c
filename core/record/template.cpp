// SPDX-License-Identifier: Apache-2.0
#include "core/record/template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/record/accounted_elements.hpp"
#include "core/record/schemas.hpp"

namespace nfstreamd {
namespace {

struct GroupRow {
    IeGroup group;
    std::string_view name, switched_on_by;
};
constexpr std::array kGroups{
    GroupRow{IeGroup::kCore, "core", ""},
    GroupRow{IeGroup::kTunnel, "tunnel", "metering.decode_tunnels: true"},
    GroupRow{IeGroup::kStatistics, "statistics", "metering.statistical_analysis: true"},
    GroupRow{IeGroup::kSplt, "splt", "metering.splt_analysis above 0"},
    GroupRow{IeGroup::kApplication, "application", "metering.n_dissections above 0"},
    GroupRow{IeGroup::kSystem, "system", "metering.system_visibility_mode: 1"},
    GroupRow{IeGroup::kDetails, "details", "metering.n_dissections above 0"},
    GroupRow{IeGroup::kMoments, "moments", "metering.statistical_analysis: true"},
    GroupRow{IeGroup::kBase, "base", ""},
    GroupRow{IeGroup::kEncapsulation, "encapsulation", "metering.decode_tunnels: true"},
    GroupRow{IeGroup::kL7Details, "l7_details", "metering.l7_details: true"},
    GroupRow{IeGroup::kTcpQuality, "tcp_quality", "metering.tcp_quality: true"},
    GroupRow{IeGroup::kEnrichment, "enrichment", "enrichment.asn, country, networks or mac_vendors"},
    GroupRow{IeGroup::kDeclared, "plugins", "plugins that declare fields"},
};
constexpr std::array<std::string_view, 18> kTypeNames{"unsigned8",
                                                      "unsigned16",
                                                      "unsigned32",
                                                      "unsigned64",
                                                      "signed32",
                                                      "float64",
                                                      "boolean",
                                                      "macAddress",
                                                      "ipAddress",
                                                      "dateTimeMilliseconds",
                                                      "string",
                                                      "octetArray",
                                                      "signed64",
                                                      "any",
                                                      "list of signed8",
                                                      "list of unsigned16",
                                                      "list of dateTimeMilliseconds",
                                                      "list of signed32"};

const GroupRow& row(IeGroup group) {
    return kGroups[static_cast<std::size_t>(group)];
}

int ipfix_rank(const InformationElement& field) {
    if (is_flow_key(field)) return 0;
    if (is_list(field.type)) return 4;
    if (field.type == IeType::kString || field.type == IeType::kAny) return 3;
    if (field.type == IeType::kOctetArray && field.wire_length == 0) return 3;
    return field.side == IeSide::kReverse ? 1 : 2;
}

std::string element_text(const IeId& ie) {
    if (ie.id == 0) return "";
    if (ie.pen == 0) return fmt::format("{}", ie.id);
    if (ie.pen == kOurPen) return fmt::format("own/{}", ie.id);
    return fmt::format("{}/{}", ie.pen, ie.id);
}

std::string elements_text(const InformationElement& field) {
    const std::string v4 = element_text(field.ie), v6 = element_text(field.ie_v6);
    if (is_derived(field)) return "derived";
    if (is_list(field.type)) return "291 of " + v4;
    if (v4.empty()) return v6;
    return v6.empty() ? v4 : v4 + ", " + v6;
}

const GroupRow* find_group(std::string_view name) {
    const auto found = std::find_if(kGroups.begin(), kGroups.end(), [&](const auto& g) { return g.name == name; });
    return found == kGroups.end() ? nullptr : &*found;
}

std::string accounted_markdown() {
    std::string out = "| column | mode 0 | mode 1, IPv4 | mode 3 | mode 1, IPv6; mode 2 |\n|---|---|---|---|---|\n";
    for (const AccountedElements& row : accounted_elements()) {
        out += fmt::format("| {} |", row.column);
        for (const NamedElement& element : row.by_kind)
            out += element.ie.id == 0 ? fmt::format(" as {}ip_bytes |", row.column.substr(0, 8))
                                      : fmt::format(" {} ({}) |", element.name, element_text(element.ie));
        out += '\n';
    }
    return out;
}

// A schema may name its columns as the table does: a column counts once.
auto has_column(std::string_view column) {
    return [column](const InformationElement* field) { return field->column == column; };
}

// Of the table, then those that were declared.
FieldSelection all_fields(const FieldGroups& groups) {
    FieldSelection out;
    for (const auto& field : builtin_elements()) out.push_back(&field);
    out.insert(out.end(), groups.declared.begin(), groups.declared.end());
    return out;
}

Error not_filled(std::string_view name, const GroupRow& group) {
    return {ErrorCode::kInvalidArgument, fmt::format("\"{}\" needs {}", name, group.switched_on_by), ""};
}

Result<FieldSelection> fields_named(std::string_view name, const FieldSelection& defaults, const FieldGroups& groups) {
    if (name == "default") return defaults;
    FieldSelection found;
    const auto in_default = std::find_if(defaults.begin(), defaults.end(), has_column(name));
    if (const GroupRow* group = find_group(name)) {
        if (!groups.has(group->group)) return not_filled(name, *group);
        found = all_fields(groups);
        std::erase_if(found, [group](const InformationElement* field) { return field->group != group->group; });
    } else if (in_default != defaults.end()) {
        found.push_back(*in_default);
    } else if (const InformationElement* field = find_field(name, groups)) {
        found.push_back(field);
    } else {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("there is no field or group \"{}\"; nfstreamd --list-fields names them", name), ""};
    }
    if (!groups.has(found.front()->group)) return not_filled(name, row(found.front()->group));
    return found;
}

}  // namespace

bool FieldGroups::has(IeGroup group) const {
    switch (group) {
        case IeGroup::kTunnel:
        case IeGroup::kEncapsulation:
            return tunnel;
        case IeGroup::kStatistics:
        case IeGroup::kMoments:
            return statistics;
        case IeGroup::kSplt:
            return splt;
        case IeGroup::kApplication:
        case IeGroup::kDetails:
            return application;
        case IeGroup::kSystem:
            return system;
        case IeGroup::kL7Details:
            return l7_details;
        case IeGroup::kTcpQuality:
            return tcp_quality;
        case IeGroup::kEnrichment:
            return enrichment;
        case IeGroup::kDeclared:
            return !declared.empty();
        case IeGroup::kCore:
        case IeGroup::kBase:
            return true;
    }
    return false;
}

bool is_flow_key(const InformationElement& field) {
    static constexpr std::array<std::string_view, 8> kKeys{"src_ip",   "dst_ip",     "src_port", "dst_port",
                                                           "protocol", "ip_version", "vlan_id",  "tunnel_id"};
    return std::find(kKeys.begin(), kKeys.end(), field.column) != kKeys.end();
}

const InformationElement* find_field(std::string_view name) {
    for (const auto& field : builtin_elements())
        if (field.column == name) return &field;
    for (const auto& field : builtin_elements())
        if (!field.name.empty() && field.name == name) return &field;
    return nullptr;
}

const InformationElement* find_field(std::string_view name, const FieldGroups& groups) {
    if (const InformationElement* field = find_field(name)) return field;
    for (const InformationElement* field : groups.declared)
        if (field->column == name || (!name.empty() && field->name == name)) return field;
    return nullptr;
}

// What was declared is in front of the system's columns.
FieldSelection nfstream_fields(const FieldGroups& groups) {
    FieldSelection out, system;
    for (const auto& field : builtin_elements())
        if (field.group <= IeGroup::kSystem && groups.has(field.group))
            (field.group == IeGroup::kSystem ? system : out).push_back(&field);
    out.insert(out.end(), groups.declared.begin(), groups.declared.end());
    out.insert(out.end(), system.begin(), system.end());
    return out;
}

IeId ipfix_element(const InformationElement& field, int ip_version, const FieldGroups& groups, std::uint32_t pen) {
    IeId ie = ip_version == 6 && field.ie_v6.id != 0 ? field.ie_v6 : field.ie;
    if (const auto* by_mode = find_accounted(field.column))
        ie = by_mode->of(accounted(groups.accounting_mode, ip_version)).ie;
    if (ie.id == 0) return {};
    if (ie.pen == kOurPen) {
        if (pen == 0) return {};
        ie.pen = pen;
    }
    return ie;
}

std::string_view ipfix_name(const InformationElement& field, const IeId& element) {
    if (const auto* by_mode = find_accounted(field.column))
        for (const NamedElement& named : by_mode->by_kind)
            if (named.ie.id == element.id) return named.name;
    return field.name;
}

bool is_derived(const InformationElement& field) {
    return field.ie.id == 0 && field.ie_v6.id == 0 && field.group <= IeGroup::kSystem;
}

FieldSelection ipfix_fields(const FieldGroups& groups, std::uint32_t pen) {
    FieldSelection out;
    for (const InformationElement* field : all_fields(groups)) {
        if (!groups.has(field->group)) continue;
        if (field->group == IeGroup::kEncapsulation) continue;  // few flows have it, all would pay
        if (ipfix_element(*field, 4, groups, pen).id != 0 || ipfix_element(*field, 6, groups, pen).id != 0)
            out.push_back(field);
    }
    std::stable_sort(out.begin(), out.end(), [](const InformationElement* a, const InformationElement* b) {
        return ipfix_rank(*a) < ipfix_rank(*b);
    });
    return out;
}

Result<FieldSelection> select_fields(const std::vector<std::string>& selection, const FieldSelection& defaults,
                                     const FieldGroups& groups) {
    if (selection.empty()) return defaults;
    FieldSelection out;
    const bool only_removals =
        std::all_of(selection.begin(), selection.end(), [](const auto& s) { return s.starts_with('-'); });
    if (only_removals) out = defaults;
    for (const std::string& item : selection) {
        const bool remove = item.starts_with('-');
        auto named = fields_named(std::string_view(item).substr(remove ? 1 : 0), defaults, groups);
        if (!named) return named.error();
        if (const GroupRow* group = find_group(item.substr(remove ? 1 : 0)); remove && group != nullptr)
            std::erase_if(out, [group](const InformationElement* field) { return field->group == group->group; });
        for (const InformationElement* field : named.value()) {
            const auto at = std::find_if(out.begin(), out.end(), has_column(field->column));
            if (remove && at != out.end()) out.erase(at);
            if (!remove && at == out.end()) out.push_back(field);
        }
    }
    if (out.empty()) return Error{ErrorCode::kInvalidArgument, "no field is left", ""};
    return out;
}

std::string fields_text(const FieldSelection& declared) {
    std::string out =
        fmt::format("{:<30} {:<12} {:<36} {:<14} {}\n", "column", "group", "element", "id", "description");
    FieldGroups groups;
    groups.declared = declared;
    for (const InformationElement* field : all_fields(groups))
        out += fmt::format("{:<30} {:<12} {:<36} {:<14} {}\n", field->column, row(field->group).name, field->name,
                           elements_text(*field), field->description);
    return out;
}

std::string fields_markdown() {
    std::string out =
        "# Fields\n\n"
        "Generated from core/record/information_elements.cpp; do not edit.\n\n"
        "`column` is the CSV header and JSON key, `element` the IPFIX information element with its number (PEN/number "
        "where it is not IANA's; 29305 is the reverse of RFC 5103; `own` stands for `private_enterprise_number`, and "
        "such elements are left out of IPFIX without one; a second number is the IPv6 form; `291 of` an element is a "
        "basicList of such elements; what is derived is not in IPFIX, as `nfstreamctl collect` computes it of what "
        "is). "
        "The element of some fields goes by what accounting_mode counts:\n\n" +
        accounted_markdown();
    for (const auto& group : kGroups) {
        if (group.group == IeGroup::kDeclared) continue;
        out += fmt::format("\n## {}\n\n", group.name);
        if (!group.switched_on_by.empty()) out += fmt::format("Filled with `{}`.\n\n", group.switched_on_by);
        out += "| column | element | id | type | units | description |\n|---|---|---|---|---|---|\n";
        for (const auto& field : builtin_elements()) {
            if (field.group != group.group) continue;
            out += fmt::format("| {} | {} | {} | {} | {} | {} |\n", field.column, field.name, elements_text(field),
                               kTypeNames[static_cast<std::size_t>(field.type)], field.units, field.description);
        }
    }
    return out + schemas_markdown();
}

}  // namespace nfstreamd
