// SPDX-License-Identifier: Apache-2.0
#include "exporters/anonymize/keyed_digest.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace nfstreamd::exporters;

TEST_CASE("KeyedDigest: is BLAKE2b with a key and 32 octets, the same each time") {
    std::array<std::uint8_t, 32> key;
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
    auto made = KeyedDigest::make(key);
    REQUIRE(made);
    // hashlib.blake2b(text, key=bytes(range(32)), digest_size=32).hexdigest()
    constexpr std::pair<const char*, const char*> kKnown[] = {
        {"", "4e51e7a913fc80137da52880fecca175bf81e117d5c68126dc2774033517ea0d"},
        {"mail.example", "406bc127f6b55944984c121a39bdc50f360344692dcf16ca8523f2f92dd0b712"},
        {"", "4e51e7a913fc80137da52880fecca175bf81e117d5c68126dc2774033517ea0d"},
        {"mail.example", "406bc127f6b55944984c121a39bdc50f360344692dcf16ca8523f2f92dd0b712"}};
    for (const auto& [text, digits] : kKnown) {
        KeyedDigest::Octets octets;
        REQUIRE(made.value()->digest(text, octets));
        std::string have;
        for (const std::uint8_t octet : octets) {
            have += "0123456789abcdef"[octet >> 4];
            have += "0123456789abcdef"[octet & 15];
        }
        CHECK(have == digits);
    }
}
