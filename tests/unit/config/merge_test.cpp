// SPDX-License-Identifier: Apache-2.0
#include "config/merge.hpp"

#include <doctest/doctest.h>

#include "tests/unit/config/workspace.hpp"

using namespace nfstreamd::config;
using namespace nfstreamd::config::test;
using Strings = std::vector<std::string>;

namespace {

Loaded load_with_reads(std::optional<std::string> file, Strings reads, Overrides overrides = {}) {
    return load(LoadRequest{std::move(file), std::move(overrides), schemas(), std::move(reads)});
}

}  // namespace

TEST_CASE("drop-ins: read by name, maps merge key by key, later wins") {
    const Workspace workspace;
    const std::string file =
        workspace.write("t.yaml", "instance: main\nmetering:\n  idle_timeout: 1\n  max_flows: 1k\n");
    workspace.write("conf.d/20.yaml", "metering:\n  idle_timeout: 20\nlog: {level: debug}\n");
    workspace.write("conf.d/10.yaml", "metering:\n  idle_timeout: 10\n  active_timeout: 10\n");
    workspace.write("conf.d/.hidden.yaml", "instance: hidden\n");
    workspace.write("conf.d/note.txt", "instance: note\n");
    workspace.write("conf.d/30.yaml", "");
    const Loaded loaded = load_file(file);
    REQUIRE(lines(loaded) == Strings{});
    CHECK(loaded.config->instance == "main");
    CHECK(loaded.config->metering.idle_timeout == std::chrono::seconds(20));
    CHECK(loaded.config->metering.active_timeout == std::chrono::seconds(10));
    CHECK(loaded.config->metering.max_flows == 1000);
    CHECK(loaded.config->log.level == nfstreamd::LogLevel::kDebug);
    CHECK(loaded.config->files == Strings{file, workspace.path("conf.d/10.yaml"), workspace.path("conf.d/20.yaml"),
                                          workspace.path("conf.d/30.yaml")});
    CHECK(loaded.warnings.empty());
}

TEST_CASE("drop-ins: captures and exporters append") {
    const Workspace workspace;
    const std::string file =
        workspace.write("t.yaml", "capture: [{interface: a}]\nexporters: [{type: file, path: a}]\n");
    workspace.write("conf.d/x.yaml", "capture: [{interface: b}]\nexporters: [{name: more, type: file, path: b}]\n");
    const Loaded loaded = load_file(file);
    REQUIRE(lines(loaded) == Strings{});
    REQUIRE(loaded.config->capture.size() == 2);
    CHECK(loaded.config->capture[0].interfaces == Strings{"a"});
    CHECK(loaded.config->capture[1].interfaces == Strings{"b"});
    REQUIRE(loaded.config->exporters.size() == 2);
    CHECK(loaded.config->exporters[1].name == "more");
}

TEST_CASE("drop-ins: an exporter merges over the former one of its name") {
    const Workspace workspace;
    const std::string file = workspace.write(
        "t.yaml",
        "exporters:\n  - {name: main, type: flow, collectors: [a, b], rate_limit: 5}\n  - {type: file, path: a}\n");
    workspace.write("conf.d/x.yaml", "exporters:\n  - {type: file, path: b}\n  - {name: main, collectors: c}\n");
    const Loaded loaded = load_file(file);
    REQUIRE(lines(loaded) == Strings{});
    REQUIRE(loaded.config->exporters.size() == 2);
    const Settings& main = loaded.config->exporters[0].settings;
    CHECK(main.strings("collectors") == Strings{"c"});
    CHECK(main.integer("rate_limit") == 5);
    CHECK(main.where("collectors").find("conf.d/x.yaml:3:30") != std::string::npos);
    CHECK(loaded.config->exporters[1].settings.string("path") == "b");
}

TEST_CASE("drop-ins: two exporters of one name in one file stay an error") {
    const Workspace workspace;
    const std::string file = workspace.write("t.yaml", "exporters: [{type: file, path: a}]\n");
    workspace.write("conf.d/x.yaml", "exporters:\n  - {type: file, path: b}\n  - {type: file, path: c}\n");
    CHECK(only_error(load_file(file)).find("conf.d/x.yaml:3:5: exporters[1].name: file, ") == 0);
}

