// SPDX-License-Identifier: Apache-2.0
#include "core/metering/tunnel_contexts.hpp"

#include <doctest/doctest.h>

#include <set>

#include "core/packet/tunnel_set.hpp"

using namespace nfstreamd;

namespace {

constexpr std::uint32_t kMost = TunnelContexts::kLast - TunnelContexts::kFirst + 1;

Packet in_network(TunnelKind kind, std::uint32_t network) {
    Packet packet;
    packet.tunnel_id = static_cast<std::uint8_t>(kind);
    packet.tunnel_segment = std::uint32_t{packet.tunnel_id} << 24 | network;
    return packet;
}

}  // namespace

TEST_CASE("TunnelContexts: without a network the kind is the number") {
    TunnelContexts contexts(1);
    Packet packet;
    CHECK(contexts.number(packet) == 0);
    packet.tunnel_id = 9;
    CHECK(contexts.number(packet) == 9);
    CHECK(contexts.kind(9) == 9);
}

TEST_CASE("TunnelContexts: every network has one number of its own, which tells the kind") {
    TunnelContexts contexts(12345);
    std::set<std::uint16_t> numbers;
    for (std::uint32_t network = 0; network < kMost / 2; ++network)
        for (const TunnelKind kind : {TunnelKind::kVxlan, TunnelKind::kGeneve}) {
            const std::uint16_t number = contexts.number(in_network(kind, network * 4099));
            CHECK(number >= TunnelContexts::kFirst);
            CHECK(number <= TunnelContexts::kLast);
            CHECK(contexts.kind(number) == static_cast<int>(kind));
            CHECK(contexts.number(in_network(kind, network * 4099)) == number);
            numbers.insert(number);
        }
    CHECK(numbers.size() == kMost / 2 * 2);
    CHECK(contexts.merged() == 0);
}

TEST_CASE("TunnelContexts: a GRE tunnel within a network is another context than the network alone") {
    TunnelContexts contexts(1);
    Packet packet = in_network(TunnelKind::kVxlan, 7);
    const std::uint16_t plain = contexts.number(packet);
    packet.tunnel_id = static_cast<std::uint8_t>(TunnelKind::kGre);
    CHECK(contexts.number(packet) != plain);
    CHECK(contexts.kind(contexts.number(packet)) == static_cast<int>(TunnelKind::kGre));
}

TEST_CASE("TunnelContexts: when all numbers are taken the plain kind serves, counted, until flows have ended") {
    TunnelContexts contexts(99);
    const auto vxlan = [](std::uint32_t network) { return in_network(TunnelKind::kVxlan, network); };
    for (std::uint32_t network = 0; network < kMost; ++network) contexts.hold(contexts.number(vxlan(network)));
    CHECK(contexts.merged() == 0);
    CHECK(contexts.number(vxlan(kMost)) == static_cast<int>(TunnelKind::kVxlan));
    CHECK(contexts.merged() == 1);
    contexts.between_vectors();
    CHECK(contexts.number(vxlan(kMost)) == static_cast<int>(TunnelKind::kVxlan));  // all have flows

    const std::uint16_t kept = contexts.number(vxlan(999));
    contexts.hold(kept);
    std::set<std::uint16_t> ended;
    for (std::uint32_t network = 900; network < 1100; ++network) {
        const std::uint16_t number = contexts.number(vxlan(network));
        contexts.release(number);  // of network 999 one of two flows is left
        if (number != kept) ended.insert(number);
    }
    CHECK(contexts.number(vxlan(kMost)) == static_cast<int>(TunnelKind::kVxlan));  // not in the midst of a vector
    CHECK(contexts.merged() == 3);
    contexts.between_vectors();
    CHECK(contexts.number(vxlan(999)) == kept);
    for (std::uint32_t network = kMost; network < kMost + 199; ++network)
        CHECK(ended.erase(contexts.number(vxlan(network))) == 1);
    CHECK(contexts.number(vxlan(900)) == static_cast<int>(TunnelKind::kVxlan));
    CHECK(contexts.merged() == 4);
    // a packet whose flow did not come about leaves nothing behind for good
    contexts.between_vectors();
    CHECK(contexts.number(vxlan(900)) >= TunnelContexts::kFirst);
}
