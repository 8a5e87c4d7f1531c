// SPDX-License-Identifier: Apache-2.0
#include "config/generations.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "config/tables.hpp"
#include "tests/unit/config/workspace.hpp"

using namespace nfstreamd;
using namespace nfstreamd::config;
using namespace nfstreamd::config::test;
using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

namespace {

Config loaded(const std::string& text) {
    Loaded result = load_text(text);
    REQUIRE(lines(result) == Strings{});
    return *result.config;
}

std::string effective(const std::string& text) {
    const Loaded result = load_text(text);
    REQUIRE(lines(result) == Strings{});
    return result.effective_yaml;
}

bool has(const std::string& text, std::string_view what) {
    return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("generations: nfstream6 is the default, and its defaults are those of the tables") {
    CHECK(loaded("").metering.compatibility == Generation::kNfstream6);
    for (const auto table : {metering_settings(), capture_settings()})
        for (const SettingSpec& spec : settings_of(table, Generation::kNfstream6)) {
            CAPTURE(spec.name);
            const auto whole =
                std::find_if(table.begin(), table.end(), [&](const auto& s) { return s.name == spec.name; });
            CHECK(whole->default_value == spec.default_value);
        }
}

TEST_CASE("generations: nfstream3 has its parameters and defaults") {
    const Config config = loaded("capture: [{interface: lo}]\nmetering: {compatibility: nfstream3}\n");
    CHECK(config.capture[0].options.snapshot_length == 65535);
    CHECK(config.metering.compatibility == Generation::kNfstream3);
    CHECK(config.metering.idle_timeout == 30s);
    CHECK(config.metering.active_timeout == 300s);
    CHECK(config.metering.decode_tunnels.empty());
    CHECK_FALSE(config.metering.statistical_analysis);
    DissectionLimits limits;
    limits.tcp = 10;
    limits.udp = 16;
    limits.other = 1;
    limits.exact = true;
    CHECK(config.metering.n_dissections == limits);

    const Config set = loaded(
        "capture: [{interface: lo, snaplen: 96}]\n"
        "metering: {compatibility: nfstream3, idle_timeout: 7, active_timeout: 9, decode_tunnels: true,\n"
        "           max_flows: 1k, statistical_analysis: true, max_tcp_dissections: 3, max_udp_dissections: 0}\n");
    CHECK(set.capture[0].options.snapshot_length == 96);
    CHECK(set.metering.idle_timeout == 7s);
    CHECK(set.metering.active_timeout == 9s);
    CHECK(set.metering.decode_tunnels == TunnelSet());
    CHECK(set.metering.max_flows == 1000);
    CHECK(set.metering.statistical_analysis);
    limits.tcp = 3;
    limits.udp = 1;  // the first packet was always shown
    CHECK(set.metering.n_dissections == limits);
    CHECK_FALSE(loaded("metering: {compatibility: nfstream3, dissect: false}\n").metering.n_dissections.any());
}

TEST_CASE("generations: nfstream3 takes a negative timeout for 0, the others refuse it") {
    const Config config = loaded("metering: {compatibility: nfstream3, idle_timeout: -1, active_timeout: \"-5m\"}\n");
    CHECK(config.metering.idle_timeout == 0s);
    CHECK(config.metering.active_timeout == 0s);
    CHECK(has(only_error(load_text("metering: {idle_timeout: -1}\n")), "must be a duration"));
    CHECK(
        has(only_error(load_text("metering: {compatibility: nfstream0, active_timeout: -1}\n")), "must be a duration"));
}

TEST_CASE("generations: nfstream0 has its parameters and defaults") {
    const Config config = loaded("capture: [{interface: lo}]\nmetering: {compatibility: nfstream0}\n");
    CHECK(config.capture[0].options.snapshot_length == 65535);
    CHECK(config.metering.max_flows == 128000);
    CHECK(config.metering.active_timeout == 120s);
    CHECK(config.metering.idle_timeout == 60s);
    CHECK(config.metering.decode_tunnels.empty());

    const Config set =
        loaded("metering: {compatibility: nfstream0, capacity: 64, active_timeout: 5m, inactive_timeout: 90}\n");
    CHECK(set.metering.max_flows == 64);
    CHECK(set.metering.active_timeout == 5min);
    CHECK(set.metering.idle_timeout == 90s);
}

TEST_CASE("generations: a key of another one is an error that names the right key") {
    const struct {
        const char *generation, *block, *key, *instead;
    } rows[] = {
        {"nfstream6", "metering", "inactive_timeout: 60", "use idle_timeout"},
        {"nfstream6", "metering", "capacity: 1000", "use max_flows"},
        {"nfstream6", "metering", "dissect: true", "use n_dissections"},
        {"nfstream6", "metering", "max_tcp_dissections: 10", "use n_dissections"},
        {"nfstream6", "metering", "max_udp_dissections: 16", "use n_dissections"},
        {"nfstream6", "capture", "snaplen: 96", "use snapshot_length"},
        {"nfstream3", "metering", "n_dissections: 20", "use max_tcp_dissections and max_udp_dissections"},
        {"nfstream3", "metering", "inactive_timeout: 60", "use idle_timeout"},
        {"nfstream3", "metering", "capacity: 1000", "use max_flows"},
        {"nfstream3", "capture", "snapshot_length: 96", "use snaplen"},
        {"nfstream0", "metering", "idle_timeout: 60", "use inactive_timeout"},
        {"nfstream0", "metering", "max_flows: 1000", "use capacity"},
        {"nfstream0", "metering", "dissect: true", "use n_dissections"},
        {"nfstream0", "capture", "snaplen: 96", "use snapshot_length"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.generation);
        CAPTURE(row.key);
        const std::string block = row.block;
        const std::string text = block == "capture"
                                     ? std::string("capture: [{interface: lo, ") + row.key + "}]\nmetering: {"
                                     : std::string("metering: {") + row.key + ", ";
        const std::string error = only_error(load_text(text + "compatibility: " + row.generation + "}\n"));
        CHECK(has(error, "is a key of another generation of nfstream, with this metering.compatibility "));
        CHECK(error.ends_with(row.instead));
    }
}

TEST_CASE("generations: an unknown one is an error, and so is a key that none has") {
    CHECK(has(only_error(load_text("metering: {compatibility: nfstream4}\n")),
              "must be one of: nfstream6, nfstream3, nfstream0"));
    CHECK(has(only_error(load_text("metering: {compatibility: nfstream3, max_tcp_dissection: 1}\n")),
              "did you mean max_tcp_dissections?"));
    CHECK(has(only_error(load_text("metering: {}\nexporters: [{type: file, path: x, capacity: 5}]\n")), "unknown key"));
}

TEST_CASE("generations: what is in effect has the keys of the one that was chosen, and loads again") {
    for (const char* generation : {"nfstream6", "nfstream3", "nfstream0"}) {
        const std::string text = effective(
            std::string("instance: a\ncapture: [{interface: lo}]\nmetering: {compatibility: ") + generation + "}\n");
        CHECK(has(text, std::string("  compatibility: ") + generation + "\n"));
        CHECK(effective(text) == text);
    }
    const std::string of3 = effective("capture: [{interface: lo}]\nmetering: {compatibility: nfstream3}\n");
    for (const char* line :
         {"    snaplen: 65535\n", "  idle_timeout: 30s\n", "  active_timeout: 300s\n", "  dissect: true\n",
          "  max_tcp_dissections: 10\n", "  max_udp_dissections: 16\n", "  decode_tunnels: false\n"})
        CHECK(has(of3, line));
    for (const char* key : {"n_dissections", "snapshot_length", "capacity", "inactive_timeout"})
        CHECK_FALSE(has(of3, key));
    const std::string of0 = effective("metering: {compatibility: nfstream0}\n");
    for (const char* line : {"  inactive_timeout: 60s\n", "  active_timeout: 120s\n", "  capacity: 128000\n"})
        CHECK(has(of0, line));
}

TEST_CASE("generations: the schema of an exporter is that of the generation unless it is written") {
    static constexpr std::array kTable = {SettingSpec{
        .name = "schema", .type = SettingType::kChoice, .default_value = "nfstream6", .choices = kGenerationChoices}};
    static const ExporterSchema kSchema{"table", "", kTable};
    const auto load_table = [](const std::string& generation, const std::string& schema) {
        LoadRequest request;
        request.overrides = {{"metering.compatibility", generation}, {"exporters", "[{type: table" + schema + "}]"}};
        request.exporter_schemas = {&kSchema, 1};
        Loaded result = load(request);
        REQUIRE(lines(result) == Strings{});
        return *result.config;
    };
    for (const auto generation : kGenerationNames) {
        const Config config = load_table(std::string(generation), "");
        CHECK(config.exporters[0].settings.string("schema") == generation);
        CHECK(config.metering.nfstream3_records == (generation == "nfstream3"));
    }
    CHECK(load_table("nfstream3", ", schema: nfstream0").exporters[0].settings.string("schema") == "nfstream0");
    CHECK_FALSE(load_table("nfstream3", ", schema: nfstream0").metering.nfstream3_records);
    CHECK(load_table("nfstream6", ", schema: nfstream3").metering.nfstream3_records);
}
