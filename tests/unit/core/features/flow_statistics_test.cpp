// SPDX-License-Identifier: Apache-2.0
#include "core/features/flow_statistics.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

using namespace nfstreamd;

namespace {

// One scope as nfstream keeps it: running means by Welford.
struct Welford {
    std::uint64_t packets = 0, bytes = 0, squares = 0, first = 0, last = 0;
    double size_mean = 0, size_m2 = 0, gap_mean = 0, gap_m2 = 0;
    std::uint32_t min_ps = 0, max_ps = 0;
    std::uint64_t min_gap = 0, max_gap = 0;

    void add(std::uint64_t time, std::uint16_t size) {
        ++packets;
        bytes += size;
        squares += std::uint64_t{size} * size;
        const double n = static_cast<double>(packets), old = size_mean;
        size_mean += (size - old) / n;
        size_m2 += (size - old) * (size - size_mean);
        min_ps = packets == 1 ? size : std::min<std::uint32_t>(min_ps, size);
        max_ps = std::max<std::uint32_t>(max_ps, size);
        if (packets == 1) {
            first = time;
        } else {
            const std::uint64_t gap = time - last;
            const double x = static_cast<double>(gap), before = gap_mean;
            gap_mean += (x - before) / (n - 1);
            gap_m2 += (x - before) * (x - gap_mean);
            min_gap = packets == 2 ? gap : std::min(min_gap, gap);
            max_gap = std::max(max_gap, gap);
        }
        last = time;
    }
    void check(const ScopeStatistics& s) const {
        const double n = static_cast<double>(packets);
        CHECK(s.min_ps == min_ps);
        CHECK(s.max_ps == max_ps);
        CHECK(near(s.mean_ps, size_mean));
        CHECK(near(s.stddev_ps, packets > 1 ? std::sqrt(size_m2 / (n - 1)) : 0));
        CHECK(s.min_piat_ms == min_gap);
        CHECK(s.max_piat_ms == max_gap);
        CHECK(near(s.mean_piat_ms, gap_mean));
        CHECK(near(s.stddev_piat_ms, packets > 2 ? std::sqrt(gap_m2 / (n - 2)) : 0));
    }
    static bool near(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(1.0, std::abs(b)); }
    ScopeTotals totals() const { return {packets, bytes, last - first}; }
};

struct Both {
    FlowStatistics statistics{};
    Welford flow, side[2];
    std::uint64_t flags[2][kTcpFlagCount] = {};

    void add(std::uint64_t time, int direction, std::uint16_t size, std::uint8_t tcp_flags) {
        const Welford& d = side[direction];
        update(statistics, {direction, size, tcp_flags, static_cast<std::uint32_t>(flow.packets),
                            static_cast<std::uint32_t>(d.packets), flow.packets ? time - flow.last : 0,
                            d.packets ? time - d.last : 0});
        flow.add(time, size);
        side[direction].add(time, size);
        constexpr std::uint8_t kBits[] = {0x02, 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x01};  // syn cwr ece urg ...
        for (int i = 0; i < kTcpFlagCount; ++i) flags[direction][i] += (tcp_flags & kBits[i]) != 0;
    }
    void check() const {
        const auto out = summarise(statistics, side[0].totals(), side[1].totals(), flow.totals());
        flow.check(out.bidirectional);
        side[0].check(out.forward);
        side[1].check(out.reverse);
        CHECK(out.forward.ps_squares == side[0].squares);
        CHECK(out.reverse.ps_squares == side[1].squares);
        CHECK(out.bidirectional.ps_squares == side[0].squares + side[1].squares);
        for (int i = 0; i < kTcpFlagCount; ++i) {
            CHECK(out.forward.flag_packets[i] == flags[0][i]);
            CHECK(out.reverse.flag_packets[i] == flags[1][i]);
            CHECK(out.bidirectional.flag_packets[i] == flags[0][i] + flags[1][i]);
        }
    }
};

}  // namespace

TEST_CASE("FlowStatistics: equal nfstream's running means to a part in a billion") {
    std::mt19937_64 random(1);
    for (int flow = 0; flow < 300; ++flow) {
        Both both;
        std::uint64_t time = 1'700'000'000'000;
        const int packets = 1 + static_cast<int>(random() % 200);
        for (int i = 0; i < packets; ++i) {
            const int direction = i == 0 ? 0 : static_cast<int>(random() % 2);
            both.add(time, direction, static_cast<std::uint16_t>(random() % 65536),
                     static_cast<std::uint8_t>(random()));
            time += random() % (flow % 3 == 0 ? 3'600'000 : 50);
        }
        both.check();
    }
}

TEST_CASE("FlowStatistics: one packet, one direction, equal sizes") {
    Both single;
    single.add(1000, 0, 60, 2);
    single.check();
    Both constant;
    for (int i = 0; i < 1000; ++i) constant.add(1000 + static_cast<std::uint64_t>(i) * 10, 0, 1500, 16);
    constant.check();
    const auto out = summarise(constant.statistics, constant.side[0].totals(), {}, constant.flow.totals());
    CHECK(out.forward.stddev_ps == 0);
    CHECK(out.forward.stddev_piat_ms == 0);
    CHECK(out.reverse.min_ps == 0);
    CHECK(out.reverse.mean_piat_ms == 0);
}

TEST_CASE("FlowStatistics: the smallest packet of the reverse direction may be one of no octets") {
    Both both;
    both.add(0, 0, 100, 0);
    both.add(5, 1, 0, 0);
    both.check();
}

TEST_CASE("FlowStatistics: gaps without end do not overflow") {
    Both both;
    const std::uint64_t day = 86'400'000;
    for (std::uint64_t i = 0; i < 10; ++i) both.add(i * 60 * day, 0, 1, 0);
    const auto out = summarise(both.statistics, both.side[0].totals(), {}, both.flow.totals());
    CHECK(out.forward.max_piat_ms == 0xffffffff);
    CHECK(out.forward.mean_piat_ms == doctest::Approx(60.0 * static_cast<double>(day)));
    CHECK(std::isfinite(out.forward.stddev_piat_ms));
}
