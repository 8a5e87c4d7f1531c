// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_table.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <unordered_map>
#include <vector>

using namespace nfstreamd;

namespace {

using Table = FlowTable<FlowKeyV4>;
using PortableTable = FlowTable<FlowKeyV4, PortableTagMatch>;

FlowKeyV4 key_of(std::uint64_t number) {
    FlowKeyV4 key{};
    key.word = {number * 0x10001, number};
    return key;
}
std::uint64_t good_hash(std::uint64_t number) {
    std::uint64_t h = (number + 1) * 0x9E3779B97F4A7C15u;
    h ^= h >> 32;
    h *= 0xD6E8FEB86659FD93u;
    return h ^ h >> 29;
}

// Random insertions, look-ups and removals, beside a map that says what must be found.
template <class Table>
void compare_with_map(std::uint64_t (*hash)(std::uint64_t), std::uint32_t max_flows, std::uint64_t keys, int steps,
                      unsigned seed) {
    Table table;
    REQUIRE(table.allocate(max_flows));
    std::unordered_map<std::uint64_t, std::uint32_t> model;
    std::vector<std::uint64_t> inserted;
    std::mt19937_64 random(seed);
    for (int step = 0; step < steps; ++step) {
        const std::uint64_t number = random() % keys;
        const std::uint32_t found = table.find(key_of(number), hash(number));
        const auto expected = model.find(number);
        REQUIRE(found == (expected == model.end() ? kNoFlow : expected->second));
        if (found != kNoFlow && random() % 3 == 0) {
            table.erase(hash(number), found);
            REQUIRE_FALSE(table[found].key == key_of(number));  // poisoned
            model.erase(number);
        } else if (found == kNoFlow) {
            const std::uint32_t index = table.insert(hash(number));
            if (index == kNoFlow) continue;
            REQUIRE(index < max_flows);
            for (const auto& [other, its] : model) {
                if (model.size() > 64) break;  // enough on small tables
                REQUIRE(its != index);
            }
            table[index] = {};
            table[index].key = key_of(number);
            table[index].packets[0] = static_cast<std::uint32_t>(number);
            table[index].packets[1] = 1;
            model[number] = index;
        }
        REQUIRE(table.size() == model.size());
    }
    std::uint64_t packets = model.size();
    for (const auto& [number, index] : model) packets += number;
    CHECK(table.packets() == packets);
    std::set<std::uint32_t> indices;
    for (const auto& [number, index] : model) {
        CHECK(table.find(key_of(number), hash(number)) == index);
        indices.insert(index);
    }
    CHECK(indices.size() == model.size());
}

}  // namespace

TEST_CASE_TEMPLATE("FlowTable: agrees with a map under random use", T, Table, PortableTable) {
    compare_with_map<T>(good_hash, 40, 60, 20'000, 1);
    compare_with_map<T>(good_hash, 5000, 6000, 100'000, 2);
}

TEST_CASE_TEMPLATE("FlowTable: agrees with a map when hashes collide", T, Table, PortableTable) {
    compare_with_map<T>([](std::uint64_t) { return std::uint64_t{0xdead'beef'0000'0005}; }, 1000, 150, 20'000, 3);
    compare_with_map<T>([](std::uint64_t n) { return n % 3 << 48 | 63; }, 1000, 200, 20'000,
                        4);  // from the last bucket on
    compare_with_map<T>([](std::uint64_t n) { return good_hash(n) << 48 | n % 5; }, 1000, 300, 20'000, 5);
}

TEST_CASE("FlowTable: full means that an insertion is refused and changes nothing") {
    Table table;
    REQUIRE(table.allocate(100));
    for (std::uint64_t n = 0; n < 100; ++n) {
        const std::uint32_t index = table.insert(good_hash(n));
        REQUIRE(index != kNoFlow);
        table[index].key = key_of(n);
    }
    CHECK(table.insert(good_hash(100)) == kNoFlow);
    CHECK(table.size() == 100);
    const std::uint32_t gone = table.find(key_of(50), good_hash(50));
    table.erase(good_hash(50), gone);
    CHECK(table.find(key_of(50), good_hash(50)) == kNoFlow);
    CHECK(table.insert(good_hash(100)) == gone);
}

TEST_CASE("FlowTable: sixteen full buckets in a row refuse, and the victim's place is the newcomer's") {
    Table table;
    REQUIRE(table.allocate(1000));
    const std::uint64_t same = 0x1234'5600'0000'0007;
    for (std::uint64_t n = 0; n < 128; ++n) {
        const std::uint32_t index = table.insert(same);
        REQUIRE(index != kNoFlow);
        table[index].key = key_of(n);
    }
    CHECK(table.insert(same) == kNoFlow);
    const std::uint32_t victim = table.victim(same);
    std::uint64_t number = 0;
    while (!(table[victim].key == key_of(number))) REQUIRE(++number < 128);
    table.erase(same, victim);
    CHECK(table.insert(same) == victim);
    table[victim].key = key_of(500);
    CHECK(table.find(key_of(500), same) == victim);
    CHECK(table.find(key_of(number), same) == kNoFlow);
    for (std::uint64_t n = 0; n < 128; ++n)
        if (n != number) CHECK(table.find(key_of(n), same) != kNoFlow);
    for (std::uint64_t n = 0; n < 128; ++n)
        if (n != number) table.erase(same, table.find(key_of(n), same));
    table.erase(same, victim);
    CHECK(table.size() == 0);
}

TEST_CASE("FlowTable: removing before an overflowed entry leaves it to be found") {
    Table table;
    REQUIRE(table.allocate(100));
    std::vector<std::uint32_t> indices;
    for (std::uint64_t n = 0; n < 20; ++n) {  // home, next and the one after
        indices.push_back(table.insert(9));
        table[indices.back()].key = key_of(n);
    }
    for (std::uint64_t n = 0; n < 19; ++n) {
        table.erase(9, indices[n]);
        REQUIRE(table.find(key_of(19), 9) == indices[19]);
    }
    table.erase(9, indices[19]);
    CHECK(table.find(key_of(19), 9) == kNoFlow);
}

TEST_CASE("FlowTable: upcoming() tells the indices of the next insertions") {
    Table table;
    REQUIRE(table.allocate(100));
    for (std::uint64_t n = 0; n < 10; ++n) table[table.insert(good_hash(n))].key = key_of(n);
    for (const std::uint64_t n : {3, 7}) table.erase(good_hash(n), table.find(key_of(n), good_hash(n)));
    std::vector<std::uint32_t> told;
    for (std::uint32_t i = 0; i < 5; ++i) told.push_back(table.upcoming(i));
    for (std::uint64_t n = 0; n < 5; ++n) CHECK(table.insert(good_hash(100 + n)) == told[n]);
    CHECK(table.upcoming(1000) < table.limit());
}

TEST_CASE("FlowTable: candidate() is the entry of a matching tag, of whatever key") {
    Table table;
    REQUIRE(table.allocate(100));
    CHECK(table.candidate(good_hash(1)) == kNoFlow);
    const std::uint32_t index = table.insert(good_hash(1));
    table[index].key = key_of(1);
    CHECK(table.candidate(good_hash(1)) == index);
    table.erase(good_hash(1), index);
    CHECK(table.candidate(good_hash(1)) == kNoFlow);
}
