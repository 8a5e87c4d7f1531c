// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_MAXMINDDB
#include "core/enrichment/mmdb_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <random>
#include <string>

#include "tests/support/addresses.hpp"
#include "tests/support/files.hpp"
#include "tests/support/mmdb_writer.hpp"

using namespace nfstreamd;
using test::address;
using test::MmdbWriter;
namespace mmdb = test::mmdb;

namespace {

constexpr const char* kAsn[] = {"autonomous_system_number", nullptr};
constexpr const char* kOrganization[] = {"autonomous_system_organization", nullptr};
constexpr const char* kCountry[] = {"country", "iso_code", nullptr};

MmdbWriter systems(unsigned ip_version = 6) {
    MmdbWriter writer("Test-ASN", ip_version);
    writer.add("10.0.0.0/8", mmdb::system(64500, "Ten"));
    writer.add("10.128.0.0/9", mmdb::system(64501, std::string(300, 'o')));
    if (ip_version == 6) writer.add("2001:db8::/32", mmdb::system(4'200'000'000, "Sixth"));
    return writer;
}

std::string name_of(const MmdbFile& file, const std::string& text) {
    std::uint32_t record = 0;
    switch (file.find(address(text), record)) {
        case MmdbFile::Outcome::kNothing:
            return "nothing";
        case MmdbFile::Outcome::kDamaged:
            return "damaged";
        case MmdbFile::Outcome::kRecord:
            break;
    }
    return std::to_string(file.number(record, kAsn)) + " " + std::string(file.text(record, kOrganization));
}

// Where it begins. libmaxminddb 1.7 loses memory when what is last in it, the description, is damaged.
std::size_t metadata_of(const std::string& file) {
    return file.rfind("\xab\xcd\xefMaxMind.com");
}

std::string error_of(const std::string& path, MmdbPath expected = kAsn) {
    const auto file = MmdbFile::open(path, expected);
    return file ? "" : file.error().text();
}

}  // namespace

TEST_CASE("MmdbFile: addresses of both families are found in a tree of IPv6") {
    const test::ScratchFolder folder;
    const auto path = folder.file("a.mmdb", systems().file());
    const auto file = MmdbFile::open(path, kAsn);
    REQUIRE_MESSAGE(file, error_of(path));
    CHECK(name_of(*file.value(), "10.1.2.3") == "64500 Ten");
    CHECK(name_of(*file.value(), "10.200.2.3") == "64501 " + std::string(300, 'o'));
    CHECK(name_of(*file.value(), "11.0.0.1") == "nothing");
    CHECK(name_of(*file.value(), "192.168.1.1") == "nothing");
    CHECK(name_of(*file.value(), "2001:db8::1") == "4200000000 Sixth");
    CHECK(name_of(*file.value(), "2001:db9::1") == "nothing");
    CHECK(file.value()->type() == "Test-ASN");
    CHECK(file.value()->build_epoch() == 1'700'000'000);
    CHECK(file.value()->nodes() > 100);
    std::uint32_t record = 0;
    CHECK(file.value()->find(IpAddress{}, record) == MmdbFile::Outcome::kNothing);
}

TEST_CASE("MmdbFile: a tree of IPv4 knows no IPv6 address, and says no more of it") {
    const test::ScratchFolder folder;
    const auto file = MmdbFile::open(folder.file("a.mmdb", systems(4).file()), kAsn);
    REQUIRE(file);
    CHECK(name_of(*file.value(), "10.1.2.3") == "64500 Ten");
    CHECK(name_of(*file.value(), "2001:db8::1") == "nothing");
}

TEST_CASE("MmdbFile: values are read by their path, and what is not there is empty") {
    const test::ScratchFolder folder;
    MmdbWriter writer("Test-City");
    writer.add("10.0.0.0/8",
               mmdb::map({{"city", mmdb::map({{"geoname_id", mmdb::u32(5)}})},
                          {"country", mmdb::map({{"geoname_id", mmdb::u64(6)}, {"iso_code", mmdb::text("DE")}})}}));
    writer.add("11.0.0.0/8", mmdb::map({{"country", mmdb::text("France")}}));
    const auto file = MmdbFile::open(folder.file("c.mmdb", writer.file()), kCountry);
    REQUIRE(file);
    std::uint32_t record = 0;
    REQUIRE(file.value()->find(address("10.0.0.1"), record) == MmdbFile::Outcome::kRecord);
    CHECK(file.value()->text(record, kCountry) == "DE");
    constexpr const char *kId[] = {"country", "geoname_id", nullptr}, *kWhole[] = {"country", nullptr};
    CHECK(file.value()->number(record, kId) == 6);
    CHECK(file.value()->text(record, kId).empty());
    CHECK(file.value()->number(record, kCountry) == 0);
    CHECK(file.value()->text(record, kWhole).empty());
    REQUIRE(file.value()->find(address("11.0.0.1"), record) == MmdbFile::Outcome::kRecord);
    CHECK(file.value()->text(record, kCountry).empty());
}

TEST_CASE("MmdbFile: what is none is said with its path") {
    const test::ScratchFolder folder;
    CHECK(error_of(folder.path("absent")) == folder.path("absent") + ": there is no such file");
    CHECK(error_of(folder.path("")) == folder.path("") + ": is not a regular file");
    CHECK(error_of(folder.file("empty", "")) == folder.path("empty") + ": is empty");
    CHECK(error_of(folder.file("text", "prefix,label\n")).starts_with(folder.path("text") + ": is no MMDB file"));
    // another kind of file
    const auto asn = folder.file("asn", systems().file());
    CHECK(error_of(asn, kCountry) == asn + ": its records have no country.iso_code: it is of type Test-ASN");
    CHECK(error_of(folder.file("nothing", MmdbWriter("Test-ASN").file())).empty());  // may be so
}

TEST_CASE("MmdbFile: a file that is cut short anywhere is refused") {
    const test::ScratchFolder folder;
    const std::string whole = systems().file();
    for (std::size_t length = 0; length < metadata_of(whole) + 64; length += 97)
        CHECK(!error_of(folder.file("cut", whole.substr(0, length))).empty());
}

TEST_CASE("MmdbFile: a tree that leads out of the file is refused") {
    const test::ScratchFolder folder;
    std::string bent = systems().file();
    bent[0] = '\x7f';  // the first node's left side
    CHECK(error_of(folder.file("bent", bent)).find("damaged") != std::string::npos);
}

TEST_CASE("MmdbFile: whatever octets are changed, it is refused or answers") {
    const test::ScratchFolder folder;
    const std::string whole = systems().file();
    std::mt19937 random(7);
    int refused = 0, opened = 0;
    for (int round = 0; round < 600; ++round) {
        std::string changed = whole;
        for (int i = 0; i < 1 + round % 3; ++i) changed[random() % metadata_of(whole)] = static_cast<char>(random());
        const auto file = MmdbFile::open(folder.file("changed", changed), kAsn);
        ++(file ? opened : refused);
        if (!file) continue;
        for (const char* text : {"10.1.2.3", "10.200.0.1", "2001:db8::1", "::", "255.255.255.255"})
            CHECK(!name_of(*file.value(), text).empty());
    }
    CHECK(refused > 0);
    CHECK(opened > 0);
}

TEST_CASE("MmdbFile: nothing that happens to the file after it was opened matters") {
    const test::ScratchFolder folder;
    const auto path = folder.file("a.mmdb", systems().file());
    const auto file = MmdbFile::open(path, kAsn);
    REQUIRE(file);
    std::filesystem::resize_file(path, 0);
    CHECK(name_of(*file.value(), "10.1.2.3") == "64500 Ten");
    folder.file("a.mmdb", std::string(100'000, 'x'));
    CHECK(name_of(*file.value(), "2001:db8::1") == "4200000000 Sixth");
}
#endif
