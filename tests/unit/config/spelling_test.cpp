// SPDX-License-Identifier: Apache-2.0
#include "config/spelling.hpp"

#include <doctest/doctest.h>

using namespace nfstreamd::config;

TEST_CASE("suggestion: the nearest word is offered") {
    CHECK(suggestion("idle_timout", {"active_timeout", "idle_timeout"}) == ", did you mean idle_timeout?");
    CHECK(suggestion("tpye", {"name", "type"}) == ", did you mean type?");
    CHECK(suggestion("interfaces", {"interface", "pcap"}) == ", did you mean interface?");
}

TEST_CASE("suggestion: far from all, they are listed") {
    CHECK(suggestion("plugins", {"capture", "metering"}) == "; known: capture, metering");
    CHECK(suggestion("x", {}).empty());
}

TEST_CASE("suggestion: a long word is not compared") {
    CHECK(suggestion(std::string(100'000, 'a'), {"a"}) == "; known: a");
}
