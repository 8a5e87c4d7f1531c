// SPDX-License-Identifier: Apache-2.0
#include "config/check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <utility>

#include "config/generations.hpp"
#include "config/merge.hpp"
#include "config/spelling.hpp"
#include "config/tables.hpp"
#include "config/value.hpp"
#include "config/yaml_reader.hpp"

namespace nfstreamd::config {
namespace {

constexpr std::array<std::string_view, 2> kExporterKeys = {"name", "type"};

std::string joined(const std::string& path, std::string_view key) {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

const SettingSpec* find_spec(std::span<const SettingSpec> table, std::string_view name) {
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const SettingSpec& spec) { return spec.name == name; });
    return found == table.end() ? nullptr : &*found;
}

SettingValue default_of(const SettingSpec& spec) {
    if (spec.default_value.empty()) {
        switch (spec.type) {
            case SettingType::kString:
            case SettingType::kChoice:
            case SettingType::kSecret:
            case SettingType::kTree:
                return std::string();
            case SettingType::kStringList:
                return std::vector<std::string>();
            default:
                return std::monostate{};
        }
    }
    Problems problems;
    const Node node = read_yaml_value(spec.default_value, std::make_shared<Source>(), problems);
    auto value = parse_value(spec, node);
    assert(problems.empty() && value && "a default that its own table refuses");
    return value ? std::move(value.value()) : SettingValue();
}

// Also a list that has a broken value in it.
bool is_broken(const Node& node) {
    return node.kind == Node::Kind::kBroken || std::any_of(node.items.begin(), node.items.end(), is_broken);
}

void report_unknown(const Member& member, const std::string& path, std::string_view prefix,
                    std::span<const SettingSpec> table, std::span<const std::string_view> others, Problems& problems) {
    std::vector<std::string_view> known(others.begin(), others.end());
    for (const SettingSpec& spec : table) {
        if (!spec.name.starts_with(prefix)) continue;
        const std::string_view rest = spec.name.substr(prefix.size());
        const std::string_view key = rest.substr(0, rest.find('.'));
        if (std::find(known.begin(), known.end(), key) == known.end()) known.push_back(key);
    }
    problems.add(member.place, joined(path, member.key), "unknown key" + suggestion(member.key, known));
}

// A key of another generation of nfstream: what it is called in this one; else "".
std::string_view name_here(std::string_view name, std::span<const SettingSpec> table) {
    const std::string_view here = name_elsewhere(name);
    return find_spec(table, here.substr(0, here.find(' '))) ? here : "";
}

bool has_settings_below(std::span<const SettingSpec> table, std::string_view name) {
    return std::any_of(table.begin(), table.end(), [&](const SettingSpec& spec) {
        return spec.name.size() > name.size() && spec.name.starts_with(name) && spec.name[name.size()] == '.';
    });
}

// The members of a map; `prefix` is "timeouts." in the map of that key.
void check_members(const Node& map, const std::string& path, const std::string& prefix,
                   std::span<const SettingSpec> table, std::span<const std::string_view> others, Settings& settings,
                   Problems& problems) {
    for (const Member& member : map.members) {
        const std::string name = prefix + member.key;
        const Node& value = member.value;
        const SettingSpec* spec = member.key.find('.') == std::string::npos ? find_spec(table, name) : nullptr;
        if (!spec && has_settings_below(table, name)) {
            if (value.is_map())
                check_members(value, joined(path, member.key), name + ".", table, {}, settings, problems);
            else if (value.kind != Node::Kind::kNull && value.kind != Node::Kind::kBroken)
                problems.add(value.place, joined(path, member.key),
                             fmt::format("must be a map, not {}", value.kind_text()));
            continue;
        }
        if (!spec) {
            const bool is_other = std::find(others.begin(), others.end(), member.key) != others.end();
            if (const auto here = name_here(name, table); !here.empty())
                problems.add(member.place, joined(path, member.key),
                             fmt::format("is a key of another generation of nfstream, with this "
                                         "metering.compatibility use {}",
                                         here));
            else if (!is_other)
                report_unknown(member, path, prefix, table, others, problems);
            continue;
        }
        if (value.kind == Node::Kind::kNull) continue;
        const std::string where = value.place.text();
        settings.set(name, default_of(*spec), where, true);
        if (is_broken(value)) continue;
        auto parsed = parse_value(*spec, value);
        if (parsed) {
            settings.set(name, std::move(parsed.value()), where, true);
        } else {
            problems.add(value.place, joined(path, member.key), parsed.error().message);
        }
    }
}

void report_unknown_type(const Node& type, const std::string& path, std::span<const ExporterSchema> schemas,
                         Problems& problems) {
    std::vector<std::string_view> known;
    for (const ExporterSchema& schema : schemas) known.push_back(schema.type);
    std::sort(known.begin(), known.end());
    std::string types;
    for (const std::string_view name : known) types += fmt::format("{}{}", types.empty() ? "" : ", ", name);
    problems.add(type.place, path + ".type", fmt::format("unknown type \"{}\"; known: {}", type.scalar, types));
}

Node block_of(const Node& root, std::string_view key) {
    const Node* block = root.find(key);
    return block ? *block : map_node(Place{});
}

// Exactly one of the two, and an interface once in all entries.
void check_capture_source(const Node& entry, const std::string& path, std::map<std::string, std::string>& seen,
                          Problems& problems) {
    const auto given = [&](const char* key) {
        const Node* node = entry.find(key);
        return node && node->kind != Node::Kind::kNull ? node : nullptr;
    };
    const auto is_empty = [](const Node* node) {
        return node && (node->is_list() ? node->items.empty() : node->is_scalar() && node->scalar.empty());
    };
    const Node* interface = given("interface");
    const Node* pcap = given("pcap");
    if (interface && pcap) {
        const bool later =
            std::pair(interface->place.line, interface->place.column) > std::pair(pcap->place.line, pcap->place.column);
        problems.add((later ? interface : pcap)->place, path, "has both interface and pcap; give one of them");
    }
    if (!interface && !pcap) problems.add_missing(entry.place, path, "needs interface or pcap");
    if (is_empty(interface)) problems.add(interface->place, path + ".interface", "must not be empty");
    if (is_empty(pcap)) problems.add(pcap->place, path + ".pcap", "must not be empty");
    if (!interface) return;
    std::vector<const Node*> names;
    if (interface->is_scalar()) names.push_back(interface);
    for (const Node& item : interface->items) names.push_back(&item);
    for (const Node* name : names) {
        if (!name->is_scalar() || name->scalar.empty()) continue;
        const auto [former, is_new] = seen.try_emplace(name->scalar, name->place.text());
        if (is_new) continue;
        problems.add(name->place, path + ".interface",
                     fmt::format("{} is captured already, by {}", name->scalar, former->second));
    }
}

void check_captures(const Node& root, Checked& checked, Problems& problems) {
    const Node* list = root.find("capture");
    if (!list) return;
    std::map<std::string, std::string> seen;
    for (std::size_t i = 0; i < list->items.size(); ++i) {
        const Node& entry = list->items[i];
        const std::string path = fmt::format("capture[{}]", i);
        const auto table = settings_of(capture_settings(), checked.generation);
        checked.capture.push_back(CheckedCapture{check_table(entry, path, table, {}, problems), entry.place.text()});
        check_capture_source(entry, path, seen, problems);
    }
}

// --set names an exporter by a word between dots, log lines by name=.
bool is_name(std::string_view text) {
    constexpr std::size_t kLongestName = 64;
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    return !text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), fits);
}

