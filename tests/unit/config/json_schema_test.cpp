// SPDX-License-Identifier: Apache-2.0
// What it accepts is tested by tests/integration/schema_test.py; this, that each
// kind of setting is there in its form.
#include <doctest/doctest.h>

#include <string>

#include "config/load.hpp"
#include "tests/unit/config/workspace.hpp"

using namespace nfstreamd::config;
using namespace nfstreamd::config::test;

namespace {

// The line of a setting, from its exporter's definition on.
std::string line_of(const std::string& schema, const std::string& exporter, const std::string& setting) {
    const auto definition = schema.find("\"exporter_" + exporter + "\": {");
    REQUIRE(definition != std::string::npos);
    const auto line = schema.find("\"" + setting + "\": {", definition);
    REQUIRE(line != std::string::npos);
    return schema.substr(line, schema.find('\n', line) - line);
}

}  // namespace

TEST_CASE("JsonSchema: each setting has its description, default, cost and form") {
    const std::string schema = json_schema(schemas());
    CHECK(line_of(schema, "file", "mode") ==
          "\"mode\": {\"description\": \"Plain | or not. Default: plain. Change: live.\", \"anyOf\": [{\"enum\": "
          "[\"plain\", "
          "\"gzip\"]}, {\"$ref\": \"#/definitions/variable\"}, {\"type\": \"null\"}]}");
    CHECK(line_of(schema, "flow", "rate_limit")
              .find("{\"type\": \"integer\", \"minimum\": 0, \"maximum\": 1000000000}") != std::string::npos);
    CHECK(line_of(schema, "flow", "flush_interval").find("{\"type\": \"integer\", \"minimum\": 0}") !=
          std::string::npos);
    CHECK(line_of(schema, "flow", "ratio").find("{\"type\": \"number\", \"minimum\": 0, \"maximum\": 1}") !=
          std::string::npos);
}

TEST_CASE("JsonSchema: what is required is neither missing nor empty") {
    const std::string schema = json_schema(schemas());
    CHECK(schema.find("\"required\": [\"collectors\"]") != std::string::npos);
    const std::string collectors = line_of(schema, "flow", "collectors");
    CHECK(collectors.find("\"minItems\": 1") != std::string::npos);
    CHECK(collectors.find("null") == std::string::npos);
}

TEST_CASE("JsonSchema: capture and metering are those of each generation") {
    const std::string schema = json_schema(schemas());
    for (const char* name : {"capture_nfstream6", "capture_nfstream3", "metering_nfstream0", "metering_nfstream6"})
        CHECK(schema.find("\"" + std::string(name) + "\": {") != std::string::npos);
}
