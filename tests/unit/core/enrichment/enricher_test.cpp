// SPDX-License-Identifier: Apache-2.0
#include "core/enrichment/enricher.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/addresses.hpp"
#include "tests/support/files.hpp"
#include "tests/support/mmdb_writer.hpp"

using namespace nfstreamd;
using test::address;
using test::MmdbWriter;
namespace mmdb = test::mmdb;

namespace {

constexpr MacAddress kKnown{0x00, 0x22, 0x72, 1, 2, 3}, kUnknown{0x02, 0, 0, 0, 0, 1};

FlowRecord flow(const std::string& source, const std::string& destination, MacAddress source_mac = {},
                MacAddress destination_mac = {}) {
    FlowRecord record;
    record.source_address = address(source);
    record.destination_address = address(destination);
    record.source_mac = source_mac;
    record.destination_mac = destination_mac;
    return record;
}

struct Files : test::ScratchFolder {
    EnrichmentOptions options;

    Files& networks(const std::string& text) {
        options.networks = file("n.csv", text);
        return *this;
    }
    Files& vendors(const std::string& text) {
        options.mac_vendors = {file("v.csv", text)};
        return *this;
    }
    Files& mmdb() {
        MmdbWriter asn("Test-ASN"), country("Test-Country");
        asn.add("198.51.100.0/24", mmdb::system(64500, "Documentation"));
        asn.add("2001:db8::/32", mmdb::system(64501, "Sixth"));
        country.add("198.51.100.0/25", mmdb::country("DE"));
        country.add("2001:db8::/32", mmdb::country("FR"));
        options.asn = file("asn.mmdb", asn.file());
        options.country = file("country.mmdb", country.file());
        return *this;
    }
    Files& load() {
        std::vector<EnrichmentTables::Problem> problems;
        options.tables = EnrichmentTables::load(options, problems);
        for (const auto& problem : problems) MESSAGE((problem.key + ": " + problem.error.text()));
        REQUIRE(options.tables != nullptr);
        return *this;
    }
    std::vector<std::string> problems() {
        std::vector<EnrichmentTables::Problem> found;
        CHECK(EnrichmentTables::load(options, found) == nullptr);
        std::vector<std::string> out;
        for (const auto& problem : found) out.push_back(problem.key + ": " + problem.error.text());
        return out;
    }
};

}  // namespace

TEST_CASE("Enricher: labels and vendors of both ends") {
    Files files;
    files.networks("10.0.0.0/8,inside\n0.0.0.0/0,world,7,DE\n").vendors("00:22:72,Fuel\n").load();
    EnrichmentCounters counters;
    Enricher enricher(files.options, counters);
    Arena arena;
    const auto* found = enricher.enrich(flow("10.1.1.1", "192.0.2.1", kKnown, kUnknown), arena);
    REQUIRE(found != nullptr);
    CHECK(found->source.label == "inside");
    CHECK(found->source.mac_vendor == "Fuel");
    CHECK(found->source.asn == 0);
    CHECK(found->destination.label == "world");
    CHECK(found->destination.asn == 7);
    CHECK(found->destination.country == "DE");
    CHECK(found->destination.mac_vendor.empty());
}

TEST_CASE("Enricher: a record of which nothing is known gets no block") {
    Files files;
    files.networks("10.0.0.0/8,inside\n").vendors("00:22:72,Fuel\n").load();
    EnrichmentCounters counters;
    Enricher enricher(files.options, counters);
    Arena arena;
    CHECK(enricher.enrich(flow("192.0.2.1", "192.0.2.2", kUnknown), arena) == nullptr);
    CHECK(enricher.enrich(FlowRecord{}, arena) == nullptr);
    CHECK(enricher.enrich(flow("192.0.2.1", "10.0.0.1"), arena) != nullptr);
    CHECK(enricher.enrich(flow("192.0.2.1", "192.0.2.2", {}, kKnown), arena)->destination.mac_vendor == "Fuel");
}

TEST_CASE("Enricher: an IPv4-mapped address is looked up as IPv4") {
    Files files;
    files.networks("10.0.0.0/8,inside\n::/0,six\n").load();
    EnrichmentCounters counters;
    Enricher enricher(files.options, counters);
    Arena arena;
    CHECK(enricher.enrich(flow("::ffff:10.1.1.1", "::1"), arena)->source.label == "inside");
    CHECK(enricher.enrich(flow("::10.1.1.1", "::ffff:11.1.1.1"), arena)->source.label == "six");
    CHECK(enricher.enrich(flow("::10.1.1.1", "::ffff:11.1.1.1"), arena)->destination.label.empty());
}

