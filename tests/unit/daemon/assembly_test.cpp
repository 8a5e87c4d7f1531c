// SPDX-License-Identifier: Apache-2.0
#include "daemon/assembly.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace nfstreamd::daemon {
namespace {

config::ExporterConfig csv(const std::string& path, std::vector<std::string> fields = {}) {
    config::ExporterConfig made{"a", "csv", {}, "f.yaml:1:1"};
    made.settings.set("path", path, "", true);
    made.settings.set("append", false, "", false);
    made.settings.set("schema", std::string("nfstream6"), "", false);
    made.settings.set("fields", std::move(fields), "", false);
    return made;
}

TEST_CASE("continuing: the same file with the same fields is appended to, any other begins anew") {
    CHECK(continuing(csv("/x"), csv("/x")).settings.boolean("append"));
    CHECK_FALSE(continuing(csv("/x"), csv("/y")).settings.boolean("append"));
    CHECK_FALSE(continuing(csv("/x"), csv("/x", {"src_ip"})).settings.boolean("append"));
    auto other = csv("/x");
    other.settings.set("schema", std::string("nfstream0"), "", true);
    CHECK_FALSE(continuing(csv("/x"), other).settings.boolean("append"));
    auto json = csv("/x");
    json.type = "json";
    CHECK_FALSE(continuing(json, csv("/x")).settings.boolean("append"));
}

TEST_CASE("capture plans: one per interface, one for the files of an entry") {
    config::Config config;
    config.capture.resize(2);
    config.capture[0].interfaces = {"eth0", "lo"};
    config.capture[1].interfaces = {"eth1"};
    const auto live = capture_plans(config);
    REQUIRE(live.size() == 3);
    CHECK(live[2].name == "eth1");
    CHECK_FALSE(live[2].offline());
    CHECK_FALSE(is_file_run(config));

    for (auto& capture : config.capture) capture.interfaces.clear();
    config.capture[0].pcap = {"a.pcap", "b.pcap"};
    config.capture[1].pcap = {"c.pcap"};
    const auto files = capture_plans(config);
    REQUIRE(files.size() == 2);
    CHECK(files[0].name == "files");
    CHECK(files[0].files.size() == 2);
    CHECK(files[1].name == "files2");
    CHECK(is_file_run(config));
}

}  // namespace
}  // namespace nfstreamd::daemon