TEST_CASE("drop-ins: an empty block or key takes nothing away") {
    const Workspace workspace;
    const std::string file =
        workspace.write("t.yaml", "metering: {max_flows: 1k}\nexporters: [{type: file, path: a}]\n");
    workspace.write("conf.d/x.yaml", "metering:\nexporters:\nlog:\n");
    workspace.write("conf.d/y.yaml", "metering:\n  max_flows:\n");
    const Loaded loaded = load_file(file);
    REQUIRE(lines(loaded) == Strings{});
    CHECK(loaded.config->metering.max_flows == 1000);
    CHECK(loaded.config->exporters.size() == 1);
}

TEST_CASE("drop-ins: an error names its file, and main file and drop-ins are checked together") {
    const Workspace workspace;
    const std::string file = workspace.write("t.yaml", "metering: {max_flow: 1k}\ncapture: [{interface: lo}]\n");
    workspace.write("conf.d/x.yaml", "capture: [{interface: lo}]\nmetering: {n_dissections: 256}\n");
    const auto all = lines(load_file(file));
    REQUIRE(all.size() == 3);
    CHECK(all[0] == "t.yaml:1:12: metering.max_flow: unknown key, did you mean max_flows?");
    CHECK(all[1].find("conf.d/x.yaml:1:23: capture[1].interface: lo is captured already, by ") == 0);
    CHECK(all[2] == "conf.d/x.yaml:2:27: metering.n_dissections: must be an integer from 0 to 255, not \"256\"");
}

TEST_CASE("drop-ins: a value that a later file replaces is not an error") {
    const Workspace workspace;
    const std::string file = workspace.write("t.yaml", "metering: {max_flows: 1}\n");
    workspace.write("conf.d/x.yaml", "metering: {max_flows: 64}\n");
    CHECK(load_file(file).config->metering.max_flows == 64);
}

TEST_CASE("drop-ins: a name in .yml is worth a warning, a folder without entries is none") {
    const Workspace workspace;
    const std::string file = workspace.write("t.yaml", "");
    workspace.write("conf.d/x.yml", "instance: y\n");
    const Loaded loaded = load_file(file);
    REQUIRE(loaded.config);
    REQUIRE(loaded.warnings.size() == 1);
    CHECK(loaded.warnings[0] == workspace.path("conf.d/x.yml") + ": not read, the name of a drop-in ends in .yaml");
}

TEST_CASE("--set: a value at the path of its key, the last one wins over all files") {
    const Workspace workspace;
    const std::string file = workspace.write("t.yaml", "metering: {idle_timeout: 1, max_flows: 1k}\n");
    workspace.write("conf.d/x.yaml", "metering: {idle_timeout: 2}\n");
    const Loaded loaded = load_file(file, {{"metering.idle_timeout", "30"},
                                           {"metering.idle_timeout", "31s"},
                                           {"instance", "edge"},
                                           {"log", "{level: error}"},
                                           {"log.format", "journal"}});
    REQUIRE(lines(loaded) == Strings{});
    CHECK(loaded.config->metering.idle_timeout == std::chrono::seconds(31));
    CHECK(loaded.config->metering.max_flows == 1000);
    CHECK(loaded.config->instance == "edge");
    CHECK(loaded.config->log.level == nfstreamd::LogLevel::kError);
    CHECK(loaded.config->log.format == nfstreamd::LogFormat::kJournal);
}

TEST_CASE("--set: entries of lists go by index, exporters also by name") {
    const char* text =
        "capture: [{interface: a}, {interface: b}]\n"
        "exporters:\n  - {name: main, type: flow, collectors: x}\n  - {type: file, path: y}\n";
    const Loaded loaded = load_text(text, {{"capture.1.snapshot_length", "96"},
                                           {"exporters.main.rate_limit", "5000"},
                                           {"exporters.main.collectors", "[p, q]"},
                                           {"exporters.file.mode", "gzip"},
                                           {"exporters.1.path", "-"}});
    REQUIRE(lines(loaded) == Strings{});
    CHECK(loaded.config->capture[0].options.snapshot_length == 1536);
    CHECK(loaded.config->capture[1].options.snapshot_length == 96);
    CHECK(loaded.config->exporters[0].settings.integer("rate_limit") == 5000);
    CHECK(loaded.config->exporters[0].settings.strings("collectors") == Strings{"p", "q"});
    CHECK(loaded.config->exporters[1].settings.string("mode") == "gzip");
    CHECK(loaded.config->exporters[1].settings.string("path") == "-");
}

