// SPDX-License-Identifier: Apache-2.0
#include "core/base/arena.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using namespace nfstreamd;

TEST_CASE("Arena: copies stay what they were while more comes") {
    Arena arena;
    std::vector<std::pair<std::string, std::string_view>> kept;
    for (std::size_t i = 0; i < 3000; ++i) {
        const std::string text(i % 97, static_cast<char>('a' + i % 26));
        kept.emplace_back(text, arena.copy(text));
    }
    for (const auto& [text, copy] : kept) REQUIRE(copy == text);
    CHECK(arena.copy("").empty());
}

TEST_CASE("Arena: objects are aligned and value-initialised, arrays have their length") {
    struct Wide {
        std::uint64_t a;
        double b;
        std::uint8_t c;
    };
    Arena arena;
    for (int i = 0; i < 2000; ++i) {
        arena.copy("odd");
        auto* wide = arena.make<Wide>();
        REQUIRE(reinterpret_cast<std::uintptr_t>(wide) % alignof(Wide) == 0);
        REQUIRE((wide->a == 0 && wide->b == 0 && wide->c == 0));
        *wide = {~0ull, 1, 255};
        const auto list = arena.array<std::int32_t>(7);
        REQUIRE(reinterpret_cast<std::uintptr_t>(list.data()) % alignof(std::int32_t) == 0);
        REQUIRE(list.size() == 7);
        std::fill(list.begin(), list.end(), -1);
    }
}

TEST_CASE("Arena: what is larger than a block has one of its own") {
    Arena arena;
    const std::string large(100'000, 'x');
    const auto before = arena.copy("before");
    const auto copy = arena.copy(large);
    const auto after = arena.copy("after");
    CHECK(copy == large);
    CHECK(before == "before");
    CHECK(after == "after");
    const auto list = arena.array<std::int32_t>(65535 * 3);
    list.back() = 5;
    CHECK(list.back() == 5);
}
