// SPDX-License-Identifier: Apache-2.0
#include "daemon/check.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/capture/merged_source.hpp"
#include "tests/support/recording_exporter.hpp"

namespace nfstreamd::daemon {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

config::CaptureConfig entry(std::vector<std::string> interfaces, std::string group, std::string where) {
    config::CaptureConfig made;
    made.interfaces = std::move(interfaces);
    made.group = std::move(group);
    made.where = std::move(where);
    return made;
}

config::Config two_of_a_group() {
    config::Config config;
    config.capture = {entry({"eth0"}, "tap", "f:1:1"), entry({"eth1"}, "tap", "f:2:2")};
    return config;
}

Texts errors_of(const config::Config& config) {
    Texts texts;
    for (const auto& error : check_config(config, test::quiet_logger())) texts.push_back(error.text());
    return texts;
}

TEST_CASE("check: entries of a group agree in what concerns their meter") {
    CHECK(errors_of(two_of_a_group()).empty());
    auto config = two_of_a_group();
    config.capture[1].options.bpf_filter = "udp";
    config.capture[1].options.snapshot_length = 256;
    CHECK(errors_of(config).empty());
    config.capture[1].merge.reorder_window = 20ms;
    config.capture[1].merge.deduplicate = 5ms;
    config.capture[1].n_meters = 3;
    config.capture[1].selection.sampling.rate = 10;
    config.capture[1].selection.hash = {{"src_ip"}, 0.5, 1};
    CHECK(errors_of(config) ==
          Texts{"f:2:2: capture[1].reorder_window: must be as in the first entry of group 'tap', f:1:1",
                "f:2:2: capture[1].deduplicate: must be as in the first entry of group 'tap', f:1:1",
                "f:2:2: capture[1].n_meters: must be as in the first entry of group 'tap', f:1:1",
                "f:2:2: capture[1].packet_sampling: must be as in the first entry of group 'tap', f:1:1",
                "f:2:2: capture[1].packet_hash_filter: must be as in the first entry of group 'tap', f:1:1"});
}

TEST_CASE("check: a group has interfaces or capture files") {
    auto config = two_of_a_group();
    config.capture[1].interfaces.clear();
    config.capture[1].pcap = {"a.pcap"};
    const auto errors = errors_of(config);
    REQUIRE_FALSE(errors.empty());
    CHECK(errors[0] == "f:2:2: capture[1].group: group 'tap' cannot have both interfaces and capture files");
}

TEST_CASE("check: deduplicate needs a group, and octets to compare") {
    auto config = two_of_a_group();
    for (auto& capture : config.capture) capture.merge.deduplicate = 5ms;
    CHECK(errors_of(config).empty());
    config.capture[0].options.snapshot_length = 127;
    CHECK(errors_of(config) == Texts{"f:1:1: capture[0].snapshot_length: must be 128 at least for packets to be told "
                                     "apart by deduplicate"});
    config.capture = {entry({"eth0", "eth1"}, "", "f:1:1")};
    config.capture[0].merge.deduplicate = 5ms;
    CHECK(errors_of(config) == Texts{"f:1:1: capture[0].deduplicate: needs a group: the interfaces that are compared"});
}

TEST_CASE("check: a group has a name of its own, and so many members") {
    auto config = two_of_a_group();
    config.capture.push_back(entry({"tap"}, "", "f:3:3"));
    CHECK(errors_of(config) == Texts{"capture: 'tap' is the name of two inputs: call the group otherwise"});
    config = two_of_a_group();
    for (std::size_t i = 0; i + 2 < kMostMembers; ++i) config.capture[0].interfaces.push_back("i" + std::to_string(i));
    CHECK(errors_of(config).empty());
    config.capture[0].interfaces.push_back("more");
    CHECK(errors_of(config) == Texts{"capture: group 'tap' has 256 interfaces or files, the most are 255"});
}

}  // namespace
}  // namespace nfstreamd::daemon
