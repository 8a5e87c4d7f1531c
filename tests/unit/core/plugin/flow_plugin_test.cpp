// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/flow_plugin.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "core/plugin/flow_plugin_library.hpp"
#include "core/record/template.hpp"
#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

constexpr const char *kA = "10.0.0.1", *kB = "10.0.0.2";

std::string object(const std::string& name) {
    return std::string(NFSTREAMD_PLUGIN_DIR) + '/' + name + ".so";
}

std::shared_ptr<FlowPlugin> load(const std::string& name, const std::string& settings = "{}",
                                 const FieldSelection& before = {}) {
    auto plugin =
        FlowPlugin::load({.name = name, .path = object(name), .settings = settings, .elements = {}, .time_budget = {}},
                         before, quiet_logger());
    REQUIRE_MESSAGE(plugin, (plugin ? std::string() : plugin.error().text()));
    return plugin.value();
}

std::string error_of(const PluginOptions& options) {
    const auto plugin = FlowPlugin::load(options, {}, quiet_logger());
    return plugin ? std::string() : plugin.error().message;
}

MeteringOptions options_with(std::vector<std::shared_ptr<FlowExtension>> extensions) {
    MeteringOptions options = plain_options();
    options.extensions = std::move(extensions);
    return options;
}

FieldValue value_of(const FlowPlugin& plugin, const std::string& column, const FlowRecord& record) {
    for (const InformationElement* field : plugin.declared())
        if (field->column == column) return field->value(record);
    return {};
}

}  // namespace

TEST_CASE("FlowPlugin: an instance for each meter is shown every packet, and closed at its end") {
    const auto plugin = load("flow_tells");
    {
        MeteringOptions options = options_with({plugin});
        options.statistical_analysis = true;
        FileRun file(options);
        file.add(tcp_frame(kA, kB, 1000, 80, 2), kStart).add(tcp_frame(kB, kA, 80, 1000, 18), kStart + 3 * kMs);
        file.add(udp_frame(kA, kB), kStart + 4 * kMs);
        const auto& records = file.run();
        REQUIRE(records.size() == 2);
        const FlowRecord& tcp = records[0]->protocol == 6 ? *records[0] : *records[1];
        CHECK(std::get<bool>(value_of(*plugin, "udps.sound", tcp)));
        CHECK(std::get<std::uint64_t>(value_of(*plugin, "udps.last_gap", tcp)) == 3);
        CHECK(std::get<std::string_view>(value_of(*plugin, "udps.first_packet", tcp))
                  .starts_with("10.0.0.1 10.0.0.2 1000 80 6 4 0 0 54 40 20 0 54 "));
        CHECK(plugin->status().instances == 1);
    }
    const auto status = plugin->status();
    CHECK(status.instances == 0);
    CHECK(status.flows == 2);
    CHECK(status.packets == 3);
    CHECK(status.errors == 0);
}

TEST_CASE("FlowPlugin: a plugin is shown the parts of packets that it reads, and nothing of others") {
    const std::string basics = "1 4 6 18", times = "1700000000003000000 1700000000003 3", sizes = "54 40 20 0 54",
                      endpoints = "80 1000 0 0 10.0.0.2 10.0.0.1 2.0.0.0.0.2 2.0.0.0.0.1", octets = "69 40 20",
                      no_times = "0 0 0", no_sizes = "0 0 0 0 0", no_endpoints = "0 0 0 0 null null null null",
                      no_octets = "null 0 0";
    const auto told = [](const std::string& choice) {
        const auto plugin = load("flow_parts_" + choice);
        FileRun file(options_with({plugin}));
        file.add(tcp_frame(kA, kB, 1000, 80, 2), kStart).add(tcp_frame(kB, kA, 80, 1000, 18), kStart + 3 * kMs);
        const auto& records = file.run();
        REQUIRE(records.size() == 1);
        CHECK(plugin->status().errors == 0);
        return std::string(std::get<std::string_view>(value_of(*plugin, "udps.shown", *records[0])));
    };
    const auto parts = [&](const std::string& a, const std::string& b, const std::string& c, const std::string& d) {
        return basics + " | " + a + " | " + b + " | " + c + " | " + d;
    };
    CHECK(told("all") == parts(times, sizes, endpoints, octets));
    CHECK(told("first") == parts(times, sizes, endpoints, octets));  // made for a table without packet_parts
    CHECK(told("none") == parts(no_times, no_sizes, no_endpoints, no_octets));
    CHECK(told("later") == parts(no_times, no_sizes, no_endpoints, no_octets));  // a part that is not known yet
    CHECK(told("times") == parts(times, no_sizes, no_endpoints, no_octets));     // with one that is not
    CHECK(told("sizes") == parts(no_times, sizes, no_endpoints, no_octets));
    CHECK(told("endpoints") == parts(no_times, no_sizes, endpoints, no_octets));
    CHECK(told("octets") == parts(no_times, no_sizes, no_endpoints, octets));
    CHECK(told("two") == parts(times, no_sizes, no_endpoints, octets));
}

