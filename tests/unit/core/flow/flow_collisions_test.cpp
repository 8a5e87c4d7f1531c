// SPDX-License-Identifier: Apache-2.0
// Keys that an attacker who knows the hash's secret would send: what they can do
// to a table, and how little they are worth under another secret.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <vector>

#include "core/flow/flow_table.hpp"

using namespace nfstreamd;

namespace {

using Table = FlowTable<FlowKeyV4>;
using Secret = std::array<std::uint64_t, 9>;
constexpr std::uint32_t kMaxFlows = 5000, kBuckets = 1024, kRun = 16, kSlots = 8;

Secret secret_of(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    Secret secret;
    for (auto& word : secret) word = random() | 1;
    return secret;
}
std::uint64_t home(std::uint64_t hash) {
    return hash % kBuckets;
}

// All of one hash: the first word makes its factor, and with it the product, zero.
FlowKeyV4 zeroing(const Secret& secret, std::uint64_t number) {
    FlowKeyV4 key{};
    key.word = {secret[0], number};
    return key;
}
// Alike in their home bucket only, found by trying.
std::vector<FlowKeyV4> of_home(const FlowHash& hash, std::uint64_t bucket, std::size_t count) {
    std::vector<FlowKeyV4> keys;
    for (std::uint64_t n = 0; keys.size() < count; ++n) {
        FlowKeyV4 key{};
        key.word = {n, 1};
        if (home(hash(key)) == bucket) keys.push_back(key);
    }
    return keys;
}

// What a metering process does with a packet of each key.
struct Meter {
    explicit Meter(const Secret& secret) : hash(secret) { REQUIRE(table.allocate(kMaxFlows)); }

    std::uint32_t find(const FlowKeyV4& key) const { return table.find(key, hash(key)); }
    void observe(const FlowKeyV4& key, std::uint32_t packets = 1) {
        std::uint32_t index = find(key);
        if (index == kNoFlow) {
            index = table.insert(hash(key));
            if (index == kNoFlow) {
                const std::uint32_t victim = table.victim(hash(key));
                evicted.push_back(table[victim].key);
                table.erase(hash(table[victim].key), victim);
                index = table.insert(hash(key));
                REQUIRE(index == victim);
            }
            table[index] = {};
            table[index].key = key;
        }
        table[index].packets[0] += packets;
    }
    int found(const std::vector<FlowKeyV4>& keys) const {
        int count = 0;
        for (const auto& key : keys) count += find(key) != kNoFlow;
        return count;
    }

    FlowHash hash;
    Table table;
    std::vector<FlowKeyV4> evicted;
};

std::vector<FlowKeyV4> honest_flows(std::size_t count) {
    std::mt19937_64 random(77);
    std::vector<FlowKeyV4> keys(count);
    for (auto& key : keys) key.word = {random(), random() >> 8};
    return keys;
}

// Sum of (observed - expected)^2 / expected over so many equally likely cells.
double chi_square(const std::vector<int>& cells) {
    double total = 0, sum = 0;
    for (const int n : cells) total += n;
    const double expected = total / static_cast<double>(cells.size());
    for (const int n : cells) sum += (n - expected) * (n - expected) / expected;
    return sum;
}

}  // namespace

