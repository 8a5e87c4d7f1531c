// SPDX-License-Identifier: Apache-2.0
#include "core/capture/frame_merger.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "tests/support/collecting_sink.hpp"
#include "tests/support/packet_builder.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;

namespace {

constexpr int kEthernet = 1, kRaw = 12;
constexpr TimestampNs kMs = 1'000'000;

using Times = std::vector<TimestampNs>;

// A merger, and what it has handed over.
struct Merging {
    FrameMerger merger;
    CollectingSink sink;

    explicit Merging(std::size_t sources, FrameMerger::Limits limits = {}, TimestampNs deduplicate = 0)
        : merger(sources,
                 deduplicate == 0 ? std::nullopt : std::optional(DuplicateFilter(deduplicate, 1400, {1, 2, 3, 4})),
                 limits) {}

    Merging& add(std::uint8_t source, TimestampNs time, const Bytes& octets = Bytes(60, 1), int link_type = kEthernet) {
        merger.add(source, {{}, link_type}, {time, octets.data(), static_cast<std::uint32_t>(octets.size()), 2000},
                   sink);
        return *this;
    }
    Times times() const {
        Times times;
        for (const auto& frame : sink.frames) times.push_back(frame.timestamp);
        return times;
    }
    Merging& add_checked(std::uint8_t source, TimestampNs time, ChecksumMode checksum) {
        const Bytes octets(60, 1);
        merger.add(source, {{}, kEthernet, checksum}, {time, octets.data(), 60, 60}, sink);
        return *this;
    }
    std::vector<int> sources() const {
        std::vector<int> sources;
        for (const auto& frame : sink.frames) sources.push_back(frame.source);
        return sources;
    }
};

Bytes packet(std::uint16_t id, const std::string& tag = {}) {
    PacketBuilder builder(100);
    builder.udp(1000, 2000).ipv4("10.0.0.1", "10.0.0.2", {.id = id});
    if (tag.empty()) return builder.ethernet();
    return builder.vlan(100).ethernet();
}

}  // namespace

TEST_CASE("FrameMerger: frames of several sources leave in the order of their time") {
    Merging m(3);
    m.add(0, 10).add(0, 40).add(1, 20).add(1, 30).add(2, 5).add(2, 50);
    CHECK(m.merger.oldest() == 5);
    CHECK(m.merger.release(40, m.sink) == 5);
    CHECK(m.times() == Times{5, 10, 20, 30, 40});
    CHECK(m.sources() == std::vector{2, 0, 1, 1, 0});
    CHECK_FALSE(m.merger.empty());
    CHECK(m.merger.release(50, m.sink) == 1);
    CHECK(m.merger.empty());
    CHECK(m.merger.counts().late == 0);
}

TEST_CASE("FrameMerger: frames of one time leave in the order of their sources, of one source as they came") {
    Merging m(3);
    m.add(2, 7, Bytes(61)).add(1, 7, Bytes(62)).add(1, 7, Bytes(63)).add(0, 7, Bytes(64));
    m.merger.release(7, m.sink);
    CHECK(m.sources() == std::vector{0, 1, 1, 2});
    CHECK(m.sink.frames[1].octets.size() == 62);
    CHECK(m.sink.frames[2].octets.size() == 63);
    CHECK(m.merger.counts().late == 0);
}

TEST_CASE("FrameMerger: a source's own disorder is put right too") {
    Merging m(2);
    m.add(0, 30).add(0, 10).add(0, 20).add(1, 15);
    m.merger.release(100, m.sink);
    CHECK(m.times() == Times{10, 15, 20, 30});
}

TEST_CASE("FrameMerger: a frame that is older than what has left is handed over all the same, and counted as late") {
    Merging m(2);
    m.add(0, 10).add(0, 20);
    m.merger.release(20, m.sink);
    m.add(1, 15).add(1, 20).add(1, 25);
    m.merger.release(30, m.sink);
    CHECK(m.times() == Times{10, 20, 15, 20, 25});
    CHECK(m.merger.counts().late == 1);
    m.merger.restart();
    m.add(0, 1);
    m.merger.release(1, m.sink);
    CHECK(m.merger.counts().late == 1);
}