bool check_name(const Node& entry, const std::string& path, std::map<std::string, std::string>& seen,
                Problems& problems) {
    const Node* given = entry.find("name");
    if (given && given->kind == Node::Kind::kBroken) return false;
    const bool is_default = !given || given->kind == Node::Kind::kNull;
    if (!is_default && (!given->is_scalar() || !is_name(given->scalar))) {
        problems.add(given->place, path + ".name", "must be 1 to 64 letters, digits, - or _");
        return false;
    }
    const std::string name = exporter_name(entry);
    if (name.empty()) return false;
    const Place& place = is_default ? entry.place : given->place;
    const auto [former, is_new] = seen.try_emplace(name, place.text());
    if (is_new) return true;
    problems.add(place, path + ".name",
                 fmt::format("{}{} is the name of another exporter, at {}", name,
                             is_default ? ", the default because of the type," : "", former->second));
    return false;
}

const ExporterSchema* check_type(const Node& entry, const std::string& path, std::span<const ExporterSchema> schemas,
                                 Problems& problems) {
    const Node* type = entry.find("type");
    if (!type || type->kind == Node::Kind::kNull) {
        problems.add_missing(entry.place, path + ".type", "is missing");
        return nullptr;
    }
    if (type->kind == Node::Kind::kBroken) return nullptr;
    if (!type->is_scalar()) {
        problems.add(type->place, path + ".type", fmt::format("must be a string, not {}", type->kind_text()));
        return nullptr;
    }
    for (const ExporterSchema& schema : schemas) {
        if (schema.type == type->scalar) return &schema;
    }
    report_unknown_type(*type, path, schemas, problems);
    return nullptr;
}

