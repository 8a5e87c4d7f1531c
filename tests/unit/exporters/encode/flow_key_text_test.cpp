// SPDX-License-Identifier: Apache-2.0
#include "exporters/encode/flow_key_text.hpp"

#include <doctest/doctest.h>

#include <utility>

namespace nfstreamd::exporters {
namespace {

FlowRecord record() {
    FlowRecord made{};
    made.source_address = {{192, 0, 2, 7}, 4};
    made.destination_address = {{192, 0, 2, 1}, 4};
    made.source_port = 40000;
    made.destination_port = 443;
    made.protocol = 6;
    return made;
}

FlowRecord turned(FlowRecord record) {
    std::swap(record.source_address, record.destination_address);
    std::swap(record.source_port, record.destination_port);
    return record;
}

std::string key(const FlowRecord& record) {
    std::string text;
    append_flow_key(text, record);
    return text;
}

TEST_CASE("Flow key: the same in both directions, the smaller end first") {
    CHECK(key(record()) == "6 192.0.2.1 443 192.0.2.7 40000");
    CHECK(key(turned(record())) == key(record()));
    CHECK(flow_key_hash(turned(record())) == flow_key_hash(record()));
}

TEST_CASE("Flow key: between two ports of one address the smaller port is first") {
    FlowRecord loopback = record();
    loopback.source_address = loopback.destination_address;
    CHECK(key(loopback) == "6 192.0.2.1 443 192.0.2.1 40000");
    CHECK(key(turned(loopback)) == key(loopback));
}

TEST_CASE("Flow key: every part of it tells flows apart") {
    const FlowRecord base = record();
    FlowRecord other = base;
    other.protocol = 17;
    CHECK(key(other) != key(base));
    CHECK(flow_key_hash(other) != flow_key_hash(base));
    other = base;
    other.source_port = 40001;
    CHECK(key(other) != key(base));
    CHECK(flow_key_hash(other) != flow_key_hash(base));
    other = base;
    std::swap(other.source_port, other.destination_port);  // another conversation of the same hosts
    CHECK(key(other) != key(base));
    CHECK(flow_key_hash(other) != flow_key_hash(base));
}

}  // namespace
}  // namespace nfstreamd::exporters
