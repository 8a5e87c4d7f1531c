// SPDX-License-Identifier: Apache-2.0
#include "daemon/command_line.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace nfstreamd::daemon {
namespace {

CommandLine parsed(std::vector<std::string> arguments) {
    auto line = parse_command_line(arguments);
    REQUIRE_MESSAGE(line.has_value(), (line ? "" : line.error().message));
    return std::move(line.value());
}

std::string refused(std::vector<std::string> arguments) {
    const auto line = parse_command_line(arguments);
    REQUIRE_FALSE(line.has_value());
    CHECK(line.error().code == ErrorCode::kInvalidArgument);
    return line.error().message;
}

using Files = std::vector<std::string>;

TEST_CASE("CommandLine: without arguments it is a live run with the default file") {
    const auto line = parsed({});
    CHECK(line.action == Action::kRun);
    CHECK_FALSE(line.file_run());
    CHECK(line.effective_config_file() == std::string(kDefaultConfigFile));
    CHECK_FALSE(line.write_target());
}

TEST_CASE("CommandLine: several files follow one -r, up to the next option") {
    const auto line =
        parsed({"-r", "a.pcap", "b.pcap", "-w", "out.csv", "--read", "c.pcap", "--read=d.pcap", "e.pcap"});
    CHECK(line.read_files == Files{"a.pcap", "b.pcap", "c.pcap", "d.pcap", "e.pcap"});
    CHECK(line.write_path == "out.csv");
}

TEST_CASE("CommandLine: the value of another option ends the files of -r") {
    CHECK(refused({"-r", "a.pcap", "-w", "out.csv", "b.pcap"}) == "unexpected argument 'b.pcap'");
}

TEST_CASE("CommandLine: files with a leading dash follow a double dash") {
    CHECK(parsed({"-r", "a.pcap", "--", "-b.pcap", "--"}).read_files == Files{"a.pcap", "-b.pcap", "--"});
    CHECK(parsed({"-r", "-"}).read_files == Files{"-"});
    CHECK(parsed({"-ra.pcap", "b.pcap"}).read_files == Files{"a.pcap", "b.pcap"});
}

TEST_CASE("CommandLine: -r without -c reads no configuration file, not even the default one") {
    CHECK_FALSE(parsed({"-r", "a.pcap"}).effective_config_file());
    CHECK(parsed({"-r", "a.pcap", "-c", "x.yaml"}).effective_config_file() == "x.yaml");
}

TEST_CASE("CommandLine: the format of -w follows its suffix, or --format") {
    const std::pair<const char*, const char*> rows[] = {
        {"a.csv", "csv"},    {"dir.csv/a.json", "json"}, {"/x/a.ipfix", "ipfix"}, {"-", "json"},
        {"a.csv.gz", "csv"}, {"a.csv.zst", "csv"},       {"a.json.zst", "json"}};
    for (const auto& [path, type] : rows) {
        const auto target = parsed({"-r", "a.pcap", "-w", path}).write_target();
        REQUIRE(target);
        CHECK(target->path == path);
        CHECK(target->type == type);
    }
    CHECK(parsed({"-w", "a.txt", "--format", "csv"}).write_target()->type == "csv");
    CHECK(parsed({"-w", "a.csv", "--format=ipfix"}).write_target()->type == "ipfix");
    CHECK(parsed({"-w", "-", "--format", "csv"}).write_target()->type == "csv");
}

TEST_CASE("CommandLine: a suffix that says nothing needs --format") {
    for (const char* path : {"out", "out.txt", ".csv", "outcsv", ".csv.gz", "out.gz", "out.csv.xz", "out.ipfix.gz"})
        CHECK(refused({"-w", path}).find("--format") != std::string::npos);
    CHECK(refused({"-w", ""}).find("empty") != std::string::npos);
    CHECK(refused({"-w", "a.csv", "--format", "xml"}).find("xml") != std::string::npos);
}

TEST_CASE("CommandLine: a file run without -w writes JSON lines to standard output, unless it has a configuration") {
    const auto bare = parsed({"-r", "a.pcap"}).write_target();
    REQUIRE(bare);
    CHECK(bare->path == "-");
    CHECK(bare->type == "json");
    CHECK(parsed({"-r", "a.pcap", "--format", "csv"}).write_target()->type == "csv");
    CHECK_FALSE(parsed({"-r", "a.pcap", "-c", "x.yaml"}).write_target());
    CHECK(refused({"-r", "a.pcap", "-c", "x.yaml", "--format", "csv"}) == "--format needs -w");
    CHECK(refused({"--format", "csv"}) == "--format needs -w");
}

TEST_CASE("CommandLine: --schema names a generation of nfstream, for what -w writes") {
    CHECK_FALSE(parsed({"-r", "a.pcap"}).write_target()->schema);
    CHECK(parsed({"-r", "a.pcap", "--schema", "nfstream3"}).write_target()->schema == "nfstream3");
    CHECK(parsed({"-w", "a.csv", "--schema=nfstream0"}).write_target()->schema == "nfstream0");
    CHECK(parsed({"-w", "-", "--format", "csv", "--schema", "nfstream6"}).write_target()->schema == "nfstream6");
    CHECK(refused({"-r", "a.pcap", "--schema", "nfstream5"}) ==
          "--schema nfstream5: is none of nfstream6, nfstream3, nfstream0");
    CHECK(refused({"--schema", "nfstream3"}) == "--schema needs -w");
    CHECK(refused({"-c", "x.yaml", "-r", "a.pcap", "--schema", "nfstream3"}) == "--schema needs -w");
    CHECK(refused({"-w", "a.ipfix", "--schema", "nfstream3"}).find("ipfix") != std::string::npos);
    CHECK(refused({"--schema", "nfstream3", "--schema", "nfstream3", "-w", "-"}) == "option --schema is given twice");
}

TEST_CASE("CommandLine: --set keeps its order and splits at the first equals sign") {
    const auto line =
        parsed({"--set", "capture.bpf_filter=port = 53", "--set=metering.idle_timeout=30", "--set", "a="});
    const std::vector<std::pair<std::string, std::string>> expected{
        {"capture.bpf_filter", "port = 53"}, {"metering.idle_timeout", "30"}, {"a", ""}};
    CHECK(line.settings == expected);
    CHECK(refused({"--set", "metering"}).find("KEY=VALUE") != std::string::npos);
    CHECK(refused({"--set", "=3"}).find("KEY=VALUE") != std::string::npos);
}

TEST_CASE("CommandLine: flags can be clustered with an option that takes a value") {
    const auto line = parsed({"-tc", "x.yaml"});
    CHECK(line.action == Action::kCheck);
    CHECK(line.config_file == "x.yaml");
    CHECK(parsed({"-tcx.yaml"}).config_file == "x.yaml");
}

TEST_CASE("CommandLine: each action has its option, and help wins") {
    const std::pair<const char*, Action> rows[] = {{"-t", Action::kCheck},
                                                   {"--check-config", Action::kCheck},
                                                   {"--print-config", Action::kPrintConfig},
                                                   {"--list-fields", Action::kListFields},
                                                   {"--list-exporters", Action::kListExporters},
                                                   {"--list-interfaces", Action::kListInterfaces},
                                                   {"-V", Action::kVersion},
                                                   {"--version", Action::kVersion},
                                                   {"-h", Action::kHelp},
                                                   {"--help", Action::kHelp}};
    for (const auto& [option, action] : rows) CHECK(parsed({option}).action == action);
    CHECK(parsed({"-h", "-t"}).action == Action::kHelp);
    CHECK(parsed({"-V", "-h"}).action == Action::kHelp);
    CHECK(parsed({"-h", "--format", "csv"}).action == Action::kHelp);
}

TEST_CASE("CommandLine: wrong usage says what is wrong") {
    CHECK(refused({"--nonsense"}) == "unknown option --nonsense");
    CHECK(refused({"-x"}) == "unknown option -x");
    CHECK(refused({"-tx"}) == "unknown option -x");
    CHECK(refused({"eth0"}) == "unexpected argument 'eth0'");
    CHECK(refused({"-c"}) == "option -c needs a value: FILE");
    CHECK(refused({"-r"}) == "option -r needs a value: FILE...");
    CHECK(refused({"-r", "-w", "a.csv"}) == "option -r needs a value: FILE...");
    CHECK(refused({"--config"}) == "option --config needs a value: FILE");
    CHECK(refused({"--help=1"}) == "option --help takes no value");
    CHECK(refused({"-c", "a", "-c", "b"}) == "option -c is given twice");
    CHECK(refused({"-w", "a.csv", "-w", "b.csv"}) == "option -w is given twice");
}

TEST_CASE("CommandLine: help names every option and none that is not built") {
    const auto text = help_text();
    for (const char* option : {"-c, --config FILE", "-t, --check-config", "--print-config", "-r, --read FILE...",
                               "-w, --write PATH", "--format FORMAT", "--schema SCHEMA", "--set KEY=VALUE",
                               "--list-fields", "--list-exporters", "--list-interfaces", "-V, --version", "-h, --help"})
        CHECK_MESSAGE(text.find(option) != std::string::npos, option);
}

TEST_CASE("CommandLine: help keeps its lines short") {
    const auto text = help_text();
    std::size_t begin = 0;
    for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
        CHECK_MESSAGE(end - begin <= 82, text.substr(begin, end - begin));
}

}  // namespace
}  // namespace nfstreamd::daemon
