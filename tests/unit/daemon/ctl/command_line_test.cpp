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
    CHECK(parsed({"collect", "a.ipfix"}).word == "a.ipfix");
    CHECK(parsed({"collect", "-"}).word == "-");
    CHECK_FALSE(parsed({"collect"}).listen);
    CHECK(refused({"collect", "a.ipfix", "--listen", "udp://127.0.0.1:1"}).find("not both") != std::string::npos);
    CHECK(refused({"collect", "a.ipfix", "b.ipfix"}) == "unexpected argument 'b.ipfix'");
}

TEST_CASE("nfstreamctl: collect may verify for a collector, as text or JSON") {
    CHECK(parsed({"collect", "--verify", "nfdump"}).verify == "nfdump");
    CHECK(parsed({"collect", "--verify=nfdump", "--json", "a.ipfix"}).json);
    CHECK_FALSE(parsed({"collect"}).verify);
}

TEST_CASE("nfstreamctl: flows, top, doctor and resend-templates have their options") {
    const auto flows =
        parsed({"flows", "--filter", "dst_port == 53\nand protocol == 17", "--limit=5", "--sort", "newest"});
    CHECK(flows.filter == "dst_port == 53 and protocol == 17");
    CHECK(flows.limit == 5);
    CHECK(flows.sort == "newest");
    CHECK(parsed({"flows"}).limit == 20);
    const auto top = parsed({"top", "--interval", "7", "--once", "--sort=sent"});
    CHECK(top.interval == std::chrono::seconds(7));
    CHECK(top.once);
    CHECK(parsed({"resend-templates", "main"}).word == "main");
    const auto doctor = parsed({"doctor", "-c", "a.yaml", "--report", "r.txt", "--json"});
    CHECK(doctor.config == "a.yaml");
    CHECK(doctor.report == "r.txt");
}

TEST_CASE("nfstreamctl: a reload may be for one process alone") {
    CHECK(parsed({"reload"}).main_pid == 0);
    CHECK(parsed({"reload", "--main-pid", "4711"}).main_pid == 4711);
    for (const char* wrong : {"0", "x", "12x"})
        CHECK(refused({"reload", "--main-pid", wrong}) ==
              "--main-pid " + std::string(wrong) + ": is no number of a process");
    CHECK(refused({"status", "--main-pid", "1"}) == "--main-pid belongs to reload");
}

TEST_CASE("nfstreamctl: wrong usage says what is wrong") {
    CHECK(refused({}) == "which command?");
    CHECK(refused({"dance"}) == "unknown command 'dance'");
    CHECK(refused({"status", "now"}) == "unexpected argument 'now'");
    CHECK(refused({"expire", "--json"}) ==
          "--json belongs to status, top, flows, interfaces, exporters, audit, reload, resend-templates, doctor and "
          "collect");
    CHECK(refused({"collect", "--json"}) == "--json belongs to collect only with --verify");
    CHECK(refused({"status", "--filter", "x"}) == "--filter belongs to flows");
    CHECK(refused({"flows", "--once"}) == "--once belongs to top");
    CHECK(refused({"flows", "--limit", "0"}) == "--limit 0: is no number from 1 to 4096");
    CHECK(refused({"flows", "--limit", "5000"}) == "--limit 5000: is no number from 1 to 4096");
    CHECK(refused({"flows", "--sort", "sent"}).find("--sort sent: is none of octets") == 0);
    CHECK(refused({"top", "--sort", "newest"}).find("--sort newest: is none of total") == 0);
    CHECK(refused({"top", "--interval", "0"}).find("--interval 0: ") == 0);
    CHECK(refused({"top", "--interval", "x"}).find("--interval x: ") == 0);
    CHECK(refused({"resend-templates", "a", "b"}) == "unexpected argument 'b'");
    CHECK(refused({"doctor", "--report"}).find("needs a value") != std::string::npos);
    CHECK(refused({"status", "--verify", "nfdump"}) == "--verify belongs to collect");
    CHECK(refused({"status", "--listen", "udp://127.0.0.1:1"}) == "--listen belongs to collect");
    CHECK(refused({"--nonsense"}) == "unknown option --nonsense");
}

TEST_CASE("nfstreamctl: help and version need no command") {
    CHECK(parsed({"-h"}).action == Action::kHelp);
    CHECK(parsed({"status", "--help"}).action == Action::kHelp);
    CHECK(parsed({"-V"}).action == Action::kVersion);
    for (const char* word : {"status", "top", "flows", "interfaces", "exporters", "audit", "expire", "reload",
                             "resend-templates", "doctor", "collect", "--listen", "--socket", "--filter", "--report"})
        CHECK_MESSAGE(help_text().find(word) != std::string::npos, word);
}

}  // namespace
}  // namespace nfstreamd::ctl
