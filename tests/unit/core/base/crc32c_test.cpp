// SPDX-License-Identifier: Apache-2.0
#include "core/base/crc32c.hpp"

#include <doctest/doctest.h>

#include <string>

namespace nfstreamd {
namespace {

// The examples of RFC 3720, B.4.
TEST_CASE("crc32c: is that of RFC 3720") {
    CHECK(crc32c("") == 0);
    CHECK(crc32c("123456789") == 0xe3069283);
    CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
    CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
    std::string ascending;
    for (char c = 0; c < 32; ++c) ascending += c;
    CHECK(crc32c(ascending) == 0x46dd794e);
    CHECK(crc32c(std::string(ascending.rbegin(), ascending.rend())) == 0x113fdb5c);
}

TEST_CASE("crc32c: goes on where it was, wherever the text is cut") {
    std::string text;
    for (int i = 0; i < 61; ++i) text += static_cast<char>(i * 37);
    for (std::size_t cut = 0; cut <= text.size(); ++cut)
        CHECK(crc32c(text.substr(cut), crc32c(text.substr(0, cut))) == crc32c(text));
}

}  // namespace
}  // namespace nfstreamd
