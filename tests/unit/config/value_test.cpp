// SPDX-License-Identifier: Apache-2.0
#include "config/value.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "config/tables.hpp"

using namespace nfstreamd::config;

namespace {

SettingSpec spec_of(SettingType type, double min = 0, double max = 0) {
    return SettingSpec{.name = "x", .type = type, .default_value = "", .min = min, .max = max};
}

template <class T>
std::optional<T> parse(const SettingSpec& spec, const std::string& text) {
    const auto value = parse_value(spec, scalar_node(text, Place{}));
    return value ? std::optional(std::get<T>(value.value())) : std::nullopt;
}

std::optional<std::int64_t> milliseconds(const std::string& text) {
    const auto value = parse<std::chrono::milliseconds>(spec_of(SettingType::kDuration), text);
    return value ? std::optional<std::int64_t>(value->count()) : std::nullopt;
}

std::optional<std::int64_t> octets(const std::string& text) {
    return parse<std::int64_t>(spec_of(SettingType::kSize), text);
}

std::string error_of(const SettingSpec& spec, const Node& node) {
    const auto value = parse_value(spec, node);
    return value ? std::string() : value.error().message;
}

}  // namespace

TEST_CASE("parse_value: durations are seconds, or have a unit") {
    CHECK(milliseconds("120") == 120'000);
    CHECK(milliseconds("120s") == 120'000);
    CHECK(milliseconds("5m") == 300'000);
    CHECK(milliseconds("1h") == 3'600'000);
    CHECK(milliseconds("1d") == 86'400'000);
    CHECK(milliseconds("500ms") == 500);
    CHECK(milliseconds("0") == 0);
    CHECK(milliseconds("4294967295") == 4'294'967'295'000);
}

TEST_CASE("parse_value: no duration is negative, too long, or half a word") {
    for (const char* text :
         {"-1", "-1s", "4294967296", "4294967295001ms", "9223372036854775807h", "99999999999999999999", "", "s", "1.5",
          "1 s", "1S", "5min", "1h30m", " 5", "5 ", "0x10", "+5", "inf"}) {
        CAPTURE(text);
        CHECK_FALSE(milliseconds(text));
    }
}

TEST_CASE("parse_value: sizes have powers of 1024 and of 1000") {
    CHECK(octets("65536") == 65536);
    CHECK(octets("64B") == 64);
    CHECK(octets("64KiB") == 65536);
    CHECK(octets("64MiB") == 67108864);
    CHECK(octets("64MB") == 64'000'000);
    CHECK(octets("2GiB") == 2147483648);
    CHECK(octets("1TB") == 1'000'000'000'000);
    CHECK(octets("8388607TiB") == 8388607ll << 40);
}

TEST_CASE("parse_value: no size is negative, overflows, or has an ambiguous unit") {
    for (const char* text : {"-1", "-1MiB", "8388608TiB", "9223372036854775808", "64M", "64K", "1.5GiB", "", "MiB"}) {
        CAPTURE(text);
        CHECK_FALSE(octets(text));
    }
}

TEST_CASE("parse_value: integers may have a decimal unit and keep their bounds") {
    const SettingSpec any = spec_of(SettingType::kInteger);
    CHECK(parse<std::int64_t>(any, "1M") == 1'000'000);
    CHECK(parse<std::int64_t>(any, "10k") == 10'000);
    CHECK(parse<std::int64_t>(any, "-5") == -5);
    CHECK(parse<std::int64_t>(any, "9223372036854775807") == 9223372036854775807);
    CHECK_FALSE(parse<std::int64_t>(any, "9223372036854775808"));
    CHECK_FALSE(parse<std::int64_t>(any, "9223372036854775807k"));
    CHECK_FALSE(parse<std::int64_t>(any, "1.0"));
    CHECK_FALSE(parse<std::int64_t>(any, "1Mi"));

    const SettingSpec bounded = spec_of(SettingType::kInteger, 0, 255);
    CHECK(parse<std::int64_t>(bounded, "0") == 0);
    CHECK(parse<std::int64_t>(bounded, "255") == 255);
    CHECK_FALSE(parse<std::int64_t>(bounded, "256"));
    CHECK_FALSE(parse<std::int64_t>(bounded, "-1"));
    CHECK(error_of(bounded, scalar_node("256", Place{})) == "must be an integer from 0 to 255, not \"256\"");
}

TEST_CASE("parse_value: a number is finite and decimal") {
    const SettingSpec spec = spec_of(SettingType::kNumber);
    CHECK(parse<double>(spec, "0.25") == 0.25);
    CHECK(parse<double>(spec, "1e3") == 1000);
    CHECK_FALSE(parse<double>(spec, "inf"));
    CHECK_FALSE(parse<double>(spec, "nan"));
    CHECK_FALSE(parse<double>(spec, "1e999"));
    CHECK_FALSE(parse<double>(spec, "0.5x"));
    CHECK_FALSE(parse<double>(spec_of(SettingType::kNumber, 0, 1), "1.01"));
}

TEST_CASE("parse_value: booleans are words") {
    const SettingSpec spec = spec_of(SettingType::kBool);
    for (const char* text : {"true", "True", "TRUE", "yes", "on"}) CHECK(parse<bool>(spec, text) == true);
    for (const char* text : {"false", "no", "Off"}) CHECK(parse<bool>(spec, text) == false);
    for (const char* text : {"1", "0", "", "y", "enabled"}) CHECK_FALSE(parse<bool>(spec, text));
    CHECK(error_of(spec, scalar_node("1", Place{})) == "must be true or false, not \"1\"");
}

TEST_CASE("parse_value: a choice is one of its words, or empty where there is no default") {
    SettingSpec spec = spec_of(SettingType::kChoice);
    spec.choices = "first all";
    CHECK(parse<std::string>(spec, "all") == "all");
    CHECK(parse<std::string>(spec, "") == "");
    CHECK_FALSE(parse<std::string>(spec, "first all"));
    CHECK_FALSE(parse<std::string>(spec, "al"));
    CHECK(error_of(spec, scalar_node("some", Place{})) == "must be one of: first, all, not \"some\"");
    spec.default_value = "first";
    CHECK_FALSE(parse<std::string>(spec, ""));
}

TEST_CASE("parse_value: a list of choices takes those alone, and a boolean by itself") {
    SettingSpec spec = spec_of(SettingType::kStringList);
    spec.choices = "true false red green";
    const auto parsed = [&](std::initializer_list<const char*> items) {
        Node list = list_node(Place{});
        for (const char* item : items) list.items.push_back(scalar_node(item, Place{}));
        auto value = parse_value(spec, list);
        REQUIRE(value);
        return std::pair(std::get<std::vector<std::string>>(value.value()), print_value(spec, value.value()));
    };
    using Strings = std::vector<std::string>;
    CHECK(parsed({"red"}) == std::pair(Strings{"red"}, std::string("red")));
    CHECK(parsed({"green", "red"}) == std::pair(Strings{"green", "red"}, std::string("[green, red]")));
    CHECK(parsed({"On"}) == std::pair(Strings{"true"}, std::string("true")));
    CHECK(parsed({}) == std::pair(Strings{}, std::string("[]")));
    Node list = list_node(Place{});
    for (const char* item : {"red", "true"}) list.items.push_back(scalar_node(item, Place{}));
    CHECK(error_of(spec, list) == "must be one or a list of: true, false, red, green, not \"true\"");
    CHECK(error_of(spec, scalar_node("blue", Place{})) ==
          "must be one or a list of: true, false, red, green, not \"blue\"");
}

TEST_CASE("parse_value: lists take a single string and no empty one") {
    const SettingSpec spec = spec_of(SettingType::kStringList);
    using Strings = std::vector<std::string>;
    CHECK(parse<Strings>(spec, "a") == Strings{"a"});
    CHECK(parse<Strings>(spec, "") == Strings{});
    Node list = list_node(Place{});
    list.items.push_back(scalar_node("", Place{}));
    CHECK(error_of(spec, list) == "must be a string or a list of strings, not one with an empty string in it");
    list.items[0] = map_node(Place{});
    CHECK(error_of(spec, list) == "must be a string or a list of strings, not one with a map in it");
    CHECK(error_of(spec, map_node(Place{})) == "must be a string or a list of strings, not a map");
}

TEST_CASE("parse_value: what is required is not empty") {
    SettingSpec spec = spec_of(SettingType::kString);
    CHECK(parse<std::string>(spec, "") == "");
    spec.required = true;
    CHECK(error_of(spec, scalar_node("", Place{})) == "must not be empty");
    spec.type = SettingType::kStringList;
    CHECK(error_of(spec, list_node(Place{})) == "must not be empty");
}

TEST_CASE("parse_value: a NUL would cut the string in a C library") {
    const Node node = scalar_node(std::string("a\0b", 3), Place{});
    CHECK(error_of(spec_of(SettingType::kString), node) == "must not contain a NUL character");
    CHECK(error_of(spec_of(SettingType::kStringList), node) == "must not contain a NUL character");
}

TEST_CASE("parse_value: the error shows the beginning of a long value") {
    const std::string message = error_of(spec_of(SettingType::kBool), scalar_node(std::string(1000, 'x'), Place{}));
    CHECK(message.size() < 120);
    CHECK(message.find("xxx...\"") != std::string::npos);
}

TEST_CASE("print_value: canonical text of each type") {
    const auto print = [](SettingType type, SettingValue value) { return print_value(spec_of(type), value); };
    CHECK(print(SettingType::kBool, false) == "false");
    CHECK(print(SettingType::kInteger, std::int64_t{-3}) == "-3");
    CHECK(print(SettingType::kSize, std::int64_t{67108864}) == "64MiB");
    CHECK(print(SettingType::kSize, std::int64_t{1536}) == "1536");
    CHECK(print(SettingType::kSize, std::int64_t{0}) == "0");
    CHECK(print(SettingType::kNumber, 0.1) == "0.1");
    CHECK(print(SettingType::kDuration, std::chrono::milliseconds(120'000)) == "120s");
    CHECK(print(SettingType::kDuration, std::chrono::milliseconds(1'500)) == "1500ms");
    CHECK(print(SettingType::kStringList, std::vector<std::string>{"a", "b c"}) == "[a, \"b c\"]");
    CHECK(print(SettingType::kStringList, std::vector<std::string>{}) == "[]");
}

TEST_CASE("print_string: quotes where YAML needs them") {
    CHECK(print_string("eth0") == "eth0");
    CHECK(print_string("/run/a-b.sock") == "/run/a-b.sock");
    CHECK(print_string("") == "\"\"");
    CHECK(print_string("true") == "\"true\"");
    CHECK(print_string("Null") == "\"Null\"");
    CHECK(print_string("-") == "\"-\"");
    CHECK(print_string("12") == "\"12\"");
    CHECK(print_string("a\"b\\") == "\"a\\\"b\\\\\"");
    CHECK(print_string("a\nb\tc\x01\x7f") == "\"a\\nb\\tc\\x01\\x7f\"");
    CHECK(print_string("\xc2\x85\xe2\x80\xae\xef\xbb\xbf") == "\"\\x85\\u202e\\ufeff\"");
    CHECK(print_string("gr\xc3\xbc\xc3\x9f") == "\"gr\xc3\xbc\xc3\x9f\"");
    CHECK(print_string("\xff") == "\"\\ufffd\"");
    CHECK(print_string("${A}") == "\"$${A}\"");
}

TEST_CASE("tables: every default is accepted by its own row, every row has a sentence") {
    for (const auto table : {top_settings(), capture_settings(), metering_settings(), log_settings(),
                             control_settings(), metrics_settings()}) {
        for (const SettingSpec& spec : table) {
            CAPTURE(spec.name);
            CHECK_FALSE(spec.description.empty());
            if (spec.default_value.empty()) continue;
            CHECK(parse_value(spec, scalar_node(std::string(spec.default_value), Place{})));
        }
    }
}
