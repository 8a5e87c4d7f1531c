// SPDX-License-Identifier: Apache-2.0
// Memory that is taken before it is needed: all of it is there, and no more than may be.
#include "core/flow/prefault.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vector>

#include "core/flow/memory.hpp"

using namespace nfstreamd;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::size_t resident(const void* address, std::size_t octets) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::vector<unsigned char> pages(octets / page);
    REQUIRE(::mincore(const_cast<void*>(address), octets, pages.data()) == 0);
    std::size_t there = 0;
    for (const unsigned char one : pages) there += one & 1;
    return there * page;
}

}  // namespace

TEST_CASE("Prefault: what is taken is there, zeroed, and nothing beyond it") {
    Region<char> region;
    REQUIRE(region.allocate(64 * kMiB));
    CHECK(resident(region.data(), region.octets()) == 0);
    Prefault prefault;
    region.prefault(prefault, 6 * kMiB);
    CHECK(prefault.complete());
    CHECK(prefault.octets() == 6 * kMiB);
    CHECK(resident(region.data(), region.octets()) == 6 * kMiB);
    CHECK(prefault.huge_octets() <= 6 * kMiB);
    for (std::size_t i = 0; i < 6 * kMiB; i += 1000) CHECK(region[i] == 0);
}

TEST_CASE("Prefault: no more is taken of a region than it has, and nothing of one that was not allocated") {
    Region<int> region, none;
    REQUIRE(region.allocate(1000));
    Prefault prefault;
    none.prefault(prefault, 1000);
    CHECK(prefault.octets() == 0);
    region.prefault(prefault, 1'000'000);
    CHECK(prefault.octets() == 4000);
    CHECK(prefault.complete());
}

TEST_CASE("Prefault: content that is there stays") {
    Region<int> region;
    REQUIRE(region.allocate(kMiB));
    region[0] = 1, region[500'000] = 2;
    Prefault prefault;
    region.prefault(prefault, kMiB);
    CHECK(region[0] == 1);
    CHECK(region[500'000] == 2);
}

TEST_CASE("Prefault: all together take a quarter of what there is at most") {
    const auto memory =
        static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    CHECK(prefault_limit() > 0);
    CHECK(prefault_limit() <= memory / 4);
    // a page too many; nothing is touched, as the address is of none
    Prefault all;
    all.take(nullptr, 0);
    CHECK(all.complete());
    CHECK(all.octets() == 0);
}