TEST_CASE("FlowPlugin: a plugin in C++ is shown the parts that its class names, all when it names none") {
    const auto parts_of = [](const std::string& name) {
        const auto library = FlowPluginLibrary::load(object(name));
        REQUIRE(library);
        return library.value()->plugin().packet_parts;
    };
    CHECK(parts_of("example_packet_40") == NFD_PACKET_SIZES);
    CHECK(parts_of("flow_tells") == 0);
}

TEST_CASE("FlowPlugin: volatile fields are declared, not exported, and read by plugins behind") {
    const auto tells = load("flow_tells");
    CHECK(tells->declared().size() == tells->fields().size() + 1);
    const auto reads = load("flow_reads", "{}", tells->declared());
    FileRun file(options_with({tells, reads}));
    for (int i = 0; i < 3; ++i) file.add(udp_frame(kA, kB), kStart + i * kMs);
    const auto& records = file.run();
    REQUIRE(records.size() == 1);
    const auto seen = value_of(*reads, "udps.seen_payload", *records[0]);
    CHECK(std::get<std::string_view>(seen) ==
          std::get<std::string_view>(value_of(*tells, "udps.payload", *records[0])));
}

TEST_CASE("FlowPlugin: thousands of flows at once keep their states apart, whatever ends them") {
    const auto tells = load("flow_tells");
    MeteringOptions options = options_with({tells});
    options.statistical_analysis = true;
    options.max_flows = 500;
    options.idle_timeout = std::chrono::seconds(1);
    FileRun file(options);
    std::mt19937 random(7);
    TimestampNs time = kStart;
    for (int i = 0; i < 20'000; ++i) {
        time += static_cast<TimestampNs>(random() % 3) * kMs;
        file.add(udp_frame(kA, kB, static_cast<std::uint16_t>(1 + random() % 2000)), time);
    }
    const auto& records = file.run();
    CHECK(records.size() > 2000);
    for (const FlowRecord* record : records) REQUIRE(std::get<bool>(value_of(*tells, "udps.sound", *record)));
    CHECK(tells->status().flows == records.size());
}

TEST_CASE("FlowPlugin: calls that throw are counted, too many disable the instance and no other") {
    const auto throws = load("flow_misbehaves", R"({"how": "throws"})");
    const auto counts = load("example_packet_40");
    FileRun file(options_with({throws, counts}));
    for (int i = 0; i < 300; ++i) file.add(udp_frame(kA, kB, static_cast<std::uint16_t>(1 + i)), kStart + i);
    const auto& records = file.run();
    REQUIRE(records.size() == 300);
    for (const FlowRecord* record : records)
        CHECK(std::get<std::uint64_t>(value_of(*counts, "udps.packet_40_count", *record)) == 0);
    const auto status = throws->status();
    CHECK(status.errors == 101);
    CHECK(status.disabled == 1);
    CHECK(status.reason.find("more than 100 calls failed within 10 s, the last one: a broken promise") == 0);
    CHECK(counts->status().disabled == 0);
}

TEST_CASE("FlowPlugin: what ends flows ends them with its number") {
    const auto ends = load("flow_misbehaves", R"({"how": "ends every flow"})");
    FileRun file(options_with({ends}));
    for (int i = 0; i < 10; ++i) file.add(udp_frame(kA, kB), kStart + i * kMs);
    const auto& records = file.run();
    CHECK(records.size() == 10);
    for (const FlowRecord* record : records) CHECK(record->custom_expiration == -3);
}

TEST_CASE("FlowPlugin: what cannot be loaded says why") {
    CHECK(error_of({.name = "p", .path = "/nowhere/p.so", .elements = {}, .time_budget = {}}).find("No such file") !=
          std::string::npos);
    CHECK(error_of({.name = "no_such_plugin", .path = "", .elements = {}, .time_budget = {}})
              .find("there is no plugin \"no_such_plugin\" in ") == 0);
    CHECK(error_of({.name = "p", .path = object("slow"), .elements = {}, .time_budget = {}}).find("nfstreamd_plugin") !=
          std::string::npos);
    CHECK(error_of({.name = "p", .path = object("flow_wrong_abi"), .elements = {}, .time_budget = {}})
              .find("is made for version 2") != std::string::npos);
    CHECK(error_of({.name = "p",
                    .path = object("flow_misbehaves"),
                    .settings = R"({"how": "fails to open"})",
                    .elements = {},
                    .time_budget = {}}) == "plugin p: it does not want to");
}
