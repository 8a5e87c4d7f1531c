// SPDX-License-Identifier: Apache-2.0
#include "core/metering/table_reader.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

std::shared_ptr<FlowListing> listing(std::size_t limit, FlowOrder order = FlowOrder::kOctets,
                                     const std::string& filter = "") {
    auto made = std::make_shared<FlowListing>();
    made->limit = limit;
    made->order = order;
    if (filter.empty()) return made;
    auto expression = FilterExpression::parse(filter, FieldGroups{.statistics = true});
    REQUIRE_MESSAGE(expression.has_value(), (expression ? "" : expression.error().text()));
    made->filter = std::make_shared<const FilterExpression>(std::move(expression.value()));
    return made;
}

template <class Asked>
std::shared_ptr<Asked> answered(LinkRun& run, std::shared_ptr<Asked> asked) {
    run.process().ask(asked);
    CHECK(run.wait_until([&] { return asked->done(); }));
    return asked;
}

std::vector<int> ports(const FlowListing& asked) {
    std::vector<int> found;
    for (const FlowRecord& record : asked.found.records) found.push_back(record.source_port);
    return found;
}

Bytes udp6_frame(std::uint16_t port, std::size_t payload) {
    return PacketBuilder(payload).udp(port, 53).ipv6("2001:db8::1", "2001:db8::2").ethernet();
}

}  // namespace

TEST_CASE("TableReader: flows of both families come in the order that was asked for") {
    LinkRun run;
    for (std::uint16_t port = 1; port <= 9; ++port) {
        const TimestampNs at = kStart + port * kMs;
        if (port % 3 == 0)
            run.source().add(udp6_frame(port, 100u * port), at);
        else
            run.source().add(udp_frame("10.0.0.1", "10.0.0.2", port, 53, 100u * port), at);
    }
    REQUIRE(run.source().wait_until_silent(2));

    const auto largest = answered(run, listing(3));
    CHECK(ports(*largest) == std::vector<int>{9, 8, 7});
    CHECK(largest->complete());
    CHECK(largest->flows == 9);
    CHECK(largest->matching == 9);
    CHECK(ports(*answered(run, listing(2, FlowOrder::kOldest))) == std::vector<int>{1, 2});
    CHECK(ports(*answered(run, listing(2, FlowOrder::kNewest))) == std::vector<int>{9, 8});
    CHECK(ports(*answered(run, listing(100))).size() == 9);
    run.source().add(udp_frame("10.0.0.1", "10.0.0.2", 2, 53, 1), kStart + 20 * kMs);
    REQUIRE(run.source().wait_until_silent(2));
    CHECK(ports(*answered(run, listing(1, FlowOrder::kPackets))) == std::vector<int>{2});
    CHECK(ports(*answered(run, listing(1, FlowOrder::kDuration))) == std::vector<int>{2});
    CHECK(ports(*answered(run, listing(1, FlowOrder::kLast))) == std::vector<int>{2});
    CHECK(run.stop().size() == 9);  // all of them are still there, and leave once
}

TEST_CASE("TableReader: a filter sees what the record would have, statistics included") {
    MeteringOptions options = plain_options();
    options.statistical_analysis = true;
    LinkRun run(options);
    for (std::uint16_t port = 1; port <= 4; ++port)
        for (int i = 0; i < port; ++i)
            run.source().add(udp_frame("10.0.0.1", "10.0.0.2", port, 53, 10u * port), kStart + i * kMs);
    REQUIRE(run.source().wait_until_silent(2));
    const auto asked = answered(run, listing(10, FlowOrder::kOctets, "bidirectional_max_ps >= 72 and src_port != 4"));
    CHECK(ports(*asked) == std::vector<int>{3});
    CHECK(asked->flows == 4);
    CHECK(asked->matching == 1);
    const FlowRecord& record = asked->found.records.at(0);
    REQUIRE(record.statistics != nullptr);
    CHECK(record.statistics->bidirectional.max_ps == 72);
    CHECK(record.packets() == 3);
    CHECK(record.end_reason == EndReason::kForced);
    const auto& records = run.stop();
    REQUIRE(records.size() == 4);
    std::set<std::uint64_t> ids;
    for (const auto* r : records) ids.insert(r->id);
    CHECK(ids.size() == 4);
    CHECK(*ids.rbegin() - *ids.begin() == 3);  // a look takes no flow id
}

TEST_CASE("TableReader: flows that have ended are not told of, and their places are taken again") {
    LinkRun run;
    for (std::uint16_t port = 1; port <= 5; ++port) run.source().add(udp_frame("10.0.0.1", "10.0.0.2", port), kStart);
    REQUIRE(run.source().wait_until_silent(2));
    run.process().request_expire();
    CHECK(run.wait_until([&] { return run.process().counters().flows_active.get() == 0; }));
    CHECK(answered(run, listing(10))->flows == 0);
    run.source().add(udp_frame("10.0.0.1", "10.0.0.2", 7), kStart + kMs);
    REQUIRE(run.source().wait_until_silent(2));
    CHECK(ports(*answered(run, listing(10))) == std::vector<int>{7});
}

