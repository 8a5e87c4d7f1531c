// SPDX-License-Identifier: Apache-2.0
#include "config/check.hpp"

#include <doctest/doctest.h>

#include <array>

#include "config/effective.hpp"
#include "config/yaml_reader.hpp"

using namespace nfstreamd;
using namespace nfstreamd::config;

namespace {

constexpr std::array kTable{
    SettingSpec{.name = "size", .type = SettingType::kInteger, .default_value = "1"},
    SettingSpec{.name = "timeouts.udp", .type = SettingType::kDuration, .default_value = "60s"},
    SettingSpec{.name = "timeouts.tcp_end", .type = SettingType::kDuration, .default_value = ""},
};

struct Read {
    Problems problems;
    Settings settings;

    explicit Read(const std::string& text) {
        const auto source = std::make_shared<Source>(Source{"a.yaml", "", 0, true});
        const Node node = read_yaml(text, source, problems);
        settings = check_table(node, "metering", kTable, {}, problems);
    }
    std::string first() const {
        const auto all = problems.sorted();
        return all.empty() ? "" : all[0].place.text() + ": " + all[0].key + ": " + all[0].message;
    }
};

}  // namespace

TEST_CASE("check_table: a setting in a map below goes by its dotted name") {
    const Read read("size: 2\ntimeouts:\n  udp: 5m\n");
    CHECK(read.first() == "");
    CHECK(read.settings.integer("size") == 2);
    CHECK(read.settings.duration("timeouts.udp") == std::chrono::minutes(5));
    CHECK(read.settings.given("timeouts.udp"));
    CHECK_FALSE(read.settings.given("timeouts.tcp_end"));
    CHECK(read.settings.where("timeouts.udp") == "a.yaml:3:8");
}

TEST_CASE("check_table: mistakes in a map below are named by their path") {
    CHECK(Read("timeouts:\n  upd: 5m\n").first() ==
          "a.yaml:2:3: metering.timeouts.upd: unknown key, did you mean udp?");
    CHECK(Read("timeouts: 5m\n").first() == "a.yaml:1:11: metering.timeouts: must be a map, not a single value");
    CHECK(
        Read("timeouts:\n  udp: often\n").first().starts_with("a.yaml:2:8: metering.timeouts.udp: must be a duration"));
    CHECK(Read("timeouts.udp: 5m\n").first().starts_with("a.yaml:1:1: metering.timeouts.udp: unknown key"));
    CHECK(Read("timeouts:\n").first() == "");
}
