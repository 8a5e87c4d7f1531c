// SPDX-License-Identifier: Apache-2.0
#include "core/application/ndpi_rules.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/application/ndpi_module.hpp"
#include "tests/unit/config/workspace.hpp"

using namespace nfstreamd;
using nfstreamd::config::test::Workspace;
using Strings = std::vector<std::string>;

namespace {

// "LINE: what", or "what" of the file as a whole.
Strings complaints(const RuleFile& file, const std::string& path) {
    Strings out;
    for (const Error& problem : file.problems) {
        REQUIRE(problem.where.starts_with(path));
        const std::string line = problem.where.substr(path.size());
        out.push_back(line.empty() ? problem.message : line.substr(1) + ": " + problem.message);
    }
    return out;
}

Strings protocol_complaints(const std::string& text) {
    const Workspace workspace;
    const std::string path = workspace.write("protocols.txt", text);
    return complaints(read_protocols_file(path), path);
}

Strings category_complaints(const std::string& text) {
    const Workspace workspace;
    const std::string path = workspace.write("categories.txt", text);
    return complaints(read_categories_file(path), path);
}

constexpr const char* kGoodProtocols = R"(# ports
tcp:81,tcp:8181@HTTP
udp:5061-5062@SIP

tcp:3000@ntop
host:"disneyplus.com",host:"cdn.registerdisney.go.com"@DisneyPlus
host:*.example.org@My Service
ip:213.75.170.11/32:443@CustomProtocol
ip:8.248.73.247:443@AmazonPrime
ip:54.80.47.130@AmazonPrime
ip_risk_mask:192.168.1.0/24=0
host_risk_mask:".home"=0
trusted_issuer_dn:"CN=813845657003339838, O=Code42, OU=TEST, ST=MN, C=US"
)";

}  // namespace

TEST_CASE("read_protocols_file: every form that nDPI documents is good") {
    CHECK(protocol_complaints(kGoodProtocols) == Strings{});
    CHECK(protocol_complaints("") == Strings{});
    const Workspace workspace;
    CHECK(read_protocols_file(workspace.write("p", kGoodProtocols)).protocols ==
          Strings{"HTTP", "SIP", "ntop", "DisneyPlus", "My_Service", "CustomProtocol", "AmazonPrime"});
}

TEST_CASE("read_protocols_file: what nDPI would pass over, or stumble on, is named with its line") {
    CHECK(protocol_complaints("# fine\ntcp:80@HTTP\nHTTP\n") ==
          Strings{"3: is neither RULE,RULE,...@PROTOCOL nor a risk mask or trusted_issuer_dn"});
    CHECK(protocol_complaints("tcp:80@\n") == Strings{"1: has no name behind @"});
    CHECK(protocol_complaints("80@HTTP\n") == Strings{"1: \"80\" begins with none of tcp: udp: ip: host:"});
    CHECK(protocol_complaints("tcp:80, tcp:81@HTTP\n") ==
          Strings{"1: \" tcp:81\" begins with none of tcp: udp: ip: host:"});
    CHECK(protocol_complaints("tcp:80,@HTTP\n") == Strings{"1: \"\" begins with none of tcp: udp: ip: host:"});
    for (const std::string ports : {"", "http", "65535", "1-65535", "80-", "-80", "90-80", "80x", "80-90-100"}) {
        CAPTURE(ports);
        CHECK(protocol_complaints("udp:" + ports + "@HTTP\n") ==
              Strings{"1: \"" + ports + "\" is neither a port nor a range of ports, 0 to 65534"});
    }
    for (const std::string address :
         {"", "10.0.0", "10.0.0.1/33", "10.0.0.1/24:", "10.0.0.1:x", "2001:db8::1", "a.b"}) {
        CAPTURE(address);
        CHECK(protocol_complaints("ip:" + address + "@X\n") ==
              Strings{"1: \"" + address + "\" is no IPv4 address, ADDRESS[/BITS][:PORT]"});
    }
    for (const std::string host : {"", "\"\"", "\"a", "a\""}) {
        CAPTURE(host);
        CHECK(protocol_complaints("host:" + host + "@X\n") == Strings{"1: " + host + " is no host name"});
    }
    CHECK(protocol_complaints("ip_risk_mask:10.0.0.1\n") ==
          Strings{"1: ip_risk_mask: needs KEY=MASK, a decimal number"});
    CHECK(protocol_complaints("ip_risk_mask:10.0.0.1:80=0\n") == Strings{"1: no port here"});
    CHECK(protocol_complaints("host_risk_mask:\"a\"=all\n") ==
          Strings{"1: host_risk_mask: needs KEY=MASK, a decimal number"});
    CHECK(protocol_complaints("trusted_issuer_dn:\n") == Strings{"1: trusted_issuer_dn: needs a name"});
    CHECK(protocol_complaints("tcp:80@HTTP\r\n").size() == 1);
    CHECK(protocol_complaints(std::string("tcp:80\0@HTTP\n", 13)).size() == 1);
    CHECK(protocol_complaints("tcp:80@HTTP\ntcp:81@HTTP") ==
          Strings{"2: does not end: nDPI needs a newline behind the last line"});
}