TEST_CASE("--set: capture.KEY is for every capture, and makes one when there is none") {
    const Loaded both =
        load_text("capture: [{interface: a}, {interface: b}]\n", {{"capture.bpf_filter", "not port 22"}});
    REQUIRE(both.config);
    for (const CaptureConfig& capture : both.config->capture) CHECK(capture.options.bpf_filter == "not port 22");

    const Loaded none =
        load(LoadRequest{std::nullopt, {{"capture.interface", "lo"}, {"capture.required", "yes"}}, {}, {}});
    REQUIRE(none.config);
    REQUIRE(none.config->capture.size() == 1);
    CHECK(none.config->capture[0].interfaces == Strings{"lo"});
    CHECK(none.config->capture[0].options.required);
    CHECK(none.config->capture[0].where == "--set capture.interface");
}

TEST_CASE("--set: a name that no exporter has makes one") {
    const Loaded loaded = load_text("", {{"exporters.new.path", "x"}, {"exporters.new.type", "file"}});
    REQUIRE(lines(loaded) == Strings{});
    REQUIRE(loaded.config->exporters.size() == 1);
    CHECK(loaded.config->exporters[0].name == "new");
    CHECK(loaded.config->exporters[0].settings.string("path") == "x");
    CHECK(only_error(load_text("", {{"exporters.new.path", "x"}})) ==
          "--set exporters.new.path: exporters[0].type: is missing");
    CHECK(load_text("", {{"exporters.new", "{type: file, path: x}"}}).config->exporters[0].name == "new");
    CHECK(load_text("", {{"exporters", "[{type: file, path: x}]"}}).config->exporters[0].name == "file");
}

TEST_CASE("--set: an empty value is an empty string") {
    const Loaded loaded = load_text("control: {socket: /x}\n", {{"control.socket", ""}});
    REQUIRE(loaded.config);
    CHECK(loaded.config->control.socket.empty());
}

TEST_CASE("--set: a value that YAML takes for nothing has a place, too") {
    for (const std::string value : {"#", "# nothing", "~", "null"}) {
        CAPTURE(value);
        CHECK(only_error(load_text("", {{"metering.n_dissections.x", value}})).starts_with("--set metering."));
        CHECK(only_error(load_text("", {{"metering.x", value}})).starts_with("--set metering.x: "));
    }
}

TEST_CASE("a key is no longer than what is printed of it can be read back") {
    const std::string longest(kMaxKeyOctets, '\x01'), longer = longest + "x";
    const std::string plugin = "plugins: [{name: p, type: object, path: slicer.so, settings: {a: 1}}]\n";
    const Loaded loaded = load_text(plugin, {{"plugins.p.settings." + longest, "7"}});
    REQUIRE(lines(loaded) == Strings{});
    CHECK(lines(load_text(loaded.effective_yaml)) == Strings{});
    CHECK(
        only_error(load_text(plugin, {{"plugins.p.settings." + longer, "7"}})).find(": is no path of a key such as ") !=
        std::string::npos);
    CHECK(only_error(load_text(plugin, {{"plugins.p.settings.\xfe", "7"}})) ==
          "--set plugins.p.settings.\\xfe: is no path of a key such as metering.idle_timeout");
    CHECK(only_error(load_text("metering: {" + std::string(kMaxKeyOctets + 1, 'x') + ": 1}\n")) ==
          "t.yaml:1:12: a key of more than 160 octets");
}

TEST_CASE("variables are replaced in values of a plugin's settings, and in its keys not") {
    const Variable name("NFSTREAMD_TEST_SET", "edge");
    const std::string plugin =
        "plugins: [{name: p, type: object, path: slicer.so, settings: {'${': 1, 'a\"${b}': ['$${', "
        "'${NFSTREAMD_TEST_SET}:\\']}}]\n";
    const Loaded loaded = load_text(plugin, {{"plugins.p.settings.${x}", "7"}});
    REQUIRE(lines(loaded) == Strings{});
    const std::string settings = R"({"${": 1, "a\"${b}": ["${", "edge:\\"], "${x}": 7})";
    CHECK(loaded.config->plugins[0].settings == settings);
    const Loaded again = load_text(loaded.effective_yaml);
    REQUIRE(lines(again) == Strings{});
    CHECK(again.config->plugins[0].settings == settings);
    CHECK(again.effective_yaml == loaded.effective_yaml);
}

