// SPDX-License-Identifier: Apache-2.0
// Which packets a metering process meters: sampling before decoding, the hash filter after it.
#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace std::chrono_literals;

namespace {

// A file run with a selector.
struct SelectedRun {
    std::unique_ptr<SyntheticSource> source = std::make_unique<SyntheticSource>();
    Received received;
    std::unique_ptr<MeteringProcess> process;

    const std::vector<const FlowRecord*>& run(PacketSelectionOptions options,
                                              MeteringOptions metering = plain_options()) {
        process = std::make_unique<MeteringProcess>(ObservationPoint{1, "files", true}, metering, std::move(source),
                                                    std::vector{received.queue()}, quiet_logger(),
                                                    PacketSelector{12, 1, 0, std::move(options)});
        REQUIRE(process->open());
        REQUIRE(process->run({}));
        check_totals(*process, received.records());
        return received.records();
    }
};

PacketSelectionOptions sampling(std::uint32_t rate, SamplingMethod method = SamplingMethod::kSystematic) {
    return {{method, rate, 5}, {}};
}

std::uint64_t packets(const std::vector<const FlowRecord*>& records) {
    std::uint64_t sum = 0;
    for (const auto* record : records) sum += record->packets();
    return sum;
}

}  // namespace

TEST_CASE(
    "MeteringProcess: of n frames systematic sampling meters every Nth, from the first on, and counts the others") {
    for (const int frames : {1, 9, 10, 11, 100, 1001}) {
        SelectedRun run;
        for (int i = 0; i < frames; ++i)
            run.source->add(udp_frame(host(1), host(2), static_cast<std::uint16_t>(i % 10)), kStart + i * kMs);
        const auto& records = run.run(sampling(10));
        CHECK(packets(records) == static_cast<std::uint64_t>((frames + 9) / 10));
        REQUIRE(records.size() == 1);
        CHECK(records[0]->source_port == 0);  // only the flow of the first of each ten
        CHECK(records[0]->selector == 12);
        CHECK(run.process->counters().sampled_out.get() == static_cast<std::uint64_t>(frames - (frames + 9) / 10));
    }
}

TEST_CASE("MeteringProcess: random sampling meters one frame of each window") {
    SelectedRun run;
    for (int i = 0; i < 1000; ++i)
        run.source->add(udp_frame(host(1), host(2), static_cast<std::uint16_t>(i / 10 + 1), 2000), kStart + i * kMs);
    const auto& records = run.run(sampling(10, SamplingMethod::kRandom));
    CHECK(records.size() == 100);  // each window is a flow of its own
    for (const auto* record : records) CHECK(record->packets() == 1);
    CHECK(run.process->counters().sampled_out.get() == 900);
}

TEST_CASE("MeteringProcess: frames that are not IP are sampled like any other") {
    SelectedRun run;
    const Bytes arp = PacketBuilder(46).ethernet_field(0x0806);
    for (int i = 0; i < 100; ++i) run.source->add(i % 2 == 0 ? arp : udp_frame(host(1), host(2)), kStart + i * kMs);
    CHECK(run.run(sampling(2)).empty());
    CHECK(run.process->counters().ignored[static_cast<std::size_t>(DecodeResult::kNotIp)].get() == 50);
    CHECK(run.process->counters().sampled_out.get() == 50);
}

TEST_CASE("MeteringProcess: packets that are not selected do not move the clock") {
    const auto records_with = [](PacketSelectionOptions selection, const Bytes& late) {
        MeteringOptions options = plain_options();
        options.idle_timeout = 10s;
        SelectedRun run;
        run.source->add(udp_frame(host(1), host(2)), kStart);
        run.source->add(late, kStart + 3600 * kSecond);  // far ahead
        run.source->add(udp_frame(host(1), host(2)), kStart + kSecond);
        return run.run(std::move(selection), options).size();
    };
    CHECK(records_with(sampling(2), udp_frame(host(3), host(4))) == 1);
    // a seed with which host 1 is selected and host 3 is not
    int tried = 0;
    for (std::uint32_t seed = 0; seed < 64; ++seed) {
        const PacketSelectionOptions hash{{}, {{"src_ip"}, 0.5, seed}};
        SelectedRun one, three;
        one.source->add(udp_frame(host(1), host(2)), kStart);
        three.source->add(udp_frame(host(3), host(4)), kStart);
        if (one.run(hash).empty() || !three.run(hash).empty()) continue;
        ++tried;
        CHECK(records_with(hash, udp_frame(host(3), host(4))) == 1);
    }
    CHECK(tried > 0);
    CHECK(records_with({}, udp_frame(host(3), host(4))) == 3);
}