TEST_CASE("TableReader: more flows than one step looks at are all found, packets are metered meanwhile") {
    MeteringOptions options = plain_options();
    options.max_flows = 20'000;
    LinkRun run(options);
    constexpr int kFlows = 10'000;
    for (int i = 0; i < kFlows; ++i) run.source().add(udp_frame(host(i), "192.0.2.1"), kStart + i);
    REQUIRE(run.source().wait_until_silent(2));
    auto asked = listing(4096);
    run.process().ask(asked);
    for (int i = 0; i < kFlows; ++i) run.source().add(udp_frame(host(i), "192.0.2.1"), kStart + kMs + i);
    CHECK(run.wait_until([&] { return asked->done(); }));
    CHECK(asked->flows == kFlows);
    CHECK(asked->found.records.size() == 4096);
    CHECK(run.wait_until([&] { return run.process().counters().packets.get() == 2 * kFlows; }));
    CHECK(run.stop().size() == kFlows);
}

TEST_CASE("TableReader: a question that is withdrawn is answered with what there is") {
    LinkRun run;
    run.source().add(udp_frame("10.0.0.1", "10.0.0.2"), kStart);
    REQUIRE(run.source().wait_until_silent(2));
    auto asked = listing(10);
    asked->cancel();
    answered(run, asked);
    CHECK(asked->found.records.size() <= 1);
}

TEST_CASE("TableReader: questions that come when the run is over are answered at once, as incomplete") {
    LinkRun run;
    run.stop();
    const auto asked = listing(10);
    run.process().ask(asked);
    CHECK(asked->done());
    CHECK_FALSE(asked->complete());
    const auto activity = std::make_shared<FlowActivity>();
    run.process().ask(activity);
    CHECK(activity->done());
}

TEST_CASE("TableReader: talkers have what was sent since the look before, whether the flow is old or new") {
    LinkRun run;
    const auto send = [&](const char* from, const char* to, std::uint16_t from_port, std::uint16_t to_port,
                          TimestampNs at) { run.source().add(udp_frame(from, to, from_port, to_port, 72), at); };
    send("10.0.0.1", "10.0.0.9", 1, 53, kStart);
    REQUIRE(run.source().wait_until_silent(2));
    const auto first = answered(run, std::make_shared<FlowActivity>());
    CHECK(first->window.count() == 0);

    send("10.0.0.1", "10.0.0.9", 1, 53, kStart + kMs);  // goes on
    send("10.0.0.9", "10.0.0.1", 53, 1, kStart + kMs);
    send("10.0.0.2", "10.0.0.9", 2, 53, kStart + kMs);  // begins
    REQUIRE(run.source().wait_until_silent(2));
    const auto second = answered(run, std::make_shared<FlowActivity>());
    CHECK(second->complete());
    CHECK(second->window.count() > 0);
    CHECK(second->flows == 2);
    CHECK(second->active == 2);
    CHECK(second->talker_error == 0);
    REQUIRE(second->talkers.size() == 3);
    std::map<std::string, FlowActivity::Talker> talkers;
    for (const auto& [address, talker] : second->talkers) talkers[to_string(address)] = talker;
    CHECK(to_string(second->talkers[0].first) == "10.0.0.9");
    CHECK(talkers["10.0.0.9"].sent_octets == 100);
    CHECK(talkers["10.0.0.9"].received_octets == 200);
    CHECK(talkers["10.0.0.9"].received_packets == 2);
    CHECK(talkers["10.0.0.9"].flows == 2);
    CHECK(talkers["10.0.0.1"].sent_octets == 100);
    CHECK(talkers["10.0.0.1"].received_octets == 100);
    CHECK(talkers["10.0.0.2"].sent_octets == 100);

    const auto third = answered(run, std::make_shared<FlowActivity>());
    CHECK(third->flows == 2);
    CHECK(third->active == 0);
    CHECK(third->talkers.empty());
}

TEST_CASE("TableReader: applications are told with what nDPI has found so far") {
    MeteringOptions options = plain_options();
    options.n_dissections = 20;
    LinkRun run(options);
    Bytes query{0x12, 0x34, 1,   0,   0,   1, 0,   0,   0,   0, 0, 0, 7, 'e', 'x',
                'a',  'm',  'p', 'l', 'e', 3, 'o', 'r', 'g', 0, 0, 1, 0, 1};
    const auto ask_name = [&](std::uint16_t port, TimestampNs at) {
        run.source().add(PacketBuilder(query).udp(port, 53).ipv4("10.0.0.1", "10.0.0.2").ethernet(), at);
    };
    ask_name(1000, kStart);
    REQUIRE(run.source().wait_until_silent(2));
    answered(run, std::make_shared<FlowActivity>());
    ask_name(1001, kStart + kMs);
    REQUIRE(run.source().wait_until_silent(2));
    const auto activity = answered(run, std::make_shared<FlowActivity>());
    REQUIRE(activity->applications.size() == 1);
    CHECK(activity->applications[0].name == "DNS");
    CHECK(activity->applications[0].flows == 1);
    CHECK(activity->applications[0].octets == 20 + 8 + query.size());
    const auto asked = answered(run, listing(10, FlowOrder::kOctets, "application_name == DNS"));
    REQUIRE(asked->found.records.size() == 2);
    REQUIRE(asked->found.records[0].application != nullptr);
    CHECK(asked->found.records[0].application->name == "DNS");
    const auto& records = run.stop();
    REQUIRE(records.size() == 2);
    CHECK(records[0]->application->name == "DNS");  // a look has changed nothing
}