TEST_CASE("Enricher: busy addresses are looked up once, and counted") {
    Files files;
    files.networks("10.0.0.0/8,inside\n").load();
    EnrichmentCounters counters;
    Enricher enricher(files.options, counters);
    Arena arena;
    for (int i = 0; i < 50; ++i) CHECK(enricher.enrich(flow("10.0.0.1", "10.0.0.2"), arena)->source.label == "inside");
    CHECK(counters.lookups.get() == 100);
    CHECK(counters.hits.get() == 98);
    CHECK(counters.damaged.get() == 0);
}

TEST_CASE("Enricher: with a cache smaller than the traffic every record is right") {
    for (const std::uint32_t cache : {0u, 1u, 4u}) {
        Files files;
        std::string text;
        for (int i = 0; i < 200; ++i) text += "10.0." + std::to_string(i) + ".0/24,net " + std::to_string(i) + "\n";
        files.options.cache_size = cache;
        files.networks(text).load();
        EnrichmentCounters counters;
        Enricher enricher(files.options, counters);
        Arena arena;
        for (int round = 0; round < 3; ++round)
            for (int i = 0; i < 200; ++i) {
                const auto* found = enricher.enrich(flow("10.0." + std::to_string(i) + ".9", "192.0.2.1"), arena);
                REQUIRE(found->source.label == "net " + std::to_string(i));
            }
        if (cache == 0) CHECK(counters.hits.get() == 0);
    }
}

TEST_CASE("EnrichmentTables: every file that cannot be used is named with its setting") {
    Files files;
    CHECK(EnrichmentTables::load(files.options, *std::make_unique<std::vector<EnrichmentTables::Problem>>()) ==
          nullptr);
    files.options.networks = files.path("absent.csv");
    files.options.mac_vendors = {files.file("v.csv", "zz,Fuel\n"), files.path("absent.txt")};
    CHECK(files.problems() ==
          std::vector<std::string>{
              "networks: " + files.path("absent.csv") + ": there is no such file",
              "mac_vendors: " + files.path("v.csv") + ":1: \"zz\" is no prefix of a hardware address, such as 00:1B:C5",
              "mac_vendors: " + files.path("absent.txt") + ": there is no such file"});
}

TEST_CASE("EnrichmentOptions: are the same when files and what is in them are") {
    Files files;
    files.networks("10.0.0.0/8,inside\n").load();
    const EnrichmentOptions before = files.options;
    files.load();
    CHECK(before == files.options);
    CHECK(before.tables != files.options.tables);
    files.networks("10.0.0.0/8,outside\n").load();
    CHECK(before != files.options);
    files.networks("10.0.0.0/8,inside\n").load();
    CHECK(before == files.options);
    files.options.cache_size = 1;
    CHECK(before != files.options);
    CHECK_FALSE(EnrichmentOptions{}.any());
    CHECK(before.any());
}

#ifdef NFSTREAMD_WITH_MAXMINDDB
TEST_CASE("Enricher: autonomous systems and countries come from MMDB files, and the operator's networks go before") {
    Files files;
    files.mmdb().networks("198.51.100.64/26,branch,,at\n198.51.100.128/25,other,64999\n").load();
    EnrichmentCounters counters;
    Enricher enricher(files.options, counters);
    Arena arena;
    const auto* found = enricher.enrich(flow("198.51.100.1", "2001:db8::9"), arena);
    CHECK(found->source.asn == 64500);
    CHECK(found->source.as_organization == "Documentation");
    CHECK(found->source.country == "DE");
    CHECK(found->source.label.empty());
    CHECK(found->destination.asn == 64501);
    CHECK(found->destination.country == "FR");
    found = enricher.enrich(flow("198.51.100.65", "198.51.100.200"), arena);
    CHECK(found->source.country == "AT");
    CHECK(found->source.as_organization == "Documentation");
    CHECK(found->destination.asn == 64999);
    CHECK(found->destination.as_organization.empty());  // it is another system's
    CHECK(found->destination.country.empty());
    CHECK(enricher.enrich(flow("192.168.1.1", "fe80::1"), arena) == nullptr);
    const auto& files_in_use = files.options.tables->descriptions();
    REQUIRE(files_in_use.size() == 3);
    CHECK(files_in_use[0].key == "asn");
    CHECK(files_in_use[0].type == "Test-ASN");
    CHECK(files_in_use[0].build_epoch == 1'700'000'000);
    CHECK(files_in_use[2].entries == 2);
}
#endif
