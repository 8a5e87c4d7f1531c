// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics/health.hpp"

#include <doctest/doctest.h>

#include <string>

namespace nfstreamd::daemon {
namespace {

DaemonStatus healthy() {
    DaemonStatus status;
    status.version = "1.2.3", status.instance = "edge1";
    auto& interface = status.interfaces.emplace_back();
    interface.source.name = "eth0";
    interface.capture.up = true;
    auto& exporter = status.exporters.emplace_back();
    exporter.name = "main";
    return status;
}

TEST_CASE("health: well while interfaces are captured on, whatever the collectors do") {
    const auto status = healthy();
    const auto health = health_of(status, false);
    CHECK(health.ok());
    CHECK(health_json(status, health) ==
          R"({"healthy":true,"problems":[],"degraded":[],"version":"1.2.3","instance":"edge1","uptime_s":0,)"
          R"("interfaces":{"eth0":true},"exporters":{"main":false}})");
}

TEST_CASE("health: says what is wrong") {
    auto status = healthy();
    CHECK(health_of(status, true).problems == std::vector<std::string>{"the daemon is stopping"});
    status.interfaces.push_back(status.interfaces[0]);
    status.interfaces[1].capture.up = false;
    status.interfaces[1].source.name = "eth1";
    status.interfaces[1].source.state = "waiting: no such device";
    status.interfaces[1].required = {"eth1"};
    status.exporters[0].failed_for_good = true;
    status.exporters[0].last_error = "no space";
    const auto health = health_of(status, false);
    CHECK(health.problems == std::vector<std::string>{"interface eth1 is not captured on: waiting: no such device",
                                                      "exporter main has failed for good: no space"});
    CHECK(health_json(status, health).find(R"("healthy":false,"problems":["interface eth1)") != std::string::npos);
    CHECK(!health_of({}, false).ok());
}

TEST_CASE("health: what is not required may be away, unless nothing is left") {
    auto status = healthy();
    status.interfaces.push_back(status.interfaces[0]);
    status.interfaces[0].capture.up = false;
    status.interfaces[0].source.state = "down";
    const auto health = health_of(status, false);
    CHECK(health.ok());
    CHECK(health.degraded == std::vector<std::string>{"interface eth0 is not captured on: down"});
    CHECK(health_json(status, health).find(R"("problems":[],"degraded":["interface eth0 is)") != std::string::npos);
    status.interfaces[1].capture.up = false;
    CHECK(health_of(status, false).problems == std::vector<std::string>{"no interface is captured on"});
    CHECK(health_of(status, false).degraded.size() == 2);
}

TEST_CASE("health: of a group every interface counts") {
    auto status = healthy();
    for (const char* name : {"tap0", "tap1"}) {
        auto& member = status.interfaces[0].members.emplace_back();
        member.source.name = name, member.source.state = "waiting";
        member.capture.up = name[3] == '0';
    }
    CHECK(health_of(status, false).degraded == std::vector<std::string>{"interface tap1 is not captured on: waiting"});
    status.interfaces[0].required = {"tap1"};
    CHECK(health_of(status, false).problems == std::vector<std::string>{"interface tap1 is not captured on: waiting"});
}

}  // namespace
}  // namespace nfstreamd::daemon
