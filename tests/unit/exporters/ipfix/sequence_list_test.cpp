// SPDX-License-Identifier: Apache-2.0
#ifdef NFSTREAMD_WITH_IPFIX
#include "exporters/ipfix/sequence_list.hpp"

#include <doctest/doctest.h>

#include "tests/unit/exporters/ipfix/sample.hpp"

using namespace nfstreamd;
using namespace nfstreamd::test;
using exporters::ipfix::append_sequence;
using exporters::ipfix::sequence_column;

namespace {

// RFC 6313, 4.5.1, by hand.
Bytes list(std::uint32_t pen, unsigned id, unsigned length, const Bytes& entries) {
    Bytes out{3, static_cast<std::uint8_t>(id >> 8 | 0x80), static_cast<std::uint8_t>(id), 0,
              static_cast<std::uint8_t>(length)};
    for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<std::uint8_t>(pen >> shift));
    out.insert(out.end(), entries.begin(), entries.end());
    return out;
}

std::string read(const Bytes& bytes) {
    const auto column = sequence_column(bytes, kTestPen);
    std::string out(column);
    if (!column.empty()) append_sequence(out, bytes, column);
    return out;
}

}  // namespace

TEST_CASE("sequence_list: lists of ipfixprobe's elements and of ours are nfstream's columns") {
    CHECK(read(list(8057, 1016, 1, {1, 0xff, 1})) == "splt_direction[0,1,0]");
    CHECK(read(list(8057, 1013, 2, {0, 7, 1, 0})) == "splt_ps[7,256]");
    CHECK(read(list(kTestPen, 17, 2, {5, 0xdc})) == "splt_ps[1500]");
    CHECK(read(list(8057, 1014, 8, {0,    0,    1,    0x8b, 0xcf, 0xe5, 0x68, 0x7b, 0,    0,    1,    0x8b,
                                    0xcf, 0xe5, 0x68, 0x80, 0,    0,    1,    0x8b, 0xcf, 0xe5, 0x69, 0x80})) ==
          "splt_piat_ms[0,5,256]");
    CHECK(read(list(8057, 1014, 8, {})) == "splt_piat_ms[]");
    CHECK(read(list(8057, 1014, 8, {0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 7})) == "splt_piat_ms[0,-2]");
}

TEST_CASE("sequence_list: what is another list, of another length or cut short, has no column") {
    CHECK(read(list(8057, 1015, 1, {1})).empty());
    CHECK(read(list(0, 2, 2, {0, 1})).empty());
    CHECK(read(list(99, 17, 2, {0, 1})).empty());  // another's number
    CHECK(sequence_column(list(kTestPen, 17, 2, {0, 1}), 0).empty());
    CHECK(read(list(8057, 1016, 2, {0, 1})).empty());
    CHECK(read(list(8057, 1014, 4, {0, 0, 0, 1})).empty());
    CHECK(read(list(kTestPen, 17, 0, {0, 1})).empty());
    CHECK(read(list(kTestPen, 17, 2, {0, 1, 2})).empty());
    const Bytes whole = list(8057, 1016, 1, {});
    for (std::size_t length = 0; length < whole.size(); ++length)
        CHECK(read({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)}).empty());
}
#endif
