// SPDX-License-Identifier: Apache-2.0
// The printed page and the example against the code. The target update-reference
// rewrites the page.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "config/load.hpp"
#include "exporters/registry.hpp"
#include "tests/unit/config/workspace.hpp"

using namespace nfstreamd;
using namespace nfstreamd::config;
using namespace nfstreamd::config::test;

namespace {

const std::string kFolder = NFSTREAMD_SOURCE_DIR "/config/";

std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("Reference: REFERENCE.md is what the tables print") {
    const std::string printed = reference_markdown(exporters::exporter_schemas());
    CHECK((contents(kFolder + "REFERENCE.md") == printed));
}

TEST_CASE("Reference: a row has type, default, what is accepted, cost and sentence") {
    const std::string printed = reference_markdown(schemas());
    const auto has = [&](const std::string& text) { return printed.find(text) != std::string::npos; };
    CHECK(has("\n## `metering`\n"));
    CHECK(has("| `idle_timeout` | duration | `120s` | 0s to 4294967295s | live | "));
    CHECK(has("| `fragments` | choice | `first` | `first` `all` | restart | "));
    CHECK(has("| `snapshot_length` | integer | `1536` | 1 to 2147483647 | reopen | "));
    CHECK(has("\n### Exporter `file`\n\nTo a file.\n"));
    CHECK(has("| `path` | string | required |  | reopen | "));
    CHECK(has("| `mode` | choice | `plain` | `plain` `gzip` | live | Plain \\| or not. |"));
}

TEST_CASE("Reference: the example that is installed is valid") {
    LoadRequest request;
    request.file = kFolder + "nfstreamd.yaml";
    request.exporter_schemas = exporters::exporter_schemas();
    const Loaded loaded = load(request);
    for (const ConfigError& error : loaded.errors) MESSAGE(error.text());
    REQUIRE(loaded.config);
    CHECK(loaded.warnings.empty());
    REQUIRE(loaded.config->capture.size() == 1);
    CHECK(loaded.config->capture[0].interfaces == std::vector<std::string>{"any"});
    REQUIRE(loaded.config->exporters.size() == 1);
    CHECK(loaded.config->exporters[0].type == "csv");
    CHECK(loaded.config->exporters[0].settings.string("path") == "/var/log/nfstreamd/flows.csv");
}

TEST_CASE("Reference: what the example has behind a # is valid too") {
    std::istringstream example(contents(kFolder + "nfstreamd.yaml"));
    std::string text, line;
    while (std::getline(example, line)) {
        const auto start = line.find_first_not_of(' ');
        const bool is_setting = start != std::string::npos && line[start] == '#' && line.compare(start, 2, "# ") != 0;
        if (is_setting) line.erase(start, 1);
        text += line + "\n";
    }
    const Workspace workspace;
    LoadRequest request;
    request.file = workspace.write("t.yaml", text);
    request.exporter_schemas = exporters::exporter_schemas();
    const Loaded loaded = load(request);
    for (const ConfigError& error : loaded.errors) MESSAGE(error.text());
    REQUIRE(loaded.config);
    CHECK(loaded.config->capture.at(0).options.bpf_filter == "not port 22");
    CHECK(loaded.config->capture.at(0).options.required);
}