TEST_CASE("read_protocols_file: many bad lines are counted, not all listed") {
    std::string text;
    for (int i = 0; i < 50; ++i) text += "x\n";
    const auto all = protocol_complaints(text);
    REQUIRE(all.size() == 21);
    CHECK(all[19].starts_with("20: "));
    CHECK(all[20] == "30 more lines are wrong");
}

TEST_CASE("read_categories_file: a name, a tab, a category") {
    CHECK(category_complaints("# comment\ninternetbadguys.com\t100\n144.139.247.220\t100\n10.0.0.0/8\t1\tmore\n\n") ==
          Strings{});
    CHECK(category_complaints("example.org 100\n") == Strings{"1: must be a name, a tab and the number of a category"});
    CHECK(category_complaints("\t100\n") == Strings{"1: must be a name, a tab and the number of a category"});
    CHECK(category_complaints("example.org\tWeb\n")[0].starts_with("1: \"Web\" is no category, 0 to "));
    CHECK(category_complaints("example.org\t100000\n")[0].starts_with("1: \"100000\" is no category, 0 to "));
    CHECK(category_complaints(std::string(600, 'a') + "\t1\n") == Strings{"1: is longer than nDPI reads"});
    CHECK(category_complaints("example.org\t100") ==
          Strings{"1: does not end: nDPI needs a newline behind the last line"});
}

TEST_CASE("read_protocols_file: a file that is not there, and one that is none") {
    const Workspace workspace;
    const auto missing = read_protocols_file(workspace.path("none"));
    REQUIRE(missing.problems.size() == 1);
    CHECK(missing.problems[0].where == workspace.path("none"));
    CHECK(missing.problems[0].message == "there is no such file");
    const auto folder = read_categories_file(workspace.path(""));
    REQUIRE(folder.problems.size() == 1);
    CHECK(folder.problems[0].message == "is not a regular file");
}

TEST_CASE("read_protocols_file: content tells one text from another") {
    const Workspace workspace;
    const auto content = [&](const std::string& text) {
        return read_protocols_file(workspace.write("p", text)).content;
    };
    CHECK(content("tcp:80@HTTP\n") == content("tcp:80@HTTP\n"));
    CHECK(content("tcp:80@HTTP\n") != content("tcp:81@HTTP\n"));
}

TEST_CASE("NdpiModule: takes good rules, refuses bad ones and more than it has room for") {
    const Workspace workspace;
    const auto protocols = [&](const std::string& text) { return NdpiFiles{workspace.write("p", text), "", 0}; };
    CHECK(NdpiModule::create(protocols(kGoodProtocols)));
    const auto bad = NdpiModule::create(protocols("host:\"\"@X\n"));
    REQUIRE_FALSE(bad);
    CHECK(bad.error().where == workspace.path("p") + ":1");
    const auto bad_categories = NdpiModule::create({"", workspace.write("c", "x\n"), 0});
    REQUIRE_FALSE(bad_categories);
    CHECK(bad_categories.error().where == workspace.path("c") + ":1");

    std::string many;
    for (int i = 0; i < 3000; ++i) many += "tcp:" + std::to_string(20000 + i) + "@Own" + std::to_string(i) + "\n";
    const auto too_many = NdpiModule::create(protocols(many));
    REQUIRE_FALSE(too_many);
    CHECK(too_many.error().message.starts_with("3000 protocols are not nDPI's, which has room for "));
    std::string enough;  // ports of protocols that nDPI has take no room
    for (int i = 0; i < 3000; ++i) enough += "tcp:" + std::to_string(20000 + i) + "@HTTP\n";
    CHECK(NdpiModule::create(protocols(enough)));
}