void check_exporters(const Node& root, std::span<const ExporterSchema> schemas, Checked& checked, Problems& problems) {
    const Node* list = root.find("exporters");
    if (!list) return;
    std::map<std::string, std::string> seen;
    for (std::size_t i = 0; i < list->items.size(); ++i) {
        const Node& entry = list->items[i];
        const std::string path = fmt::format("exporters[{}]", i);
        check_name(entry, path, seen, problems);
        const ExporterSchema* schema = check_type(entry, path, schemas, problems);
        if (!schema) continue;
        const auto table = settings_of(schema->settings, checked.generation);
        Settings settings = check_table(entry, path, table, kExporterKeys, problems);
        checked.exporters.push_back(
            CheckedExporter{exporter_name(entry), schema, std::move(settings), entry.place.text()});
    }
}

// A list of entries that go by their names, which they must have.
void check_named(const Node& root, const std::string& key, std::string_view one, std::span<const SettingSpec> table,
                 std::vector<CheckedExtension>& checked, Problems& problems) {
    const Node* list = root.find(key);
    if (!list) return;
    std::map<std::string, std::string> seen;
    for (std::size_t i = 0; i < list->items.size(); ++i) {
        const Node& entry = list->items[i];
        const std::string path = fmt::format("{}[{}]", key, i);
        const Node* name = entry.find("name");
        Settings settings = check_table(entry, path, table, {}, problems);
        if (!name || !name->is_scalar()) continue;  // which has been said
        if (!is_name(name->scalar)) {
            problems.add(name->place, path + ".name", "must be 1 to 64 letters, digits, - or _");
            continue;
        }
        const auto [former, is_new] = seen.try_emplace(name->scalar, name->place.text());
        if (!is_new)
            problems.add(name->place, path + ".name",
                         fmt::format("{} is the name of another {}, at {}", name->scalar, one, former->second));
        checked.push_back({name->scalar, std::move(settings), entry.place.text()});
    }
}

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "localhost";
}

// Every table depends on it; what is wrong with it is reported with its table.
Generation generation_of(const Node& root) {
    const Node* metering = root.find("metering");
    const Node* compatibility = metering ? metering->find("compatibility") : nullptr;
    const bool written = compatibility && compatibility->is_scalar();
    return (written ? find_generation(compatibility->scalar) : std::nullopt).value_or(Generation::kNfstream6);
}

void check_top(const Node& root, Checked& checked, Problems& problems) {
    std::vector<std::string_view> others;
    for (const Block& block : blocks()) others.push_back(block.key);
    checked.top = check_table(root, "", top_settings(), others, problems);
    if (!checked.top.given("instance")) {
        checked.top.set("instance", host_name(), "", false);
        return;
    }
    const Node& instance = *root.find("instance");
    if (instance.is_scalar() && instance.scalar.empty()) {
        problems.add(instance.place, "instance", "must not be empty");
    }
}

}  // namespace

Settings check_table(const Node& map, const std::string& path, std::span<const SettingSpec> table,
                     std::span<const std::string_view> others, Problems& problems) {
    Settings settings;
    settings.set_origin(map.place.text());
    for (const SettingSpec& spec : table) settings.set(std::string(spec.name), default_of(spec), "", false);
    check_members(map, path, "", table, others, settings, problems);
    for (const SettingSpec& spec : table) {
        if (!spec.required || settings.given(spec.name)) continue;
        problems.add_missing(map.place, joined(path, spec.name), "is missing; " + requirement(spec));
    }
    return settings;
}

Checked check(const Node& root, std::span<const ExporterSchema> schemas, Problems& problems) {
    Checked checked;
    checked.generation = generation_of(root);
    check_top(root, checked, problems);
    check_captures(root, checked, problems);
    checked.metering = check_table(block_of(root, "metering"), "metering",
                                   settings_of(metering_settings(), checked.generation), {}, problems);
    checked.ndpi = check_table(block_of(root, "ndpi"), "ndpi", ndpi_settings(), {}, problems);
    checked.enrichment = check_table(block_of(root, "enrichment"), "enrichment", enrichment_settings(), {}, problems);
    check_named(root, "plugins", "plugin", plugin_settings(), checked.plugins, problems);
    check_named(root, "models", "model", model_settings(), checked.models, problems);
    check_exporters(root, schemas, checked, problems);
    checked.log = check_table(block_of(root, "log"), "log", log_settings(), {}, problems);
    checked.control = check_table(block_of(root, "control"), "control", control_settings(), {}, problems);
    checked.metrics = check_table(block_of(root, "metrics"), "metrics", metrics_settings(), {}, problems);
    return checked;
}

}  // namespace nfstreamd::config
