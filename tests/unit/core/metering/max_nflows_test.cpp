// SPDX-License-Identifier: Apache-2.0
// nfstream's max_nflows in one and in several metering processes.
#include <doctest/doctest.h>

#include <thread>

#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kB = "10.0.0.2";

MeteringOptions short_options() {
    MeteringOptions options = plain_options();
    options.idle_timeout = 1s;
    options.n_dissections = 5;
    options.statistical_analysis = true;
    return options;
}

}  // namespace

TEST_CASE("max_nflows: exactly so many records leave, reading stops, and what was held is discarded and counted") {
    FileRun file(short_options());
    file.set_budget(std::make_shared<FlowBudget>(100));
    for (int i = 0; i < 5000; ++i) file.add(udp_frame(host(i), kB), kStart + i * 100 * kMs);
    const auto& records = file.run();  // checks the totals
    CHECK(records.size() == 100);
    for (const auto* r : records) CHECK(r->end_reason == EndReason::kIdle);
    CHECK(file.process().capture().frames < 400);
    CHECK(file.process().counters().flows_discarded.get() > 0);
    CHECK(file.process().counters().flows_discarded.get() == file.process().counters().packets_discarded.get());
}

TEST_CASE("max_nflows: the last flows of the input count, too") {
    FileRun file(short_options());
    file.set_budget(std::make_shared<FlowBudget>(7));
    for (int i = 0; i < 10; ++i) file.add(udp_frame(host(i), kB), kStart);
    CHECK(file.run().size() == 7);
    CHECK(file.process().counters().flows_discarded.get() == 3);
}

TEST_CASE("max_nflows: an input with fewer flows is read to its end") {
    FileRun file(short_options());
    file.set_budget(std::make_shared<FlowBudget>(11));
    for (int i = 0; i < 10; ++i) file.add(udp_frame(host(i), kB), kStart);
    CHECK(file.run().size() == 10);
    CHECK(file.process().counters().flows_discarded.get() == 0);
}

TEST_CASE("max_nflows: metering processes share it, and each ends when it is reached") {
    const auto budget = std::make_shared<FlowBudget>(500);
    std::vector<std::unique_ptr<Received>> received;
    std::vector<std::unique_ptr<MeteringProcess>> processes;
    for (std::uint32_t i = 0; i < 3; ++i) {
        received.push_back(std::make_unique<Received>());
        auto source = LinkRun::link();  // they would wait for more
        for (int n = 0; n < 300; ++n) source->add(udp_frame(host(n), kB), kStart);
        processes.push_back(std::make_unique<MeteringProcess>(ObservationPoint{i + 1, "test", false}, short_options(),
                                                              std::move(source), std::vector{received[i]->queue()},
                                                              quiet_logger()));
        processes[i]->set_flow_budget(budget);
        REQUIRE(processes[i]->open());
    }
    {
        std::vector<std::jthread> threads;
        for (auto& process : processes) threads.emplace_back([&] { CHECK(process->run({})); });
        for (auto& process : processes) process->request_expire();
        // threads end by themselves
    }
    std::size_t records = 0, discarded = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        records += received[i]->records().size();
        discarded += processes[i]->counters().flows_discarded.get();
        check_totals(*processes[i], received[i]->records());
    }
    CHECK(records == 500);
    CHECK(discarded <= 400);
}
