// SPDX-License-Identifier: Apache-2.0
// What enrichment adds to a flow record: both addresses and both hardware
// addresses, from tables of several sizes. Arguments: prefixes in each table;
// percent of addresses that are in the cache.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/enrichment/enricher.hpp"
#include "tests/support/files.hpp"
#include "tests/support/mmdb_writer.hpp"

namespace {

using namespace nfstreamd;

constexpr std::size_t kRecords = 1 << 16;  // twice as many addresses: more than the cache holds
constexpr int kBatch = 64;

// Prefixes of 16 to 24 bits all over the address space, as routing tables have them.
struct RandomPrefix {
    std::array<std::uint8_t, 16> key{};
    unsigned bits = 0;
};
std::vector<RandomPrefix> prefixes(std::size_t count) {
    std::mt19937 random(1);
    std::map<std::uint32_t, unsigned> distinct;
    while (distinct.size() < count) {
        const unsigned bits = random() % 4 == 0 ? 16 + static_cast<unsigned>(random() % 8) : 24;
        distinct.emplace(static_cast<std::uint32_t>(random()) & ~0u << (32 - bits), bits);
    }
    std::vector<RandomPrefix> out;
    for (const auto& [network, bits] : distinct) {
        auto& prefix = out.emplace_back();
        for (unsigned i = 0; i < 4; ++i) prefix.key[12 + i] = static_cast<std::uint8_t>(network >> (24 - 8 * i));
        prefix.bits = bits;
    }
    std::ranges::stable_sort(out, {}, &RandomPrefix::bits);
    return out;
}

enum Tables { kNetworks = 1, kMmdb = 2, kVendors = 4 };

struct World {
    test::ScratchFolder folder;
    EnrichmentOptions options;
    std::vector<FlowRecord> records;

    World(int tables, std::size_t count) {
        const auto all = prefixes(count);
        if (tables & kNetworks) write_networks(all);
        if (tables & kMmdb) write_mmdb(all);
        if (tables & kVendors) write_vendors();
        std::vector<EnrichmentTables::Problem> problems;
        options.tables = EnrichmentTables::load(options, problems);
        make_records(all);
    }

    void write_networks(const std::vector<RandomPrefix>& all) {
        std::string text;
        for (const auto& prefix : all) {
            const auto* octet = prefix.key.data() + 12;
            text += std::to_string(octet[0]) + "." + std::to_string(octet[1]) + "." + std::to_string(octet[2]) + "." +
                    std::to_string(octet[3]) + "/" + std::to_string(prefix.bits) + ",network " +
                    std::to_string(octet[0]) + "\n";
        }
        options.networks = folder.file("networks.csv", text);
    }
    void write_mmdb(const std::vector<RandomPrefix>& all) {
        test::MmdbWriter asn("Bench-ASN"), country("Bench-Country");
        std::uint32_t n = 0;
        for (const auto& prefix : all) {
            asn.add(prefix.key, prefix.bits + 96,
                    test::mmdb::system(n % 50'000, "Organization " + std::to_string(n % 50'000)));
            country.add(prefix.key, prefix.bits + 96, test::mmdb::country(std::string{char('A' + n % 26), 'X'}));
            ++n;
        }
        asn.write(options.asn = folder.path("asn.mmdb"));
        country.write(options.country = folder.path("country.mmdb"));
    }
    void write_vendors() {
        std::string text;
        for (std::uint32_t n = 0; n < 32'000; ++n) {
            char prefix[16];
            std::snprintf(prefix, sizeof prefix, "%06x", n * 509 & 0xffffff);
            text += std::string(prefix) + ",Vendor " + std::to_string(n) + "\n";
        }
        options.mac_vendors = {folder.file("vendors.csv", text)};
    }
    void make_records(const std::vector<RandomPrefix>& all) {
        std::mt19937 random(2);
        const auto address = [&] {
            IpAddress out{.version = 4};
            std::copy_n(all[random() % all.size()].key.begin() + 12, 4, out.bytes.begin());
            out.bytes[3] = static_cast<std::uint8_t>(random());
            return out;
        };
        records.resize(kRecords);
        for (auto& record : records) {
            record.source_address = address();
            record.destination_address = address();
            record.source_mac = {0, 1, 0xfd, 1, 2, static_cast<std::uint8_t>(random() % 32)};
            record.destination_mac = {0, 3, 0xfa, 1, 2, 3};
        }
    }
};

// `all` percent: the records are of few addresses; none: the cache is off.
void run(benchmark::State& state, int tables) {
    static std::map<std::pair<int, std::int64_t>, std::unique_ptr<World>> worlds;  // each takes seconds to make
    auto& world = worlds[{tables, state.range(0)}];
    if (!world) world = std::make_unique<World>(tables, static_cast<std::size_t>(state.range(0)));
    if (world->options.tables == nullptr) return state.SkipWithError("the tables cannot be read");
    EnrichmentOptions options = world->options;
    const bool cached = state.range(1) != 0;
    if (!cached) options.cache_size = 0;
    const std::size_t mask = cached ? 1023 : kRecords - 1;
    EnrichmentCounters counters;
    Enricher enricher(options, counters);
    std::optional<Arena> arena;
    std::size_t n = 0;
    for (auto _ : state) {
        if (n % kBatch == 0) arena.emplace();
        benchmark::DoNotOptimize(enricher.enrich(world->records[n++ & mask], *arena));
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["hit_percent"] = 100.0 * static_cast<double>(counters.hits.get()) /
                                    static_cast<double>(std::max<std::uint64_t>(counters.lookups.get(), 1));
}

void enrich_networks(benchmark::State& state) {
    run(state, kNetworks);
}
void enrich_mmdb(benchmark::State& state) {
    run(state, kMmdb);
}
void enrich_everything(benchmark::State& state) {
    run(state, kNetworks | kMmdb | kVendors);
}

BENCHMARK(enrich_networks)->ArgsProduct({{1000, 500'000}, {0, 100}});
BENCHMARK(enrich_mmdb)->ArgsProduct({{1000, 500'000}, {0, 100}});
BENCHMARK(enrich_everything)->ArgsProduct({{500'000}, {0, 100}});

}  // namespace