TEST_CASE("FrameMerger: octets and lengths are copies, the frames' own memory may go") {
    Merging m(2);
    Bytes octets(100, 7);
    m.add(0, 1, octets);
    octets.assign(100, 9);
    m.add(1, 2, octets);
    octets.assign(100, 0);
    m.merger.release(2, m.sink);
    REQUIRE(m.sink.frames.size() == 2);
    CHECK(m.sink.frames[0].octets == Bytes(100, 7));
    CHECK(m.sink.frames[1].octets == Bytes(100, 9));
    CHECK(m.sink.frames[0].wire_length == 2000);
}

TEST_CASE("FrameMerger: a vector has one link type and its limit of frames") {
    Merging m(2);
    for (int i = 0; i < 10; ++i) m.add(0, 2 * i, Bytes(60), kEthernet).add(1, 2 * i + 1, Bytes(60), kRaw);
    m.merger.release(100, m.sink);
    CHECK(m.sink.vectors == 20);
    for (const auto& frame : m.sink.frames) CHECK(frame.link_type == (frame.source == 0 ? kEthernet : kRaw));
    for (int i = 0; i < 100; ++i) m.add(0, 200 + i);
    m.merger.release(300, m.sink);
    CHECK(m.sink.vectors == 20 + 4);
    CHECK(m.sink.largest_vector == kFrameVectorSize);
}

TEST_CASE("FrameMerger: a frame keeps how its checksums are looked at") {
    struct Modes final : FrameSink {
        std::vector<std::pair<ChecksumMode, std::size_t>> vectors;
        void on_frames(const FrameVector& vector) noexcept override {
            vectors.emplace_back(vector.checksum, vector.frames.size());
        }
    } modes;
    Merging m(2);
    m.add_checked(0, 1, ChecksumMode::kCount).add_checked(0, 2, ChecksumMode::kCount);
    m.add_checked(1, 3, ChecksumMode::kIgnore).add_checked(0, 4, ChecksumMode::kOff);
    m.merger.release(100, modes);
    CHECK(modes.vectors == std::vector<std::pair<ChecksumMode, std::size_t>>{
                               {ChecksumMode::kCount, 2}, {ChecksumMode::kIgnore, 1}, {ChecksumMode::kOff, 1}});
}

TEST_CASE("FrameMerger: full of frames, the oldest leave early and are counted") {
    Merging m(2, {.frames = 100, .blocks = 256});
    for (int i = 0; i < 101; ++i) m.add(i % 2, 1000 - i);
    CHECK(m.merger.counts().early == kFrameVectorSize);
    CHECK(m.sink.frames.size() == kFrameVectorSize);
    CHECK(m.sink.frames.front().timestamp == 901);
    m.merger.release(2000, m.sink);
    CHECK(m.sink.frames.size() == 101);
    CHECK(m.merger.counts().late == 1);  // the one that came when the others had left
}

