// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/command_line.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace nfstreamd::ctl {
namespace {

CommandLine parsed(std::vector<std::string> arguments) {
    auto line = parse_command_line(arguments);
    REQUIRE_MESSAGE(line.has_value(), (line ? "" : line.error().message));
    return std::move(line.value());
}

std::string refused(std::vector<std::string> arguments) {
    const auto line = parse_command_line(arguments);
    REQUIRE_FALSE(line.has_value());
    return line.error().message;
}

TEST_CASE("nfstreamctl: options may stand before and after the command") {
    const auto before = parsed({"-s", "/tmp/x.sock", "status", "--json"});
    CHECK(before.action == Action::kStatus);
    CHECK(before.socket == "/tmp/x.sock");
    CHECK(before.json);
    const auto after = parsed({"expire", "--socket=/tmp/x.sock"});
    CHECK(after.action == Action::kExpire);
    CHECK(after.socket == "/tmp/x.sock");
    CHECK(parsed({"audit", "--json"}).action == Action::kAudit);
    CHECK(parsed({"status"}).socket == "/run/nfstreamd/control.sock");
}

TEST_CASE("nfstreamctl: collect listens or reads a file") {
    CHECK(parsed({"collect", "--listen", "tcp://127.0.0.1:0"}).listen == "tcp://127.0.0.1:0");
    CHECK(parsed({"collect", "a.ipfix"}).file == "a.ipfix");
    CHECK(parsed({"collect", "-"}).file == "-");
    CHECK_FALSE(parsed({"collect"}).listen);
    CHECK(refused({"collect", "a.ipfix", "--listen", "udp://127.0.0.1:1"}).find("not both") != std::string::npos);
    CHECK(refused({"collect", "a.ipfix", "b.ipfix"}) == "unexpected argument 'b.ipfix'");
}

TEST_CASE("nfstreamctl: collect may verify for a collector, as text or JSON") {
    CHECK(parsed({"collect", "--verify", "nfdump"}).verify == "nfdump");
    CHECK(parsed({"collect", "--verify=nfdump", "--json", "a.ipfix"}).json);
    CHECK_FALSE(parsed({"collect"}).verify);
}

TEST_CASE("nfstreamctl: wrong usage says what is wrong") {
    CHECK(refused({}) == "which command?");
    CHECK(refused({"dance"}) == "unknown command 'dance'");
    CHECK(refused({"status", "now"}) == "unexpected argument 'now'");
    CHECK(refused({"expire", "--json"}) == "--json belongs to status, audit and collect --verify");
    CHECK(refused({"collect", "--json"}) == "--json belongs to status, audit and collect --verify");
    CHECK(refused({"status", "--verify", "nfdump"}) == "--verify belongs to collect");
    CHECK(refused({"status", "--listen", "udp://127.0.0.1:1"}) == "--listen belongs to collect");
    CHECK(refused({"--nonsense"}) == "unknown option --nonsense");
}

TEST_CASE("nfstreamctl: help and version need no command") {
    CHECK(parsed({"-h"}).action == Action::kHelp);
    CHECK(parsed({"status", "--help"}).action == Action::kHelp);
    CHECK(parsed({"-V"}).action == Action::kVersion);
    for (const char* word : {"status", "audit", "expire", "collect", "--listen", "--socket"})
        CHECK_MESSAGE(help_text().find(word) != std::string::npos, word);
}

}  // namespace
}  // namespace nfstreamd::ctl
