// SPDX-License-Identifier: Apache-2.0
#include "core/metering/application_counts.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

void count(ApplicationCounts& counts, const std::string& name, std::uint32_t packets = 1, std::uint64_t octets = 0) {
    ApplicationRecord application;
    application.name = name;
    FlowRecord record;
    record.application = &application;
    record.forward.packets = packets;
    record.forward.octets = octets;
    counts.count(record);
}

ApplicationCountsByName totals_of(const ApplicationCounts& counts) {
    ApplicationCountsByName totals;
    counts.add_to(totals);
    return totals;
}

}  // namespace

TEST_CASE("ApplicationCounts: both directions of every record, by the name that the record has") {
    ApplicationCounts counts;
    counts.enable();
    CHECK(totals_of(counts).empty());
    count(counts, "TLS.Google", 3, 100);
    count(counts, "DNS", 1, 60);
    ApplicationRecord application;
    application.name = "TLS.Google";
    FlowRecord record;
    record.application = &application;
    record.forward.packets = 1, record.forward.octets = 40;
    record.reverse.packets = 2, record.reverse.octets = 1000;
    counts.count(record);
    record.application = nullptr;
    counts.count(record);
    auto totals = totals_of(counts);
    REQUIRE(totals.size() == 3);
    CHECK(totals["TLS.Google"].flows == 2);
    CHECK(totals["TLS.Google"].packets == 6);
    CHECK(totals["TLS.Google"].octets == 1140);
    CHECK(totals["DNS"].octets == 60);
    CHECK(totals["(not dissected)"].packets == 3);
    counts.add_to(totals);  // of another meter
    CHECK(totals["DNS"].flows == 2);
}

TEST_CASE("ApplicationCounts: names beyond the limit are counted together, those before keep their place") {
    ApplicationCounts counts;
    counts.enable();
    const auto more = ApplicationCounts::kMost + 100;
    for (std::size_t i = 0; i < more; ++i) count(counts, "name " + std::to_string(i));
    count(counts, "name 0");
    auto totals = totals_of(counts);
    CHECK(totals.size() == ApplicationCounts::kMost + 1);
    CHECK(totals["name 0"].flows == 2);
    CHECK(totals["(other)"].flows == 100);
}

TEST_CASE("ApplicationCounts: a reader sees whole names while they come") {
    ApplicationCounts counts;
    counts.enable();
    std::atomic<bool> over{false};
    std::jthread writer([&] {
        for (int i = 0; i < 400; ++i) count(counts, "an application with a long name " + std::to_string(i));
        over = true;
    });
    bool whole = true;
    while (!over) {
        for (const auto& [name, totals] : totals_of(counts))
            whole = whole && name.starts_with("an application with a long name ") && totals.flows == 1;
    }
    CHECK(whole);
    writer.join();
    CHECK(totals_of(counts).size() == 400);
}

TEST_CASE("ApplicationCounts: a metering process counts every record that it makes, if it dissects") {
    MeteringOptions options = plain_options();
    FileRun plain(options);
    const auto frame = [](std::uint16_t port) {
        return PacketBuilder(40).udp(port, 9999).ipv4("10.0.0.1", "10.0.0.2").ethernet();
    };
    plain.add(frame(1000), kStart).run();
    CHECK(!plain.process().counters().applications.enabled());

    options.n_dissections = 20;
    FileRun file(options);
    for (std::uint16_t port = 1000; port < 1010; ++port) file.add(frame(port), kStart).add(frame(port), kStart);
    file.run();
    const auto totals = totals_of(file.process().counters().applications);
    REQUIRE(totals.size() == 1);
    CHECK(totals.begin()->first == "Unknown");
    CHECK(totals.begin()->second.flows == 10);
    CHECK(totals.begin()->second.packets == 20);
    CHECK(totals.begin()->second.octets == file.process().counters().octets.get());
}