TEST_CASE("--set: variables are replaced in values") {
    const Variable name("NFSTREAMD_TEST_SET", "edge");
    CHECK(load_text("", {{"instance", "${NFSTREAMD_TEST_SET}"}}).config->instance == "edge");
    CHECK(only_error(load_text("", {{"instance", "${NFSTREAMD_TEST_NONE}"}})) ==
          "--set instance: environment variable NFSTREAMD_TEST_NONE is not set");
}

TEST_CASE("--set: errors name the override, after those of the files") {
    std::string deep = "log";  // nothing is that deep, and no stack is to be
    for (int i = 0; i < 32; ++i) deep += ".x";
    const Loaded loaded = load_text("x: 1\ncapture: [{interface: a}]\n", {{"metering.idle_timeout", "soon"},
                                                                          {"metering.idle_timout", "5"},
                                                                          {"capture.7.required", "true"},
                                                                          {"capture.required", "7"},
                                                                          {"exporters.7.path", "x"},
                                                                          {"metering", "5"},
                                                                          {"metering.max_flows.x", "5"},
                                                                          {"instance.x", "5"},
                                                                          {"log.level", "[debug"},
                                                                          {".x", "5"},
                                                                          {"", "5"},
                                                                          {deep, "5"}});
    const auto all = lines(loaded);
    REQUIRE(all.size() == 13);
    CHECK(all[0].find("t.yaml:1:1: x: unknown key") == 0);
    CHECK(all[1].find("--set metering.idle_timeout: must be a duration from ") == 0);
    CHECK(all[2] == "--set metering.idle_timout: unknown key, did you mean idle_timeout?");
    CHECK(all[3] == "--set capture.7.required: there are 1 entries, counted from 0");
    CHECK(all[4] == "--set capture.required: capture[0].required: must be true or false, not \"7\"");
    CHECK(all[5] == "--set exporters.7.path: there are 0 exporters, counted from 0");
    CHECK(all[6] == "--set metering: must be a map, not a single value");
    CHECK(all[7] ==
          "--set metering.max_flows.x: metering.max_flows: must be an integer from 64 to 67108864, not a map");
    CHECK(all[8] == "--set instance.x: instance: must be a string, not a map");
    CHECK(all[9].find("--set log.level: not valid YAML: ") == 0);
    CHECK(all[10] == "--set .x: is no path of a key such as metering.idle_timeout");
    CHECK(all[11] == "--set : is no path of a key such as metering.idle_timeout");
    CHECK(all[12] == "--set " + deep + ": is no path of a key such as metering.idle_timeout");
}

TEST_CASE("-r: the files are one capture, which keeps the other keys of the first") {
    const Workspace workspace;
    const std::string file = workspace.write(
        "t.yaml", "capture:\n  - interface: eth0\n    bpf_filter: tcp\n    snapshot_length: 96\n  - interface: eth1\n");
    const Loaded loaded = load_with_reads(file, {"a.pcap", "b.pcap"}, {{"capture.snapshot_length", "128"}});
    REQUIRE(lines(loaded) == Strings{});
    REQUIRE(loaded.config->capture.size() == 1);
    const CaptureConfig& capture = loaded.config->capture[0];
    CHECK(capture.interfaces.empty());
    CHECK(capture.pcap == Strings{"a.pcap", "b.pcap"});
    CHECK(capture.options.bpf_filter == "tcp");
    CHECK(capture.options.snapshot_length == 128);
}

TEST_CASE("-r: names of files are taken as they are, no configuration is needed") {
    const Loaded loaded = load_with_reads(std::nullopt, {"${HOME}: [x", "-"}, {{"capture.bpf_filter", "udp"}});
    REQUIRE(lines(loaded) == Strings{});
    REQUIRE(loaded.config->capture.size() == 1);
    CHECK(loaded.config->capture[0].pcap == Strings{"${HOME}: [x", "-"});
    CHECK(loaded.config->capture[0].options.bpf_filter == "udp");
}