TEST_CASE("FlowTable: of keys that collide in everything no more than sixteen buckets are filled") {
    const Secret secret = secret_of(1);
    Meter meter(secret);
    for (std::uint64_t n = 0; n < 10'000; ++n) {
        meter.observe(zeroing(secret, n));
        REQUIRE(meter.find(zeroing(secret, n)) != kNoFlow);
        REQUIRE(meter.table.size() == std::min<std::uint64_t>(n + 1, kRun * kSlots));
    }
    CHECK(meter.evicted.size() == 10'000 - kRun * kSlots);
}

TEST_CASE("FlowTable: a look-up ends after sixteen buckets, however many are full behind them") {
    Table table;
    REQUIRE(table.allocate(kMaxFlows));
    const std::uint64_t tag = std::uint64_t{0x4321} << 48, first = 100;
    FlowKeyV4 key{};
    for (std::uint64_t bucket = first; bucket < first + 3 * kRun; ++bucket)
        for (std::uint64_t i = 0; i < kSlots; ++i) {
            const std::uint32_t index = table.insert(tag | bucket);
            REQUIRE(index != kNoFlow);
            key.word = {bucket, i};
            table[index].key = key;
        }
    // one more of the first bucket's has no place, though it would have one farther on
    CHECK(table.insert(tag | first) == kNoFlow);
    key.word = {first + kRun - 1, 0};
    CHECK(table.find(key, tag | (first + kRun - 1)) != kNoFlow);
    key.word = {first + kRun, 0};
    CHECK(table.find(key, tag | (first + kRun)) != kNoFlow);
    CHECK(table.find(key, tag | first) == kNoFlow);  // it lies in the seventeenth
}

TEST_CASE("FlowTable: colliding flows push out each other, and no longer flow even of their own bucket") {
    const Secret secret = secret_of(2);
    Meter meter(secret);
    const auto attacked = home(meter.hash(zeroing(secret, 0)));
    const auto honest = honest_flows(2500);
    const auto neighbours = of_home(meter.hash, attacked, 6);  // that have the very bucket as their home
    for (const auto& key : honest) meter.observe(key, 5);
    for (const auto& key : neighbours) meter.observe(key, 5);
    REQUIRE(meter.evicted.empty());
    for (std::uint64_t n = 0; n < 20'000; ++n) meter.observe(zeroing(secret, n));
    CHECK(meter.evicted.size() > 19'000);
    int others = 0;
    for (const auto& key : meter.evicted) others += key.word[0] != secret[0];
    CHECK(others == 0);
    CHECK(meter.found(honest) == 2500);
    CHECK(meter.found(neighbours) == 6);
}

TEST_CASE("FlowTable: flows that begin among colliding ones are metered, and with their second packet safe") {
    const Secret secret = secret_of(3);
    Meter meter(secret);
    std::uint64_t next = 0;
    const auto attack = [&](int flows) {
        for (int i = 0; i < flows; ++i) meter.observe(zeroing(secret, next++));
    };
    attack(1000);
    const auto attacked = home(meter.hash(zeroing(secret, 0)));
    std::vector<FlowKeyV4> among;
    for (std::uint64_t bucket = attacked; bucket < attacked + kRun; ++bucket)
        among.push_back(of_home(meter.hash, bucket % kBuckets, 1).front());
    for (const auto& key : among) meter.observe(key, 2);
    meter.evicted.clear();
    attack(20'000);
    CHECK(meter.evicted.size() == 20'000);
    CHECK(meter.found(among) == static_cast<int>(kRun));
}

TEST_CASE("FlowTable: keys that collide in their bucket alone displace nothing outside its run") {
    const Secret secret = secret_of(4);
    Meter meter(secret);
    constexpr std::uint64_t kAttacked = 700;
    const auto honest = honest_flows(2500);
    for (const auto& key : honest) meter.observe(key);  // of one packet each
    const auto crafted = of_home(meter.hash, kAttacked, 1000);
    std::set<std::uint64_t> tags;
    for (const auto& key : crafted) {
        tags.insert(meter.hash(key) >> 48 | 1);
        meter.observe(key);
        REQUIRE(meter.find(key) != kNoFlow);
    }
    CHECK(tags.size() > 900);
    CHECK(meter.evicted.size() > 800);
    for (const auto& key : meter.evicted) {
        const std::uint64_t its = home(meter.hash(key));
        CHECK(its + kRun > kAttacked);  // what lies in the run has its home there, or overflowed into it
        CHECK(its < kAttacked + kRun);
    }
    for (const auto& key : honest) {
        const std::uint64_t its = home(meter.hash(key));
        if (its + kRun <= kAttacked || its >= kAttacked + kRun) CHECK(meter.find(key) != kNoFlow);
    }
}

TEST_CASE("FlowTable: a flow that has been closed gives way before one that goes on") {
    Table table;
    REQUIRE(table.allocate(1000));
    const std::uint64_t same = 0x1234'5600'0000'0007;
    for (std::uint32_t n = 0; n < kRun * kSlots; ++n) {
        const std::uint32_t index = table.insert(same);
        table[index].key.word = {n, n};
        table[index].packets[1] = 3;
    }
    const std::uint32_t first = table.victim(same);
    table[first].packets[0] = 9;
    const std::uint32_t closed = table.victim(same);
    REQUIRE(closed != first);
    table[closed].packets[0] = 100;
    table[closed].last_direction = 2;
    CHECK(table.victim(same) == closed);
}

TEST_CASE("FlowHash: keys crafted against one secret spread evenly under any other") {
    const Secret known = secret_of(5);
    const auto same_bucket = of_home(FlowHash(known), 3, 2000);
    std::vector<FlowKeyV4> same_hash;
    for (std::uint64_t n = 0; n < 2000; ++n) {
        same_hash.push_back(zeroing(known, n));
        REQUIRE(FlowHash(known)(same_hash.back()) == FlowHash(known)(same_hash.front()));
    }
    for (std::uint64_t seed = 100; seed < 110; ++seed) {
        CAPTURE(seed);
        const FlowHash hash(secret_of(seed));
        for (const auto* crafted : std::array<const std::vector<FlowKeyV4>*, 2>{&same_bucket, &same_hash}) {
            std::vector<int> low(128), tag(128);
            std::set<std::uint64_t> hashes;
            for (const auto& key : *crafted) {
                const std::uint64_t h = hash(key);
                ++low[h % low.size()];
                ++tag[h >> 57];
                hashes.insert(h);
            }
            CHECK(hashes.size() == crafted->size());
            // 127 degrees of freedom: 127 expected, standard deviation 16
            CHECK(chi_square(low) < 127 + 6 * 16);
            CHECK(chi_square(tag) < 127 + 6 * 16);
        }
    }
}
