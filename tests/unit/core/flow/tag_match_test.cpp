// SPDX-License-Identifier: Apache-2.0
#include "core/flow/tag_match.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace nfstreamd;

namespace {

struct alignas(16) Tags {
    std::uint16_t tag[8];
};

std::uint32_t one_by_one(const Tags& tags, std::uint16_t wanted) {
    std::uint32_t found = 0;
    for (int i = 0; i < 8; ++i) found |= std::uint32_t{tags.tag[i] == wanted} << (2 * i);
    return found;
}

// All ways at once: by its own name, and as the table takes it.
void check(const Tags& tags, std::uint16_t wanted) {
    const std::uint32_t expected = one_by_one(tags, wanted);
    REQUIRE(PortableTagMatch::find(tags.tag, wanted) == expected);
    REQUIRE(TagMatch::find(tags.tag, wanted) == expected);
}

}  // namespace

TEST_CASE("TagMatch: any set of equal tags is found, wherever they are") {
    for (const std::uint16_t wanted : {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff})
        for (unsigned set = 0; set < 256; ++set) {
            Tags tags;
            for (unsigned i = 0; i < 8; ++i)
                tags.tag[i] = static_cast<std::uint16_t>(set >> i & 1 ? wanted : wanted ^ 0x1234);
            check(tags, wanted);
        }
}

TEST_CASE("TagMatch: a tag that differs in one bit, or by one, is not equal, whatever its neighbours are") {
    for (int place = 0; place < 8; ++place)
        for (const std::uint16_t neighbour : {0, 1, 0x5555, 0x7fff, 0x8000, 0xffff})
            for (const std::uint16_t wanted : {0, 1, 0x5555, 0x7fff, 0x8000, 0xffff}) {
                Tags tags;
                for (auto& tag : tags.tag) tag = neighbour;
                for (int bit = 0; bit < 16; ++bit) {
                    tags.tag[place] = static_cast<std::uint16_t>(wanted ^ 1 << bit);
                    check(tags, wanted);
                }
                for (const int by : {-1, 0, 1}) {
                    tags.tag[place] = static_cast<std::uint16_t>(wanted + by);
                    check(tags, wanted);
                }
            }
}

TEST_CASE("TagMatch: agrees with a loop over random tags of few values and of many") {
    std::mt19937 random(1);
    for (int step = 0; step < 20'000; ++step) {
        Tags tags;
        const unsigned values = step % 2 == 0 ? 3 : 65'536;
        for (auto& tag : tags.tag) tag = static_cast<std::uint16_t>(random() % values);
        check(tags, static_cast<std::uint16_t>(random() % values));
        check(tags, tags.tag[random() % 8]);
    }
}