TEST_CASE("MeteringProcess: the hash filter keeps or leaves out whole flows, both directions, and counts packets") {
    SelectedRun run;
    constexpr int kFlows = 200;
    for (int i = 0; i < kFlows; ++i) {
        run.source->add(udp_frame(host(i + 1), host(9000), 1000, 53), kStart + 2 * i * kMs);
        run.source->add(udp_frame(host(9000), host(i + 1), 53, 1000), kStart + (2 * i + 1) * kMs);
    }
    const auto& records = run.run({{}, {{"src_ip", "dst_ip"}, 0.5, 0}});
    CHECK(records.size() > 60);
    CHECK(records.size() < 140);
    for (const auto* record : records) {
        CHECK(record->forward.packets == 1);
        CHECK(record->reverse.packets == 1);
    }
    CHECK(run.process->counters().hash_filtered.get() == 2 * (kFlows - records.size()));
}

TEST_CASE("MeteringProcess: with all fragments the hash filter sees the ports of the first one") {
    MeteringOptions options = plain_options();
    options.fragments = FragmentMode::kAll;
    constexpr int kFlows = 100;
    SelectedRun run;
    for (int i = 0; i < kFlows; ++i) {
        const auto id = static_cast<std::uint16_t>(i + 1);
        run.source->add(PacketBuilder(16)
                            .udp(static_cast<std::uint16_t>(1000 + i), 53)
                            .ipv4(host(1), host(2), {.id = id, .fragment = 0x2000})
                            .ethernet(),
                        kStart + 2 * i * kMs);
        run.source->add(PacketBuilder(16).protocol(17).ipv4(host(1), host(2), {.id = id, .fragment = 3}).ethernet(),
                        kStart + (2 * i + 1) * kMs);
    }
    const auto& records = run.run({{}, {{"src_port", "dst_port"}, 0.5, 0}}, options);
    CHECK(records.size() > 20);
    CHECK(records.size() < 80);
    for (const auto* record : records) CHECK(record->forward.packets == 2);
}

TEST_CASE("MeteringProcess: two meters of one seed select the same frames") {
    std::vector<std::set<std::uint16_t>> chosen;
    for (int meter = 0; meter < 2; ++meter) {
        SelectedRun run;
        for (int i = 0; i < 1000; ++i)
            run.source->add(udp_frame(host(1), host(2), static_cast<std::uint16_t>(i + 1)), kStart + i * kMs);
        chosen.emplace_back();
        for (const auto* record : run.run(sampling(10, SamplingMethod::kRandom)))
            chosen.back().insert(record->source_port);
    }
    CHECK(chosen[0].size() == 100);
    CHECK(chosen[0] == chosen[1]);
}

TEST_CASE("MeteringProcess: another selector ends the flows of the one before, nothing is lost between") {
    LinkRun link;
    for (int i = 0; i < 10; ++i) link.source().add(udp_frame(host(1), host(2)), kStart + i * kMs);
    REQUIRE(link.source().wait_until_silent());
    MeteringChange change;
    change.idle_timeout = 120s;
    change.active_timeout = 1800s;
    change.outputs = {link.received().queue()};
    change.selector = PacketSelector{33, 3, 0, sampling(5)};
    link.process().adopt(std::move(change));
    REQUIRE(link.wait_until([&] { return link.process().adopted() == 1; }));
    CHECK(link.process().selector().id == 33);
    for (int i = 0; i < 10; ++i) link.source().add(udp_frame(host(1), host(2)), kStart + (20 + i) * kMs);
    REQUIRE(link.source().wait_until_silent());
    const auto& records = link.stop();
    REQUIRE(records.size() == 2);
    CHECK(records[0]->packets() == 10);
    CHECK(records[0]->selector == 0);
    CHECK(records[0]->end_reason == EndReason::kForced);
    CHECK(records[1]->packets() == 2);
    CHECK(records[1]->selector == 33);
    check_totals(link.process(), records);
}
