// SPDX-License-Identifier: Apache-2.0
#include "exporters/anonymize/anonymization_options.hpp"

#include <doctest/doctest.h>

#include "exporters/anonymize/anonymization_keys.hpp"
#include "tests/support/exporter_settings.hpp"

using namespace nfstreamd;
using namespace nfstreamd::exporters;

namespace {

const std::string kDigits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1E1F";

config::Settings with(std::initializer_list<std::pair<const char*, const char*>> values) {
    auto settings = test::default_settings("csv");
    for (const auto& [name, value] : values)
        settings.set(std::string("anonymize.") + name, std::string(value), "t.yaml:3:5", true);
    return settings;
}

std::string fault(const config::Settings& settings) {
    const auto options = anonymization_options(settings);
    return options ? "" : options.error().text();
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("anonymization_options: without settings nothing is hidden") {
    const auto options = anonymization_options(test::default_settings("csv"));
    REQUIRE(options);
    CHECK_FALSE(options.value().on());
    CHECK(options.value() == AnonymizationOptions{});
}

TEST_CASE("anonymization_options: who hides addresses and says no more hides hardware addresses and texts") {
    const auto hidden = anonymization_options(with({{"addresses", "truncate"}}));
    REQUIRE(hidden);
    CHECK(hidden.value().mac == MacMethod::kDrop);
    CHECK(hidden.value().texts == TextMethod::kDrop);
    const auto told = anonymization_options(with({{"addresses", "truncate"}, {"mac", "off"}, {"texts", "keep"}}));
    REQUIRE(told);
    CHECK(told.value().mac == MacMethod::kOff);
    CHECK(told.value().texts == TextMethod::kKeep);
    const auto texts = anonymization_options(with({{"texts", "drop"}}));
    REQUIRE(texts);
    CHECK(texts.value().mac == MacMethod::kOff);
}

TEST_CASE("anonymization_options: each kind of pseudonym needs a key, and the error says how to make one") {
    for (const auto& [name, value] : {std::pair{"addresses", "prefix_preserving"}, std::pair{"mac", "pseudonym"},
                                      std::pair{"texts", "pseudonym"}}) {
        const auto text = fault(with({{name, value}}));
        CHECK(contains(text, "anonymize.key"));
        CHECK(contains(text, "openssl rand -hex 32"));
        CHECK(fault(with({{name, value}, {"key", kDigits.c_str()}})) == "");
        CHECK(contains(fault(with({{name, value}, {"key", "short"}})), "too short"));
    }
}

TEST_CASE("anonymization_options: settings without effect are errors with their place") {
    CHECK(contains(fault(with({{"key", kDigits.c_str()}})), "t.yaml:3:5: anonymize.key: needs"));
    auto settings = test::default_settings("csv");
    settings.set("anonymize.prefix_length_v6", std::int64_t{64}, "t.yaml:4:5", true);
    CHECK(contains(fault(settings), "t.yaml:4:5: anonymize.prefix_length_v6: needs"));
}

TEST_CASE("make_anonymization_keys: 64 digits are Crypto-PAn's key, another text gives another, always the same") {
    const auto digits = make_anonymization_keys(kDigits);
    REQUIRE(digits);
    for (std::size_t i = 0; i < 32; ++i) CHECK(digits.value().addresses[i] == i);
    CHECK(digits.value().digests != digits.value().addresses);
    const auto text = make_anonymization_keys("correct horse battery"),
               again = make_anonymization_keys("correct horse battery"),
               other = make_anonymization_keys("correct horse batterz");
    REQUIRE((text && again && other));
    CHECK(text.value().addresses == again.value().addresses);
    CHECK(text.value().digests == again.value().digests);
    CHECK(text.value().addresses != other.value().addresses);
    CHECK(text.value().digests != other.value().digests);
    CHECK_FALSE(make_anonymization_keys("fifteen letters"));
}
