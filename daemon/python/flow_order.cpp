// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/flow_order.hpp"

#include <algorithm>
#include <bit>
#include <compare>
#include <cstring>
#include <limits>
#include <tuple>

#include "core/base/mixing.hpp"
#include "core/base/random_words.hpp"

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

struct Created {  // a flow, sorted by its creation
    TimestampNs first;
    std::uint64_t creation_id;
    std::uint32_t flow;

    friend auto operator<=>(const Created&, const Created&) = default;
};

std::vector<Created> by_creation(std::span<const EndedFlow> flows) {
    std::vector<Created> created;
    created.reserve(flows.size());
    for (const EndedFlow& flow : flows)
        created.push_back({flow.first, flow.creation_id, static_cast<std::uint32_t>(created.size())});
    std::sort(created.begin(), created.end());
    return created;
}

// Moments of packets.
std::vector<std::int64_t> ticks_of(std::span<const EndedFlow> flows, const std::vector<Created>& created) {
    std::vector<std::int64_t> lasts, ticks(flows.size() * 2);
    lasts.reserve(flows.size());
    for (const EndedFlow& flow : flows) lasts.push_back(flow.last_ms);
    std::sort(lasts.begin(), lasts.end());
    auto end = ticks.begin();
    auto last = lasts.cbegin();
    for (const Created& flow : created) {
        const std::int64_t first = milliseconds(flow.first);
        while (last != lasts.cend() && *last < first) *end++ = *last++;
        *end++ = first;
    }
    end = std::copy(last, lasts.cend(), end);
    ticks.erase(std::unique(ticks.begin(), end), ticks.end());
    return ticks;
}

// For each flow, in the order of creation, when the next one of its key begins.
std::vector<std::int64_t> successors(std::span<const EndedFlow> flows, const std::vector<Created>& created) {
    static const std::uint64_t secret = random_word();  // keys are chosen by others
    struct Slot {
        std::uint64_t key = 0;
        std::int64_t begins = kNever;  // free
    };
    std::vector<Slot> slots(std::bit_ceil(2 * flows.size() + 1));
    std::vector<std::int64_t> begins(flows.size());
    for (std::size_t rank = created.size(); rank-- > 0;) {
        const std::uint64_t key = flows[created[rank].flow].key;
        std::size_t at = splitmix_finish(key ^ secret) & (slots.size() - 1);
        while (slots[at].begins != kNever && slots[at].key != key) at = (at + 1) & (slots.size() - 1);
        begins[rank] = slots[at].begins;
        slots[at] = {key, milliseconds(created[rank].first)};
    }
    return begins;
}

// The first of them that is not before `time`; from `at` on, which is near it.
std::size_t tick_from(const std::vector<std::int64_t>& ticks, std::size_t at, std::int64_t time) {
    std::size_t step = 1;
    while (at + step < ticks.size() && ticks[at + step] < time) {
        at += step;
        step *= 2;
    }
    const auto begin = ticks.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = ticks.begin() + static_cast<std::ptrdiff_t>(std::min(at + step + 1, ticks.size()));
    return static_cast<std::size_t>(std::lower_bound(begin, end, time) - ticks.begin());
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
    const auto created = by_creation(flows);
    const auto ticks = ticks_of(flows, created);
    const auto next_of_key = successors(flows, created);

    std::vector<Departure> departures;
    departures.reserve(flows.size());
    std::int64_t free_from = std::numeric_limits<std::int64_t>::min();  // nothing before holds the next flow up then
    std::size_t free_tick = 0;                                          // of ticks, none before free_from
    for (std::uint32_t rank = 0; rank < created.size(); ++rank) {
        const std::uint32_t flow = created[rank].flow;
        const EndedFlow& ended = flows[flow];
        Departure departure{kNever, true, rank, flow};
        if (ended.reason == EndReason::kIdle) {
            const std::int64_t from = std::max(free_from, ended.last_ms + idle_ms);
            const std::size_t tick = tick_from(ticks, free_tick, from);
            departure.at = tick == ticks.size() || free_from == kNever ? kNever : ticks[tick];
            if (next_of_key[rank] <= departure.at && next_of_key[rank] != kNever) {
                departure.at = next_of_key[rank];
                departure.by_scan = false;
            }
        } else if (ended.reason != EndReason::kEndOfInput) {
            departure.at = ended.reason == EndReason::kActive ? next_of_key[rank] : ended.last_ms;
            departure.by_scan = false;
        }
        if (departure.at > free_from) {
            free_from = departure.at;
            free_tick = tick_from(ticks, free_tick, free_from);
        }
        departures.push_back(departure);
    }
    std::sort(departures.begin(), departures.end(), [](const Departure& a, const Departure& b) {
        return std::tie(a.at, a.by_scan, a.rank) < std::tie(b.at, b.by_scan, b.rank);
    });
    std::vector<std::uint32_t> order;
    order.reserve(flows.size());
    for (const Departure& departure : departures) order.push_back(departure.flow);
    return order;
}

}  // namespace nfstreamd::python
