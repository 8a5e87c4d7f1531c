// SPDX-License-Identifier: Apache-2.0
#include "config/settings.hpp"

#include <doctest/doctest.h>

using namespace nfstreamd::config;

TEST_CASE("Settings: values come back with their types and places") {
    Settings settings;
    settings.set_origin("a.yaml:2:3");
    settings.set("flag", true, "a.yaml:3:9", true);
    settings.set("count", std::int64_t{7}, "", false);
    settings.set("ratio", 0.25, "", false);
    settings.set("wait", std::chrono::milliseconds(1500), "a.yaml:4:9", true);
    settings.set("name", std::string("x"), "", false);
    settings.set("names", std::vector<std::string>{"a", "b"}, "", false);

    CHECK(settings.boolean("flag"));
    CHECK(settings.integer("count") == 7);
    CHECK(settings.number("ratio") == 0.25);
    CHECK(settings.duration("wait") == std::chrono::milliseconds(1500));
    CHECK(settings.string("name") == "x");
    CHECK(settings.strings("names") == std::vector<std::string>{"a", "b"});
    CHECK(settings.given("flag"));
    CHECK_FALSE(settings.given("count"));
    CHECK(settings.where("flag") == "a.yaml:3:9");
    CHECK(settings.where("count") == "a.yaml:2:3");
}

TEST_CASE("Settings: equal are those of equal values, wherever they were written") {
    Settings a, b;
    a.set("x", std::int64_t{1}, "a.yaml:1:1", true);
    b.set("x", std::int64_t{1}, "", false);
    CHECK(a == b);
    b.set("x", std::int64_t{2}, "", false);
    CHECK_FALSE(a == b);
    b.set("x", std::int64_t{1}, "", false);
    b.set("y", true, "", false);
    CHECK_FALSE(a == b);
}
