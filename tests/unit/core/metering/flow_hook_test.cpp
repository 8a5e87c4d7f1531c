// SPDX-License-Identifier: Apache-2.0
#include "core/metering/flow_hook.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <random>

#include "tests/unit/core/metering/metered.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using namespace std::chrono_literals;

namespace {

constexpr const char *kA = "10.0.0.1", *kB = "10.0.0.2";

// Keeps what it is shown; `verdict` decides.
struct Seen {
    std::map<std::uint32_t, std::uint64_t> live;  // packets by handle, as the hook counted them itself
    std::uint64_t begins = 0, packets = 0, expirations = 0, wrong = 0;
    std::vector<int> directions;
    FlowRecord last;  // of the last packet's flow, without its blocks
    std::function<std::int32_t(const FlowView&, const Packet&)> verdict = [](const auto&, const auto&) { return 0; };
};

class SeeingHook final : public FlowHook {
public:
    explicit SeeingHook(Seen& seen) : seen_(seen) {}

    std::int32_t on_begin(const FlowView& flow, const Packet& packet) noexcept override {
        ++seen_.begins;
        if (!seen_.live.emplace(flow.handle, 1).second || flow.packets() != 1) ++seen_.wrong;
        return look(flow, packet, 0);
    }
    std::int32_t on_packet(const FlowView& flow, const Packet& packet, int direction) noexcept override {
        if (++seen_.live[flow.handle] != flow.packets()) ++seen_.wrong;
        return look(flow, packet, direction);
    }
    void on_expire(std::uint32_t handle, FlowRecord& record, Arena& arena) noexcept override {
        ++seen_.expirations;
        if (seen_.live[handle] != record.packets()) ++seen_.wrong;
        seen_.live.erase(handle);
        record.interface_name = arena.copy("marked");
    }

private:
    std::int32_t look(const FlowView& flow, const Packet& packet, int direction) noexcept {
        ++seen_.packets;
        seen_.directions.push_back(direction);
        seen_.last = flow.record();
        return seen_.verdict(flow, packet);
    }
    Seen& seen_;
};

}  // namespace

TEST_CASE("FlowHook: sees each packet after the flow has counted it, with its direction, and the record at the end") {
    Seen seen;
    FileRun file;
    file.set_hook(std::make_unique<SeeingHook>(seen));
    file.add(tcp_frame(kA, kB, 1000, 80, 2), kStart).add(tcp_frame(kB, kA, 80, 1000, 18), kStart + kMs);
    file.add(tcp_frame(kA, kB, 1000, 80, 16), kStart + 2 * kMs);
    const auto& records = file.run();
    REQUIRE(records.size() == 1);
    CHECK(seen.begins == 1);
    CHECK(seen.directions == std::vector<int>{0, 1, 0});
    CHECK(to_string(seen.last.source_address) == kA);
    CHECK(to_string(seen.last.destination_address) == kB);
    CHECK(seen.last.source_port == 1000);
    CHECK(seen.last.destination_port == 80);
    CHECK(seen.last.protocol == 6);
    CHECK(seen.last.ip_version == 4);
    CHECK(seen.last.forward.packets == 2);
    CHECK(seen.last.forward.octets == 80);
    CHECK(seen.last.forward.bytes == 108);
    CHECK(seen.last.forward.tcp_flags == 18);
    CHECK(seen.last.forward.first == kStart);
    CHECK(seen.last.forward.last == kStart + 2 * kMs);
    CHECK(seen.last.reverse.packets == 1);
    CHECK(seen.last.reverse.tcp_flags == 18);
    CHECK(seen.last.reverse.first == kStart + kMs);
    CHECK(seen.last.reverse.last == kStart + kMs);
    CHECK(seen.expirations == 1);
    CHECK(records[0]->interface_name == "marked");
    CHECK(records[0]->end_reason == EndReason::kEndOfInput);
}

TEST_CASE("FlowHook: a negative answer ends the flow with that packet, the next one begins a new flow") {
    for (const std::int32_t number : {-1, -2, -70'000}) {
        Seen seen;
        seen.verdict = [&](const FlowView& flow, const Packet&) { return flow.packets() == 3 ? number : 0; };
        FileRun file;
        file.set_hook(std::make_unique<SeeingHook>(seen));
        for (int i = 0; i < 8; ++i)
            file.add(i % 2 ? udp_frame(kB, kA, 2000, 1000) : udp_frame(kA, kB), kStart + i * kMs);
        const auto& records = file.run();
        REQUIRE(records.size() == 3);
        for (const int i : {0, 1}) {
            CHECK(records[static_cast<std::size_t>(i)]->packets() == 3);
            CHECK(records[static_cast<std::size_t>(i)]->end_reason == EndReason::kPlugin);
            CHECK(records[static_cast<std::size_t>(i)]->custom_expiration == number);
        }
        CHECK(records[0]->last() == kStart + 2 * kMs);
        CHECK(records[1]->first() == kStart + 3 * kMs);
        CHECK(to_string(records[1]->source_address) == kB);
        CHECK(records[2]->packets() == 2);
        CHECK(records[2]->end_reason == EndReason::kEndOfInput);
    }
}

TEST_CASE("FlowHook: a negative answer to the first packet makes it a flow of one packet") {
    Seen seen;
    seen.verdict = [](const FlowView&, const Packet&) { return -1; };
    FileRun file;
    file.set_hook(std::make_unique<SeeingHook>(seen));
    for (int i = 0; i < 100; ++i) file.add(udp_frame(kA, kB), kStart);  // one vector, one key
    const auto& records = file.run();
    CHECK(records.size() == 100);
    for (const auto* r : records) CHECK(r->packets() == 1);
    CHECK(seen.begins == 100);
}

TEST_CASE("FlowHook: keeps a state for each flow by its handle, whatever ends the flows") {
    Seen seen;
    std::mt19937_64 random(5);
    seen.verdict = [&](const FlowView&, const Packet&) { return random() % 10 == 0 ? -5 : 0; };
    MeteringOptions options = plain_options();
    options.max_flows = 64;
    options.idle_timeout = 1s;
    options.active_timeout = 3s;
    options.tcp_end = 100ms;
    FileRun file(options);
    file.set_hook(std::make_unique<SeeingHook>(seen));
    TimestampNs time = kStart;
    for (int i = 0; i < 20'000; ++i) {
        time += static_cast<TimestampNs>(random() % 10) * kMs;
        const int n = static_cast<int>(random() % 100);
        if (random() % 3 == 0)
            file.add(PacketBuilder(10).udp(1, 2).ipv6("2001:db8::" + std::to_string(n), "2001:db8::f").ethernet(),
                     time);
        else
            file.add(tcp_frame(host(n), kB, 1000, 80, static_cast<std::uint8_t>(random() % 32)), time);
    }
    const auto& records = file.run();
    CHECK(seen.wrong == 0);
    CHECK(seen.live.empty());
    CHECK(seen.packets == 20'000);
    CHECK(seen.expirations == records.size());
    CHECK(seen.begins == records.size());
    std::map<EndReason, int> reasons;
    for (const auto* r : records) ++reasons[r->end_reason];
    for (const auto reason : {EndReason::kPlugin, EndReason::kIdle, EndReason::kNatural, EndReason::kLackOfResources})
        CHECK(reasons[reason] > 0);
}
