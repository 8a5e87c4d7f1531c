// SPDX-License-Identifier: Apache-2.0
#include "config/generations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace nfstreamd::config {
namespace {

// Of keys that not all generations have, or that have another default in one.
struct Row {
    std::string_view key;
    std::string_view elsewhere;                                // its name in the generations that do not have it
    std::array<std::string_view, kGenerations> default_value;  // "": not a key of that generation
};

constexpr Row kRows[] = {
    // key, elsewhere, in nfstream 6, 3 and 0
    {"idle_timeout", "inactive_timeout", {"120s", "30s", ""}},
    {"inactive_timeout", "idle_timeout", {"", "", "60s"}},
    {"active_timeout", "", {"1800s", "300s", "120s"}},
    {"max_flows", "capacity", {"1048576", "1048576", ""}},
    {"capacity", "max_flows", {"", "", "128000"}},
    {"decode_tunnels", "", {"true", "false", "false"}},
    {"n_dissections", "max_tcp_dissections and max_udp_dissections", {"20", "", "20"}},
    {"dissect", "n_dissections", {"", "true", ""}},
    {"max_tcp_dissections", "n_dissections", {"", "10", ""}},
    {"max_udp_dissections", "n_dissections", {"", "16", ""}},
    {"snapshot_length", "snaplen", {"1536", "", "65535"}},
    {"snaplen", "snapshot_length", {"", "65535", ""}},
    {"schema", "", kGenerationNames},
};

const Row* find_row(std::string_view key) {
    const auto found = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& row) { return row.key == key; });
    return found == std::end(kRows) ? nullptr : found;
}

}  // namespace

std::vector<SettingSpec> settings_of(std::span<const SettingSpec> table, Generation generation) {
    std::vector<SettingSpec> out;
    for (const SettingSpec& spec : table) {
        const Row* row = find_row(spec.name);
        const std::string_view value = row ? row->default_value[static_cast<std::size_t>(generation)] : "";
        if (row && value.empty()) continue;
        out.push_back(spec);
        if (row) out.back().default_value = value;
        // of its timeouts, nfstream 3 made 0
        out.back().negative_is_zero =
            generation == Generation::kNfstream3 && (spec.name == "idle_timeout" || spec.name == "active_timeout");
    }
    return out;
}

std::string_view name_elsewhere(std::string_view key) {
    const Row* row = find_row(key);
    return row ? row->elsewhere : "";
}

std::string generations_markdown() {
    std::string out =
        "\nWith `compatibility: nfstream3` or `nfstream0` the parameters are those of that generation of nfstream, "
        "with "
        "its\ndefaults; what is written wins. A key that a generation does not have is an error that names the one it "
        "has.\n\n| key |";
    for (const auto generation : kGenerationNames) out += fmt::format(" {} |", generation);
    out += "\n|---|---|---|---|\n";
    for (const Row& row : kRows) {
        out += fmt::format("| `{}` |", row.key);
        for (const auto value : row.default_value)
            out += value.empty() ? fmt::format(" {} |", row.elsewhere) : fmt::format(" `{}` |", value);
        out += '\n';
    }
    return out;
}

}  // namespace nfstreamd::config
