// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "exporters/plugin/plugin_exporter.hpp"
#include "exporters/plugin/plugin_host.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/exporter_settings.hpp"

using namespace nfstreamd;
using namespace nfstreamd::exporters;

namespace {

std::string error_of(const std::string& path, std::vector<std::string> pairs, std::vector<std::string> fields = {}) {
    auto settings = test::default_settings("plugin");
    settings.set("path", path, "t.yaml:2:5", true);
    settings.set("settings", std::move(pairs), "t.yaml:3:5", true);
    settings.set("fields", std::move(fields), "t.yaml:4:5", true);
    test::CapturedLog log;
    const auto made = kPluginExporterType.make({"out", settings, FieldGroups{}, 0, 0, log.logger()});
    return made ? "" : made.error().text();
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("plugin: errors of the configuration name the setting and its place, nothing is loaded") {
    CHECK(error_of("/no/such/plugin.so", {"a=b", "c="}) == "");
    CHECK(contains(error_of("plugin.so", {}), "t.yaml:2:5: path: must be an absolute path"));
    CHECK(contains(error_of("/x.so", {"a"}), "t.yaml:3:5: settings: \"a\" is not of the form name=value"));
    CHECK(contains(error_of("/x.so", {"=a"}), "is not of the form name=value"));
    CHECK(contains(error_of("/x.so", {std::string("a=b\0c", 5)}), "zero octet"));
    CHECK(contains(error_of("/x.so", {}, {"no_such_column"}), "t.yaml:4:5: fields:"));
}

TEST_CASE("PluginHost: tells name, settings and fields with their elements, and takes lines for the log") {
    test::CapturedLog log;
    const FieldSelection fields{find_field("src_ip"), find_field("requested_server_name"), find_field("src_oui")};
    const PluginHost inside("siem", {{"key", "a=b"}, {"other", ""}}, fields, {}, 32473, log.logger());
    const nfstreamd_host* host = inside.host();
    CHECK(host->abi == NFSTREAMD_EXPORTER_ABI);
    CHECK(std::string(host->name) == "siem");
    REQUIRE(host->settings == 2);
    CHECK(std::string(host->setting[0]->name) == "key");
    CHECK(std::string(host->setting[0]->value) == "a=b");
    CHECK(std::string(host->setting[1]->value) == "");
    REQUIRE(host->fields == 3);
    CHECK(std::string(host->field[0]->column) == "src_ip");
    CHECK(std::string(host->field[0]->element) == "sourceIPv4Address");
    CHECK(host->field[0]->type == NFSTREAMD_ADDRESS);
    CHECK(host->field[0]->enterprise == 0);
    CHECK(host->field[0]->element_id == 8);
    CHECK(host->field[0]->element_id_v6 == 27);
    CHECK(host->field[1]->enterprise == 32473);
    CHECK(host->field[1]->type == NFSTREAMD_TEXT);
    CHECK(host->field[2]->element_id == 0);
    CHECK(std::string(host->field[2]->element) == "");
    host->log(host, NFSTREAMD_LOG_WARNING, "two\nlines");
    host->log(host, NFSTREAMD_LOG_ERROR, nullptr);
    CHECK(contains(log.text(), "two lines"));
}
