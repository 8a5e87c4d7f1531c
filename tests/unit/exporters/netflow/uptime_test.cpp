// SPDX-License-Identifier: Apache-2.0
#include "exporters/netflow/uptime.hpp"

#include <doctest/doctest.h>

#include <ctime>

using namespace nfstreamd;
using exporters::MessageCounts;
using exporters::netflow::Uptime;

namespace {

constexpr std::int64_t kStart = 1'700'000'000'000;
constexpr std::int64_t kWrap = std::int64_t{1} << 32, kDay = 86'400'000;

// What RFC 3954 has a collector compute, in 32 bits as NetFlow counts.
std::int64_t read_back(std::int64_t header_ms, std::uint32_t header_uptime, std::uint32_t time) {
    return header_ms - static_cast<std::uint32_t>(header_uptime - time);
}

std::chrono::system_clock::time_point at(std::int64_t ms) {
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(ms));
}

}  // namespace

TEST_CASE("Uptime: times come back whatever the uptime, before, at and behind a wrap") {
    const Uptime uptime(kStart);
    for (const std::int64_t age :
         {std::int64_t{0}, std::int64_t{1}, kDay, kWrap - 1, kWrap, kWrap + 1, 3 * kWrap + 5}) {
        for (const std::int64_t before : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1'800'000}, 10 * kDay}) {
            const std::int64_t now = kStart + age, flow = now - before;
            if (flow < kStart) continue;
            const std::int64_t base = uptime.base_for(flow);
            CHECK(base == kStart);
            CHECK(read_back(now, Uptime::since(base, now), Uptime::since(base, flow)) == flow);
        }
    }
}

TEST_CASE("Uptime: a header of whole seconds is never before the message") {
    CHECK(Uptime::next_second(kStart / 1000 * 1000) == kStart / 1000 * 1000);
    CHECK(Uptime::next_second(1) == 1000);
    CHECK(Uptime::next_second(999) == 1000);
    CHECK(Uptime::next_second(1001) == 2000);
}

TEST_CASE("Uptime: flows that are older than the host have a base of their own, before them, and never wrap") {
    const Uptime uptime(kStart);
    const std::int64_t flow = kStart - 5'000 * kDay;
    const std::int64_t base = uptime.base_for(flow);
    CHECK(base < flow);
    CHECK(Uptime::since(base, flow) == static_cast<std::uint32_t>(flow - base));
    const MessageCounts counts{.records = 1, .earliest_ms = flow, .latest_ms = flow + 1000, .base_ms = base};
    CHECK(Uptime::holds(counts, flow + 10, flow + 2000));
    CHECK(Uptime::holds(counts, base, flow));
    CHECK_FALSE(Uptime::holds(counts, base - 1, flow));
    CHECK_FALSE(Uptime::holds(counts, flow + 1, flow + kWrap / 2));
    CHECK_FALSE(Uptime::holds(counts, flow + kWrap, flow + kWrap));
}

TEST_CASE("Uptime: the header's time is now, never before the end of a flow, and of old flows their own") {
    MessageCounts counts{.records = 1, .latest_ms = kStart};
    CHECK(Uptime::header_ms(counts, at(kStart + 5000)) == kStart + 5000);
    CHECK(Uptime::header_ms(counts, at(kStart - 5000)) == kStart);  // the clock was set back
    CHECK(Uptime::header_ms(counts, at(kStart + 400 * kDay)) == kStart);
    counts = {};  // templates
    CHECK(Uptime::header_ms(counts, at(kStart - 5000)) == kStart - 5000);
}

TEST_CASE("host_start_ms: is in the past, by what the kernel says") {
    const std::int64_t now = std::int64_t{std::time(nullptr)} * 1000;
    CHECK(exporters::netflow::host_start_ms() <= now + 1000);
    CHECK(exporters::netflow::host_start_ms() > now - 20 * 365 * kDay);
}
