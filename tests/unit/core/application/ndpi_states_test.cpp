// SPDX-License-Identifier: Apache-2.0
#include "core/application/ndpi_states.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

using namespace nfstreamd;

namespace {

constexpr std::uint8_t kTcp = 6;

// A state with `octets` of it in use, spread over all of it.
std::vector<std::uint8_t> pattern(std::size_t octets, unsigned seed) {
    std::vector<std::uint8_t> out(sizeof(ndpi::Flow));
    for (std::size_t i = 0; i < octets; ++i)
        out[(i * 7919 + seed) % out.size()] = static_cast<std::uint8_t>(i + seed + 1);
    return out;
}

void fill(ndpi::Flow& flow, const std::vector<std::uint8_t>& octets) {
    std::memcpy(static_cast<void*>(&flow), octets.data(), octets.size());
    flow.l4_proto = 0;  // no buffer
}

std::vector<std::uint8_t> contents(const ndpi::Flow& flow) {
    const auto* octets = reinterpret_cast<const std::uint8_t*>(&flow);
    return {octets, octets + sizeof flow};
}

void clear(ndpi::Flow& flow) {
    std::memset(static_cast<void*>(&flow), 0, sizeof flow);
}

}  // namespace

TEST_CASE("Blocks: each is the caller's alone, and can be taken again") {
    ndpi::Blocks blocks;
    std::vector<std::pair<char*, std::size_t>> taken;
    for (int round = 0; round < 2; ++round) {
        for (std::size_t size = 1; size <= 3 * ndpi::Blocks::kLargest; size += 13)
            for (int i = 0; i < 3; ++i) {
                taken.emplace_back(static_cast<char*>(blocks.take(size)), size);
                REQUIRE(taken.back().first != nullptr);
                std::memset(taken.back().first, static_cast<int>(taken.size() & 0xff), size);
            }
        for (std::size_t i = 0; i < taken.size(); ++i) {
            const auto [block, size] = taken[i];
            const auto written = static_cast<char>((i + 1) & 0xff);
            CHECK(std::all_of(block, block + size, [&](char c) { return c == written; }));
            blocks.give(block, size);
        }
        taken.clear();
    }
}

TEST_CASE("States: what is kept comes back, octet for octet, whatever is opened between") {
    ndpi::States states;
    std::vector<void*> kept;
    std::vector<std::vector<std::uint8_t>> before;
    for (unsigned i = 0; i < 700; ++i) {
        ndpi::Flow* flow = states.begin();
        REQUIRE(flow != nullptr);
        const auto fresh = contents(*flow);
        CHECK(std::all_of(fresh.begin(), fresh.end(), [](std::uint8_t octet) { return octet == 0; }));
        fill(*flow, pattern(i, i));
        before.push_back(contents(*flow));
        kept.push_back(states.keep());
        REQUIRE(kept.back() != nullptr);
    }
    CHECK(states.kept() == 700);
    for (int round = 0; round < 2; ++round)
        for (std::size_t i = 0; i < kept.size(); ++i) {
            ndpi::Flow* flow = states.open(kept[i]);
            CHECK(contents(*flow) == before[i]);
            fill(*flow, pattern(kept.size() - i, 5));  // smaller or larger than it was
            before[i] = contents(*flow);
            kept[i] = states.keep();
        }
    for (void* block : kept) {
        clear(*states.open(block));
        states.end();
    }
    CHECK(states.kept() == 0);
}

#if NFSTREAMD_NDPI_VERSION == 402

TEST_CASE("States: of a buffer the used part comes back, with room for the rest, and nDPI may free it") {
    ndpi::States states;
    struct Case {
        unsigned size, used;
    };
    const Case cases[] = {{2048, 0}, {2048, 1}, {2048, 2048}, {5000, 4999}, {100, 20}, {2048, 700}};
    std::vector<void*> kept;
    for (const auto [size, used] : cases) {
        ndpi::Flow* flow = states.begin();
        flow->l4_proto = kTcp;
        auto& message = flow->l4.tcp.tls.message;
        message.buffer = static_cast<std::uint8_t*>(ndpi_malloc(size));
        message.buffer_len = size;
        message.buffer_used = used;
        for (unsigned i = 0; i < size; ++i) message.buffer[i] = static_cast<std::uint8_t>(i * size >> 3);
        kept.push_back(states.keep());
    }
    for (std::size_t n = 0; n < kept.size(); ++n) {
        const unsigned size = cases[n].size, used = cases[n].used;
        CAPTURE(size);
        auto& message = states.open(kept[n])->l4.tcp.tls.message;
        REQUIRE(message.buffer != nullptr);
        CHECK(message.buffer_len == size);
        CHECK(message.buffer_used == used);
        for (unsigned i = 0; i < used; ++i)
            if (message.buffer[i] != static_cast<std::uint8_t>(i * size >> 3)) FAIL("octet " << i);
        std::memset(message.buffer, 0xff, size);
        states.end();
    }
}

TEST_CASE("States: QUIC's fragments come back, too") {
    constexpr std::uint8_t kUdp = 17;
    ndpi::States states;
    ndpi::Flow* flow = states.begin();
    flow->l4_proto = kUdp;
    auto& udp = flow->l4.udp;
    udp.quic_reasm_buf = static_cast<std::uint8_t*>(ndpi_malloc(4096));
    udp.quic_reasm_buf_len = 1200;
    std::memset(udp.quic_reasm_buf, 0x5a, 1200);
    void* kept = states.keep();
    const auto& back = states.open(kept)->l4.udp;
    CHECK(back.quic_reasm_buf_len == 1200);
    CHECK(std::all_of(back.quic_reasm_buf, back.quic_reasm_buf + 1200, [](auto octet) { return octet == 0x5a; }));
    std::memset(back.quic_reasm_buf, 0xff, 4096);
    states.end();
}

#endif
