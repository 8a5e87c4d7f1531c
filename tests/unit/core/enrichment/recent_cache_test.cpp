// SPDX-License-Identifier: Apache-2.0
#include "core/enrichment/recent_cache.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using nfstreamd::RecentCache;

namespace {

struct Asked {
    RecentCache<std::uint64_t, std::uint64_t> cache;
    int made = 0;
    explicit Asked(std::size_t capacity) : cache(capacity) {}
    bool hit(std::uint64_t key) {
        const auto found = cache.get(key, key, [&](std::uint64_t k) {
            ++made;
            return 10 * k;
        });
        CHECK(found.value == 10 * key);
        return found.hit;
    }
};

}  // namespace

TEST_CASE("RecentCache: what was asked for is made once") {
    Asked asked(64);
    for (std::uint64_t key = 0; key < 32; ++key) CHECK_FALSE(asked.hit(key));
    for (int round = 0; round < 3; ++round)
        for (std::uint64_t key = 0; key < 32; ++key) CHECK(asked.hit(key));
    CHECK(asked.made == 32);
}

TEST_CASE("RecentCache: of two in one place the one that was asked for less lately makes room") {
    Asked asked(2);  // all keys have the same two places
    CHECK_FALSE(asked.hit(1));
    CHECK_FALSE(asked.hit(2));
    CHECK(asked.hit(1));
    CHECK_FALSE(asked.hit(3));  // 2 goes
    CHECK(asked.hit(1));
    CHECK(asked.hit(3));
    CHECK_FALSE(asked.hit(2));  // 1 goes
    CHECK(asked.hit(3));
    CHECK_FALSE(asked.hit(1));
}

TEST_CASE("RecentCache: more keys than it holds are all answered, and it stays as large as it was") {
    Asked asked(100);
    CHECK(asked.cache.capacity() == 128);
    for (std::uint64_t key = 0; key < 10'000; ++key) CHECK_FALSE(asked.hit(key));
    CHECK(asked.cache.capacity() == 128);
    std::uint64_t hits = 0;
    for (std::uint64_t key = 10'000 - 128; key < 10'000; ++key) hits += asked.hit(key);
    CHECK(hits == 128);
}

TEST_CASE("RecentCache: without room nothing is remembered") {
    Asked asked(0);
    CHECK(asked.cache.capacity() == 0);
    for (int round = 0; round < 3; ++round) CHECK_FALSE(asked.hit(7));
    CHECK_FALSE(asked.hit(0));
    CHECK(asked.made == 4);
}
