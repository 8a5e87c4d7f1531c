// SPDX-License-Identifier: Apache-2.0
#include "exporters/anonymize/crypto_pan.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "tests/unit/exporters/anonymize/identifying_record.hpp"

using namespace nfstreamd;
using namespace nfstreamd::exporters;

namespace {

// Of the sample trace that was published with the algorithm.
constexpr CryptoPan::Key kSampleKey{21,  34,  23,  141, 51,  164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
                                    216, 152, 143, 131, 121, 121, 101, 39,  98, 87, 76, 45, 42, 132, 34,  2};

std::unique_ptr<CryptoPan> make(const CryptoPan::Key& key = kSampleKey) {
    auto made = CryptoPan::make(key);
    REQUIRE(made);
    return std::move(made.value());
}

std::string pseudonym(CryptoPan& pan, const char* text) {
    IpAddress address = test::ip(text);
    REQUIRE(pan.replace(std::span(address.bytes).first(address.version == 6 ? 16 : 4)));
    return to_string(address);
}

std::size_t common_bits(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
    for (std::size_t bit = 0; bit < 8 * a.size(); ++bit)
        if (((a[bit / 8] ^ b[bit / 8]) >> (7 - bit % 8) & 1) != 0) return bit;
    return 8 * a.size();
}

}  // namespace

TEST_CASE("CryptoPan: IPv4 addresses of the published sample trace have the published pseudonyms") {
    const auto pan = make();
    constexpr const char* kPairs[][2] = {
        {"128.11.68.132", "135.242.180.132"},   {"129.118.74.4", "134.136.186.123"},
        {"130.132.252.244", "133.68.164.234"},  {"141.223.7.43", "141.167.8.160"},
        {"141.233.145.108", "141.129.237.235"}, {"152.163.225.39", "151.140.114.167"},
        {"156.29.3.236", "147.225.12.42"},      {"165.247.96.84", "162.9.99.234"},
        {"24.7.198.88", "100.10.6.25"},         {"64.39.15.238", "0.219.7.41"},
    };
    for (const auto& [clear, hidden] : kPairs) CHECK(pseudonym(*pan, clear) == hidden);
}

TEST_CASE("CryptoPan: IPv6 addresses have the pseudonyms that other implementations give them") {
    const auto pan = make();
    CHECK(pseudonym(*pan, "::2") == "78ff:f001:9fc0:20df:8380:b1f1:704:ef");
    CHECK(pseudonym(*pan, "::ffff") == "78ff:f001:9fc0:20df:8380:b1f1:704:f838");
    CHECK(pseudonym(*pan, "2001:db8::1") == "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e");
    CHECK(pseudonym(*pan, "2001:db8::2") == "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c");
}

TEST_CASE("CryptoPan: two pseudonyms share exactly as many leading bits as their addresses") {
    std::mt19937_64 random(1);
    for (const std::size_t size : {std::size_t{4}, std::size_t{16}}) {
        const auto pan = make();
        for (int round = 0; round < 2000; ++round) {
            std::vector<std::uint8_t> one(size), other(size);
            for (auto& octet : one) octet = static_cast<std::uint8_t>(random());
            other = one;
            const std::size_t differs = random() % (8 * size);  // from here on anything
            other[differs / 8] = static_cast<std::uint8_t>(other[differs / 8] ^ 0x80 >> differs % 8);
            for (std::size_t octet = differs / 8 + 1; octet < size; ++octet)
                other[octet] = static_cast<std::uint8_t>(random());
            const std::size_t expected = common_bits(one, other);
            REQUIRE(expected == differs);
            REQUIRE(pan->replace(one));
            REQUIRE(pan->replace(other));
            REQUIRE(common_bits(one, other) == expected);
        }
    }
}

TEST_CASE("CryptoPan: another key gives other pseudonyms, the same key the same") {
    CryptoPan::Key other = kSampleKey;
    other[0] ^= 1;
    CHECK(pseudonym(*make(), "192.0.2.1") == pseudonym(*make(), "192.0.2.1"));
    CHECK(pseudonym(*make(), "192.0.2.1") != pseudonym(*make(other), "192.0.2.1"));
}
