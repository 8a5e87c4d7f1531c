// SPDX-License-Identifier: Apache-2.0
#include "config/substitution.hpp"

#include <doctest/doctest.h>

#include "tests/unit/config/workspace.hpp"

using namespace nfstreamd::config;
using namespace nfstreamd::config::test;
using Strings = std::vector<std::string>;

namespace {

std::string instance_of(const std::string& value) {
    const Loaded loaded = load_text("instance: " + value + "\n");
    return loaded.config ? loaded.config->instance : "error: " + only_error(loaded);
}

}  // namespace

TEST_CASE("substitution: variables are replaced inside of values of any type") {
    const Variable name("NFSTREAMD_TEST_NAME", "edge"), number("NFSTREAMD_TEST_NUMBER", "7");
    CHECK(instance_of("a-${NFSTREAMD_TEST_NAME}-${NFSTREAMD_TEST_NUMBER}") == "a-edge-7");
    CHECK(instance_of("'${NFSTREAMD_TEST_NAME}'") == "edge");
    const Loaded loaded = load_text(
        "metering:\n  idle_timeout: ${NFSTREAMD_TEST_NUMBER}\ncapture:\n  - interface: ['${NFSTREAMD_TEST_NAME}', "
        "b]\n");
    REQUIRE(loaded.config);
    CHECK(loaded.config->metering.idle_timeout == std::chrono::seconds(7));
    CHECK(loaded.config->capture[0].interfaces == Strings{"edge", "b"});
}

TEST_CASE("substitution: what a variable holds is not looked at again") {
    const Variable nested("NFSTREAMD_TEST_NESTED", "${NFSTREAMD_TEST_NONE} # [x");
    CHECK(instance_of("${NFSTREAMD_TEST_NESTED}") == "${NFSTREAMD_TEST_NONE} # [x");
}

TEST_CASE("substitution: $${ is not a variable, other dollars are themselves") {
    CHECK(instance_of("'$${HOME}'") == "${HOME}");
    CHECK(instance_of("'$$${HOME}'") == "$${HOME}");
    CHECK(instance_of("cost$5$") == "cost$5$");
}

TEST_CASE("substitution: an undefined or misspelt variable is an error with its place") {
    CHECK(instance_of("${NFSTREAMD_TEST_NONE}") ==
          "error: t.yaml:1:11: instance: environment variable NFSTREAMD_TEST_NONE is not set");
    CHECK(instance_of("'${A'") == "error: t.yaml:1:11: instance: ${ without its }; write $${ for the two characters");
    CHECK(instance_of("'${A:-b}'") ==
          "error: t.yaml:1:11: instance: ${A:-b} is no name of a variable; write $${ for the two characters");
    CHECK(instance_of("'${}'").find("error: ") == 0);
    const Variable broken("NFSTREAMD_TEST_BROKEN", "\xff");
    CHECK(instance_of("${NFSTREAMD_TEST_BROKEN}") ==
          "error: t.yaml:1:11: instance: environment variable NFSTREAMD_TEST_BROKEN is not UTF-8");
}

TEST_CASE("substitution: a value that could not be resolved is reported once") {
    const Loaded loaded = load_text("exporters:\n  - type: file\n    path: ${NFSTREAMD_TEST_NONE}\n");
    CHECK(lines(loaded) ==
          Strings{"t.yaml:3:11: exporters[0].path: environment variable NFSTREAMD_TEST_NONE is not set"});
    CHECK(only_error(load_text("exporters:\n  - {name: '${NFSTREAMD_TEST_NONE}', type: file, path: x}\n")) != "");
    CHECK(only_error(load_text("exporters:\n  - type: ${NFSTREAMD_TEST_NONE}\n    path: x\n")) != "");
    CHECK(only_error(load_text("metering: ${NFSTREAMD_TEST_NONE}\n")) != "");
    CHECK(only_error(load_text("metering: {idle_timeout: '${NFSTREAMD_TEST_NONE}'}\n")) != "");
    CHECK(only_error(load_text("capture: [{interface: '${NFSTREAMD_TEST_NONE}'}]\n")) != "");
    CHECK(only_error(load_text("capture: [{interface: ['${NFSTREAMD_TEST_NONE}']}]\n")) != "");
}

TEST_CASE("substitution: !file is the text of a file without its last line break") {
    const Workspace workspace;
    const auto value = [&](const std::string& contents) {
        workspace.write("secrets/name", contents);
        const Loaded loaded = load_file(workspace.write("t.yaml", "instance: !file secrets/name\n"));
        return loaded.config ? loaded.config->instance : only_error(loaded);
    };
    CHECK(value("edge\n") == "edge");
    CHECK(value("edge") == "edge");
    CHECK(value("edge\r\n") == "edge");
    CHECK(value("edge\n\n") == "edge\n");
    CHECK(value("${HOME}: [x\n") == "${HOME}: [x");
    CHECK(value("\xff\n").find("is not UTF-8") != std::string::npos);
    CHECK(value(std::string("a\0b", 3)) == "t.yaml:1:11: instance: must not contain a NUL character");
}

TEST_CASE("substitution: !file is relative to the file that names it") {
    const Workspace workspace;
    workspace.write("conf.d/name", "inner");
    workspace.write("name", "outer");
    const std::string file = workspace.write("t.yaml", "instance: !file name\n");
    CHECK(load_file(file).config->instance == "outer");
    workspace.write("conf.d/a.yaml", "instance: !file name\n");
    CHECK(load_file(file).config->instance == "inner");
    const Variable folder("NFSTREAMD_TEST_FOLDER", workspace.path(""));
    workspace.write("conf.d/a.yaml", "instance: !file \"${NFSTREAMD_TEST_FOLDER}/name\"\n");
    CHECK(load_file(file).config->instance == "outer");
}

TEST_CASE("substitution: !file of a file that is missing or too large is an error with its place") {
    const Workspace workspace;
    const std::string file = workspace.write("t.yaml", "exporters:\n  - type: file\n    path: !file none\n");
    const std::string error = only_error(load_file(file));
    CHECK(error.find("t.yaml:3:11: exporters[0].path: !file ") == 0);
    CHECK(error.find("/none: cannot be read: No such file or directory") != std::string::npos);
    workspace.write("none", std::string((1u << 20) + 1, 'x'));
    CHECK(only_error(load_file(file)).find("is larger than 1 MiB") != std::string::npos);
    CHECK(only_error(load_text("instance: !file\n")) == "t.yaml:1:11: instance: !file needs the path of a file");
}

TEST_CASE("substitution: escape_variables is undone by a load") {
    for (const char* text : {"${A}", "$${A}", "$$${", "a$", "$", "${", "}"}) {
        CAPTURE(text);
        CHECK(instance_of("'" + escape_variables(text) + "'") == text);
    }
}
