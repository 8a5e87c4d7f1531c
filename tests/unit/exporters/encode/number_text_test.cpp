// SPDX-License-Identifier: Apache-2.0
#include "exporters/encode/number_text.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace nfstreamd::exporters {
namespace {

std::string float_text(double value) {
    std::string out;
    append_float(out, value);
    return out;
}

TEST_CASE("append_integer: numbers of 128 bits too") {
    const auto text = [](std::uint64_t high, std::uint64_t low) {
        std::string out = "x";
        append_integer(out, Unsigned128{high, low});
        return out;
    };
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
    CHECK(text(0, 0) == "x0");
    CHECK(text(0, kMost) == "x18446744073709551615");
    CHECK(text(1, 0) == "x18446744073709551616");
    CHECK(text(kMost, kMost) == "x340282366920938463463374607431768211455");
    CHECK(text(0x20010db800000000, 1) == "x42540766411282592856903984951653826561");
}

TEST_CASE("append_float: writes what Python's repr writes") {
    CHECK(float_text(0) == "0.0");
    CHECK(float_text(-0.0) == "-0.0");
    CHECK(float_text(1) == "1.0");
    CHECK(float_text(-1) == "-1.0");
    CHECK(float_text(100000) == "100000.0");
    CHECK(float_text(0.1) == "0.1");
    CHECK(float_text(0.1 + 0.2) == "0.30000000000000004");
    CHECK(float_text(1.0 / 3) == "0.3333333333333333");
    CHECK(float_text(0.0001) == "0.0001");
    CHECK(float_text(0.00001) == "1e-05");
    CHECK(float_text(0.00012345) == "0.00012345");
    CHECK(float_text(123456789.123) == "123456789.123");
    CHECK(float_text(9007199254740993.0) == "9007199254740992.0");
    CHECK(float_text(9999999999999998.0) == "9999999999999998.0");
    CHECK(float_text(1e16) == "1e+16");
    CHECK(float_text(1.5e300) == "1.5e+300");
    CHECK(float_text(std::numeric_limits<double>::max()) == "1.7976931348623157e+308");
    CHECK(float_text(std::numeric_limits<double>::denorm_min()) == "5e-324");
    CHECK(float_text(-std::numeric_limits<double>::min()) == "-2.2250738585072014e-308");
}

TEST_CASE("append_float: any finite number reads back as itself, and as a float") {
    std::mt19937_64 random(1);
    int wrong = 0;
    for (int i = 0; i < 20000; ++i) {
        const std::uint64_t bits = random();
        double value;
        std::memcpy(&value, &bits, sizeof value);
        if (i % 2 == 0) value = static_cast<double>(bits % 2'000'000) / 7;  // of the size that records have
        if (value - value != 0) continue;                                   // not finite
        const std::string text = float_text(value);
        wrong += std::strtod(text.c_str(), nullptr) != value || text.find_first_of(".e") == std::string::npos;
    }
    CHECK(wrong == 0);
}

TEST_CASE("append_integer: covers the whole range of both types") {
    std::string out;
    append_integer(out, std::numeric_limits<std::uint64_t>::max());
    out += ' ';
    append_integer(out, std::numeric_limits<std::int64_t>::min());
    CHECK(out == "18446744073709551615 -9223372036854775808");
}

TEST_CASE("append_list: writes a list as Python writes it") {
    const auto text = [](std::vector<std::int32_t> values) {
        std::string out;
        append_list(out, values);
        return out;
    };
    CHECK(text({}) == "[]");
    CHECK(text({7}) == "[7]");
    CHECK(text({0, 1, -1}) == "[0, 1, -1]");
    CHECK(text({-2147483647 - 1, 2147483647}) == "[-2147483648, 2147483647]");
}

}  // namespace
}  // namespace nfstreamd::exporters
