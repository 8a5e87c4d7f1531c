// SPDX-License-Identifier: Apache-2.0
#include "exporters/anonymize/address_anonymizer.hpp"

#include <doctest/doctest.h>

#include <random>

#include "tests/unit/exporters/anonymize/identifying_record.hpp"

using namespace nfstreamd;
using namespace nfstreamd::exporters;

namespace {

constexpr CryptoPan::Key kKey{1, 2, 3};

std::unique_ptr<AddressAnonymizer> make(AddressMethod method, int prefix_v4 = 24, int prefix_v6 = 48) {
    AnonymizationOptions options;
    options.addresses = method;
    options.prefix_length_v4 = prefix_v4;
    options.prefix_length_v6 = prefix_v6;
    auto made = AddressAnonymizer::make(options, kKey);
    REQUIRE(made);
    return std::move(made.value());
}

std::string hidden(AddressAnonymizer& anonymizer, const char* clear) {
    return to_string(anonymizer.anonymize(test::ip(clear)));
}

}  // namespace

TEST_CASE("AddressAnonymizer: truncation leaves the prefix, whatever its length") {
    auto usual = make(AddressMethod::kTruncate);
    CHECK(hidden(*usual, "192.0.2.130") == "192.0.2.0");
    CHECK(hidden(*usual, "2001:db8:1:2:3:4:5:6") == "2001:db8:1::");
    auto odd = make(AddressMethod::kTruncate, 13, 61);
    CHECK(hidden(*odd, "10.255.255.255") == "10.248.0.0");
    CHECK(hidden(*odd, "2001:db8:1:ffff::1") == "2001:db8:1:fff8::");
    CHECK(hidden(*make(AddressMethod::kTruncate, 0, 0), "192.0.2.1") == "0.0.0.0");
    CHECK(hidden(*make(AddressMethod::kTruncate, 32, 128), "2001:db8::1") == "2001:db8::1");
}

TEST_CASE("AddressAnonymizer: addresses that stand for nobody stay as they are") {
    for (const auto method : {AddressMethod::kTruncate, AddressMethod::kPrefixPreserving}) {
        auto anonymizer = make(method, 8, 16);
        for (const char* special : {"0.0.0.0", "255.255.255.255", "127.0.0.1", "224.0.0.251", "239.255.255.250",
                                    "::", "::1", "ff02::fb", "ff05::1:3"})
            CHECK(hidden(*anonymizer, special) == special);
        for (const char* usual : {"10.1.2.3", "169.254.7.7", "240.0.0.1", "fe80::3252:cbff:fe6c:9c1b",
                                  "ff32:40:2001:db8::1", "::ffff:192.0.2.1"})
            CHECK(hidden(*anonymizer, usual) != usual);
    }
    CHECK(make(AddressMethod::kPrefixPreserving)->anonymize(IpAddress{}) == IpAddress{});
}

TEST_CASE("AddressAnonymizer: the group of a node's solicitations does not tell the end of its address") {
    for (const auto method : {AddressMethod::kTruncate, AddressMethod::kPrefixPreserving})
        CHECK(hidden(*make(method), "ff02::1:ff6c:9c1b") == "ff02::1:ff00:0");
}

TEST_CASE("AddressAnonymizer: what is remembered is what is made, with more addresses than are remembered") {
    auto one = make(AddressMethod::kPrefixPreserving);
    auto fresh = CryptoPan::make(kKey);
    REQUIRE(fresh);
    std::mt19937 random(7);
    for (int round = 0; round < 60000; ++round) {
        IpAddress address = test::ip("10.0.0.0");
        address.bytes[1] = static_cast<std::uint8_t>(random() % 2);
        address.bytes[2] = static_cast<std::uint8_t>(random());
        address.bytes[3] = static_cast<std::uint8_t>(random());
        IpAddress made = address;
        REQUIRE(fresh.value()->replace(std::span(made.bytes).first(4)));
        REQUIRE(one->anonymize(address) == made);
    }
}

TEST_CASE("AddressAnonymizer: off changes nothing") {
    CHECK(hidden(*make(AddressMethod::kOff), "192.0.2.130") == "192.0.2.130");
}
