// SPDX-License-Identifier: Apache-2.0
#include "core/enrichment/oui_table.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace nfstreamd;

namespace {

struct Parsed {
    OuiTable table;
    std::vector<std::string> problems;
    explicit Parsed(const std::vector<std::string>& texts) {
        std::vector<Error> errors;
        for (const auto& text : texts) table.parse(text, "v", errors);
        for (const auto& error : errors) problems.push_back(error.text());
        table.build();
    }
};

constexpr MacAddress kLarge{0x00, 0x22, 0x72, 1, 2, 3}, kMedium{0x74, 0x1a, 0xe0, 0x9f, 2, 3},
    kOtherMedium{0x74, 0x1a, 0xe0, 0x8f, 2, 3}, kSmall{0x70, 0xb3, 0xd5, 0xf2, 0xf5, 3},
    kOtherSmall{0x70, 0xb3, 0xd5, 0xf2, 0xe5, 3};

void check_vendors(const OuiTable& table) {
    CHECK(table.vendor(kLarge) == "American Micro-Fuel Device Corp.");
    CHECK(table.vendor(kMedium) == "IOG, \"Products\" LLC");
    CHECK(table.vendor(kOtherMedium) == "Registry of Blocks");
    CHECK(table.vendor(kSmall) == "TELEPLATFORMS");
    CHECK(table.vendor(kOtherSmall).empty());
    CHECK(table.vendor({}).empty());
    CHECK(table.vendor({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}).empty());
}

}  // namespace

TEST_CASE("OuiTable: reads IEEE's CSV files of 24, 28 and 36 bits, addresses over several lines included") {
    const std::string header = "Registry,Assignment,Organization Name,Organization Address\r\n";
    const Parsed parsed({header + "MA-L,002272,American Micro-Fuel Device Corp.,2181 Loop US 98248 \r\n"
                                  "MA-L,741AE0,Registry of Blocks,\"a\nb\"\r\n",
                         header + "MA-M,741AE09,\"IOG, \"\"Products\"\" LLC\",\r\n",
                         header + "MA-S,70B3D5F2F,TELEPLATFORMS,\"Polbina st., 3/1 Moscow\"\r\n"});
    CHECK(parsed.problems.empty());
    CHECK(parsed.table.size() == 4);
    check_vendors(parsed.table);
}

TEST_CASE("OuiTable: reads IEEE's text files of 24, 28 and 36 bits") {
    const std::string header =
        "OUI/MA-L                      Organization\r\ncompany_id                    Organization\r\n"
        "                              Address\r\n\r\n";
    const auto entry = [](const std::string& block, const std::string& range, const std::string& name) {
        return block + "   (hex)\t\t" + name + "\r\n" + range + "     (base 16)\t\t" + name +
               "\r\n\t\t\t\t2181 Buchanan Loop\r\n\t\t\t\tUS\r\n\r\n";
    };
    const Parsed parsed({header + entry("00-22-72", "002272", "American Micro-Fuel Device Corp.") +
                             entry("74-1A-E0", "741AE0", "Registry of Blocks"),
                         header + entry("74-1A-E0", "900000-9FFFFF", "IOG, \"Products\" LLC"),
                         header + entry("70-B3-D5", "F2F000-F2FFFF", "TELEPLATFORMS")});
    CHECK(parsed.problems.empty());
    CHECK(parsed.table.size() == 4);
    check_vendors(parsed.table);
}

TEST_CASE("OuiTable: reads Wireshark's manuf, the long name where there is one") {
    const Parsed parsed(
        {"# /etc/manuf\n\n00:22:72\tAmerican\tAmerican Micro-Fuel Device Corp.\n"
         "74:1A:E0\tRegistry\t\tRegistry of Blocks\n"
         "74:1A:E0:90:00:00/28\tIOG\tIOG, \"Products\" LLC\t# since 2022\n"
         "70-B3-D5-F2-F0-00/36\tTELEPLATFORMS\n00:00:0C:07:AC:00/40\tAll-HSRP-routers\n"
         "01:80:C2:00:00:0E\tLLDP-Multicast\n"});
    CHECK(parsed.problems.empty());
    check_vendors(parsed.table);
    CHECK(parsed.table.vendor({0, 0, 0x0c, 7, 0xac, 0x11}) == "All-HSRP-routers");
    CHECK(parsed.table.vendor({1, 0x80, 0xc2, 0, 0, 0x0e}) == "LLDP-Multicast");
    CHECK(parsed.table.vendor({1, 0x80, 0xc2, 0, 0, 0x0f}).empty());
}

TEST_CASE("OuiTable: reads a CSV of prefixes and vendors in any spelling of the prefix") {
    const Parsed parsed(
        {"prefix,vendor\n00:22:72,American Micro-Fuel Device Corp.\n741ae0,Registry of Blocks\n"
         "74-1A-E0-9,\"IOG, \"\"Products\"\" LLC\"\n70:b3:d5:f2:f0:00/36,TELEPLATFORMS\n"});
    CHECK(parsed.problems.empty());
    check_vendors(parsed.table);
}

TEST_CASE("OuiTable: of a prefix that is there twice the first vendor stays, over files too") {
    const Parsed parsed({"002272,First\n002272,Second\n", "00:22:72,Third\n"});
    CHECK(parsed.problems.empty());
    CHECK(parsed.table.vendor(kLarge) == "First");
}

TEST_CASE("OuiTable: every line that is wrong is named") {
    using Lines = std::vector<std::string>;
    CHECK(Parsed({"002272,A\n00227x,B\n002272\n00:22:72:00:00:00:00,C\n002272/49,D\n0,E\n002272,\n"}).problems ==
          Lines{"v:2: \"00227x\" is no prefix of a hardware address, such as 00:1B:C5", "v:3: must be prefix,vendor",
                "v:4: \"00:22:72:00:00:00:00\" is no prefix of a hardware address, such as 00:1B:C5",
                "v:5: \"002272/49\" is no prefix of a hardware address, such as 00:1B:C5",
                "v:6: \"0\" is no prefix of a hardware address, such as 00:1B:C5", "v:7: has no vendor"});
    CHECK(Parsed({"00:22:72\tA\nzz\tB\n"}).problems ==
          Lines{"v:2: \"zz\" is no prefix of a hardware address, such as 00:1B:C5"});
    CHECK(Parsed({"<html>\n"}).problems ==
          Lines{"v: is neither IEEE's oui.csv or oui.txt, nor Wireshark's manuf, nor a CSV of prefix,vendor"});
    CHECK(Parsed({""}).problems.size() == 1);
}
