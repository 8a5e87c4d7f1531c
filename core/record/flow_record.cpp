// SPDX-License-Identifier: Apache-2.0
#include "core/record/flow_record.hpp"

#include <utility>

namespace nfstreamd {
namespace {

// Makes `block` point to a turned copy of what it points to.
template <class Block, class Turn>
void turn(const Block*& block, Block& copy, Turn turn_over) {
    if (block == nullptr) return;
    copy = *block;
    turn_over(copy);
    block = &copy;
}

}  // namespace

ReversedFlow::ReversedFlow(const FlowRecord& original) : record(original) {
    std::swap(record.source_address, record.destination_address);
    std::swap(record.forward, record.reverse);
    std::swap(record.source_mac, record.destination_mac);
    std::swap(record.source_port, record.destination_port);
    if (record.biflow_direction == BiflowDirection::kInitiator)
        record.biflow_direction = BiflowDirection::kReverseInitiator;
    else if (record.biflow_direction == BiflowDirection::kReverseInitiator)
        record.biflow_direction = BiflowDirection::kInitiator;
    turn(record.statistics, statistics_, [](auto& s) { std::swap(s.forward, s.reverse); });
    turn(record.tcp_quality, tcp_quality_, [](auto& q) { std::swap(q.forward, q.reverse); });
    turn(record.tunnel, tunnel_, [](auto& t) {
        std::swap(t.source_address, t.destination_address);
        std::swap(t.key, t.reverse_key);
    });
    turn(record.enrichment, enrichment_, [](auto& e) { std::swap(e.source, e.destination); });
    turn(record.sequence, sequence_, [this](auto& s) {
        directions_.assign(s.direction.begin(), s.direction.end());
        for (auto& direction : directions_) direction = direction < 0 ? direction : 1 - direction;
        s.direction = directions_;
    });
}

}  // namespace nfstreamd
