// SPDX-License-Identifier: Apache-2.0
#include "core/host/interface_names.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/support/temporary_folder.hpp"

using namespace nfstreamd;

TEST_CASE("interface_names: the loopback is among them, each with a number of its own") {
    const auto names = interface_names();
    CHECK(std::any_of(names.begin(), names.end(), [](const auto& one) { return one.name == "lo" && one.index > 0; }));
}

TEST_CASE("interface_alias: what the operator wrote, and nothing where there is none or no such name") {
    const test::TemporaryFolder sys;
    std::filesystem::create_directories(sys.path("class/net/eth0"));
    std::filesystem::create_directories(sys.path("class/net/eth1"));
    std::ofstream(sys.path("class/net/eth0/ifalias")) << "uplink to the provider\n";
    std::ofstream(sys.path("class/net/eth1/ifalias")) << "";
    std::ofstream(sys.path("ifalias")) << "not of an interface\n";
    CHECK(interface_alias("eth0", sys.path("")) == "uplink to the provider");
    CHECK(interface_alias("eth1", sys.path("")).empty());
    CHECK(interface_alias("eth2", sys.path("")).empty());
    CHECK(interface_alias("../..", sys.path("")).empty());
    CHECK(interface_alias("", sys.path("")).empty());
}