TEST_CASE("FrameMerger: full of octets, the oldest leave early and nothing is lost or mixed up") {
    constexpr std::size_t kLarge = 60'000;
    Merging m(2, {.frames = 10'000, .blocks = 3});
    for (int i = 0; i < 200; ++i) m.add(i % 2, i, Bytes(kLarge, static_cast<std::uint8_t>(i)));
    CHECK(m.merger.counts().early >= 150);
    m.merger.release(1000, m.sink);
    REQUIRE(m.sink.frames.size() == 200);
    for (int i = 0; i < 200; ++i) {
        REQUIRE(m.sink.frames[i].timestamp == i);
        REQUIRE(m.sink.frames[i].octets == Bytes(kLarge, static_cast<std::uint8_t>(i)));
    }
}

TEST_CASE("FrameMerger: a frame that is larger than a block has one of its own, again and again") {
    Merging m(1, {.frames = 10'000, .blocks = 2});
    for (int i = 0; i < 10; ++i) m.add(0, i, Bytes(400'000 + i, static_cast<std::uint8_t>(i))).add(0, i, Bytes(10));
    m.merger.release(1000, m.sink);
    REQUIRE(m.sink.frames.size() == 20);
    for (int i = 0; i < 10; ++i) CHECK(m.sink.frames[2 * i].octets.size() == 400'000u + i);
}

TEST_CASE("FrameMerger: whatever comes in whatever order leaves once, and in order when held long enough") {
    std::mt19937 random(7);
    Merging m(4, {.frames = 2000, .blocks = 8});
    constexpr int kFrames = 20'000;
    for (int i = 0; i < kFrames; ++i) {
        const auto jitter = static_cast<TimestampNs>(random() % 500);
        m.add(static_cast<std::uint8_t>(random() % 4), i + jitter, Bytes(1 + random() % 900));
        if (i % 50 == 0) m.merger.release(i - 1, m.sink);
    }
    m.merger.release(kFrames + 1000, m.sink);
    CHECK(m.sink.frames.size() == kFrames);
    CHECK(m.merger.counts().late == 0);
    CHECK(m.merger.counts().early == 0);
    const auto times = m.times();
    CHECK(std::is_sorted(times.begin(), times.end()));
}

TEST_CASE("FrameMerger: times at the ends of their range are kept in order") {
    Merging m(2);
    constexpr auto kLast = std::numeric_limits<TimestampNs>::max(), kFirst = std::numeric_limits<TimestampNs>::min();
    m.add(0, kLast).add(1, kFirst).add(1, 0);
    m.merger.release(kLast, m.sink);
    CHECK(m.times() == Times{kFirst, 0, kLast - 1});
    CHECK(m.merger.empty());
}

TEST_CASE("FrameMerger: of copies, that of the source with the lowest number leaves, whichever came first") {
    for (const bool first_comes_first : {true, false}) {
        Merging m(2, {}, 10 * kMs);
        for (int i = 0; i < 50; ++i) {
            const auto id = static_cast<std::uint16_t>(i);
            const TimestampNs time = i * kMs;
            if (first_comes_first) m.add(0, time, packet(id, "tag")).add(1, time + 1000, packet(id));
            if (!first_comes_first) m.add(1, time - 1000, packet(id)).add(0, time, packet(id, "tag"));
        }
        m.merger.release(1000 * kMs, m.sink);
        REQUIRE(m.sink.frames.size() == 50);
        for (const auto& frame : m.sink.frames) CHECK(frame.source == 0);
        CHECK(m.merger.counts().duplicates == 50);
        CHECK(m.merger.counts().late == 0);
    }
}

TEST_CASE("FrameMerger: a copy of what has left already is dropped, of whatever source it is") {
    Merging m(2, {}, 10 * kMs);
    m.add(1, 0, packet(1));
    m.merger.release(0, m.sink);
    m.add(0, kMs, packet(1, "tag"));
    m.merger.release(kMs, m.sink);
    CHECK(m.sources() == std::vector{1});
    CHECK(m.merger.counts().duplicates == 1);
}

TEST_CASE("FrameMerger: what one source sends twice leaves twice, and once only of both sources") {
    Merging m(2, {}, 10 * kMs);
    m.add(0, 0, packet(1)).add(1, 1, packet(1)).add(0, 2 * kMs, packet(1)).add(1, 2 * kMs + 1, packet(1));
    m.add(1, 3 * kMs, packet(2)).add(1, 4 * kMs, packet(2)).add(0, 5 * kMs, packet(2)).add(0, 6 * kMs, packet(2));
    m.merger.release(100 * kMs, m.sink);
    CHECK(m.sources() == std::vector{0, 0, 0, 0});
    CHECK(m.merger.counts().duplicates == 4);
}

TEST_CASE("FrameMerger: equal packets farther apart than the window, and what is not IP, are no copies") {
    Merging m(2, {}, 10 * kMs);
    const Bytes arp = PacketBuilder(46).ethernet_field(0x0806);
    m.add(0, 0, packet(1)).add(1, 10 * kMs + 1, packet(1)).add(0, 0, arp).add(1, 0, arp);
    m.merger.release(100 * kMs, m.sink);
    CHECK(m.sink.frames.size() == 4);
    CHECK(m.merger.counts().duplicates == 0);
}
