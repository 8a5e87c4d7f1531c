// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/flow_order.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <tuple>
#include <unordered_map>

#include "core/base/mixing.hpp"

namespace nfstreamd::python {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

std::int64_t milliseconds(TimestampNs time) noexcept {
    return time / 1'000'000;
}

std::uint64_t mix_end(const IpAddress& address, std::uint16_t port) noexcept {
    std::uint64_t words[2];
    std::memcpy(words, address.bytes.data(), sizeof words);
    return splitmix_finish(splitmix_finish(words[0] + port) ^ words[1]);
}

// Moments of packets.
std::vector<std::int64_t> ticks_of(std::span<const EndedFlow> flows) {
    std::vector<std::int64_t> ticks;
    ticks.reserve(flows.size() * 2);
    for (const EndedFlow& flow : flows) {
        ticks.push_back(milliseconds(flow.first));
        ticks.push_back(flow.last_ms);
    }
    std::sort(ticks.begin(), ticks.end());
    ticks.erase(std::unique(ticks.begin(), ticks.end()), ticks.end());
    return ticks;
}

// For each flow, in the order of creation, when the next one of its key begins.
std::vector<std::int64_t> successors(std::span<const EndedFlow> flows, const std::vector<std::uint32_t>& created) {
    std::vector<std::int64_t> begins(flows.size(), kNever);
    std::unordered_map<std::uint64_t, std::int64_t> next;
    for (auto at = created.rbegin(); at != created.rend(); ++at) {
        const auto [place, fresh] = next.try_emplace(flows[*at].key, kNever);
        begins[*at] = place->second;
        place->second = milliseconds(flows[*at].first);
    }
    return begins;
}

struct Departure {
    std::int64_t at;
    bool by_scan;  // behind those whose own packet ends them at the same moment
    std::uint32_t rank, flow;
};

}  // namespace

EndedFlow::EndedFlow(const FlowRecord& record) noexcept
    : first(record.first()),
      last_ms(milliseconds(record.last())),
      key(splitmix_finish(
          (mix_end(record.source_address, record.source_port) +
           mix_end(record.destination_address, record.destination_port)) ^
          (std::uint64_t{record.vlan_id} << 16 | std::uint64_t{record.tunnel_id} << 8 | record.protocol))),
      creation_id(record.creation_id),
      reason(record.end_reason) {}

std::vector<std::uint32_t> nfstream_order(std::span<const EndedFlow> flows, std::int64_t idle_ms) {
    std::vector<std::uint32_t> created(flows.size());
    for (std::uint32_t i = 0; i < created.size(); ++i) created[i] = i;
    std::sort(created.begin(), created.end(), [&](std::uint32_t a, std::uint32_t b) {
        return std::tie(flows[a].first, flows[a].creation_id) < std::tie(flows[b].first, flows[b].creation_id);
    });
    const auto ticks = ticks_of(flows);
    const auto next_of_key = successors(flows, created);

    std::vector<Departure> departures;
    std::int64_t free_from = std::numeric_limits<std::int64_t>::min();  // nothing before holds the next flow up then
    for (std::uint32_t rank = 0; rank < created.size(); ++rank) {
        const std::uint32_t flow = created[rank];
        const EndedFlow& ended = flows[flow];
        Departure departure{kNever, true, rank, flow};
        if (ended.reason == EndReason::kIdle) {
            const std::int64_t from = std::max(free_from, ended.last_ms + idle_ms);
            const auto tick = std::lower_bound(ticks.begin(), ticks.end(), from);
            departure.at = tick == ticks.end() || free_from == kNever ? kNever : *tick;
            if (next_of_key[flow] <= departure.at && next_of_key[flow] != kNever) {
                departure.at = next_of_key[flow];
                departure.by_scan = false;
            }
        } else if (ended.reason != EndReason::kEndOfInput) {
            departure.at = ended.reason == EndReason::kActive ? next_of_key[flow] : ended.last_ms;
            departure.by_scan = false;
        }
        free_from = std::max(free_from, departure.at);
        departures.push_back(departure);
    }
    std::sort(departures.begin(), departures.end(), [](const Departure& a, const Departure& b) {
        return std::tie(a.at, a.by_scan, a.rank) < std::tie(b.at, b.by_scan, b.rank);
    });
    std::vector<std::uint32_t> order;
    for (const Departure& departure : departures) order.push_back(departure.flow);
    return order;
}

}  // namespace nfstreamd::python
