// SPDX-License-Identifier: Apache-2.0
#include "core/metering/flow_meter.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <type_traits>
#include <utility>

#include "core/packet/tcp_flags.hpp"

namespace nfstreamd {
namespace {

constexpr std::uint8_t kTcp = 6;
// What hooks keep of so many is at hand.
constexpr std::uint32_t kFewFlows = 4096;

// The first packet of a new connection.
bool opens(const Packet& packet) {
    return (packet.tcp_flags & (kSynFlag | kAckFlag)) == kSynFlag;
}

// RFC 5103, 6.3: who started it, as far as the first packet tells.
BiflowDirection biflow_direction(const Packet& packet, bool continued) {
    if (packet.protocol == kTcp) {
        if (!(packet.tcp_flags & kSynFlag)) return BiflowDirection::kArbitrary;
        return packet.tcp_flags & kAckFlag ? BiflowDirection::kReverseInitiator : BiflowDirection::kInitiator;
    }
    return continued ? BiflowDirection::kArbitrary : BiflowDirection::kInitiator;
}

}  // namespace

template <class Key>
Status FlowMeter<Key>::allocate() {
    const auto& options = context_.options;
    if (auto status = table_.allocate(options.max_flows); !status) return status;
    if (auto status = wheel_.allocate(options.max_flows); !status) return status;
    timeouts_changed(false);
    if (options.statistical_analysis)
        if (auto status = statistics_.allocate(options.max_flows); !status) return status;
    if (options.statistical_analysis && options.running_means)
        if (auto status = running_means_.allocate(options.max_flows); !status) return status;
    if (context_.dissector != nullptr)
        if (auto status = applications_.allocate(options.max_flows); !status) return status;
    if (options.nfstream3_records || options.creation_ids)
        if (auto status = creation_ids_.allocate(options.max_flows); !status) return status;
    if (options.tcp_quality)
        if (auto status = tcp_quality_.allocate(options.max_flows); !status) return status;
    if (!options.decode_tunnels.empty())
        if (auto status = tunnels_.allocate(options.max_flows); !status) return status;
    if (auto status = sequences_.allocate(options.max_flows, options.splt_analysis); !status) return status;
    measures_more_ = statistics_ || tcp_quality_ || sequences_.enabled();
    return ok();
}

// Everything that lies beside an entry is touched with it.
template <class Key>
void FlowMeter<Key>::prefault(Prefault& prefault, std::size_t flows) {
    table_.prefault(prefault, flows);
    wheel_.prefault(prefault, flows);
    statistics_.prefault(prefault, flows);
    running_means_.prefault(prefault, flows);
    applications_.prefault(prefault, flows);
    creation_ids_.prefault(prefault, flows);
    tcp_quality_.prefault(prefault, flows);
    sequences_.prefault(prefault, flows);
}

template <class Key>
std::size_t FlowMeter<Key>::octets() const noexcept {
    return table_.octets() + statistics_.octets() + running_means_.octets() + applications_.octets() +
           creation_ids_.octets() + tcp_quality_.octets() + tunnels_.octets() +
           (sequences_.octets_per_flow() + TimerWheel::kOctetsPerIndex) * table_.limit();
}

template <class Key>
std::size_t FlowMeter<Key>::octets_per_flow() const noexcept {
    return FlowTable<Key>::octets_per_flow() + (statistics_ ? sizeof(FlowStatistics) : 0) +
           (running_means_ ? sizeof(RunningMeans) : 0) + (applications_ ? sizeof(FlowApplication) : 0) +
           (creation_ids_ ? sizeof(std::uint64_t) : 0) + (tcp_quality_ ? sizeof(FlowTcpQuality) : 0) +
           sequences_.octets_per_flow() + TimerWheel::kOctetsPerIndex;
}

// ---- a vector of packets ----

template <class Key>
void FlowMeter<Key>::probe() noexcept {
    std::uint32_t missing = 0;
    for (std::size_t i = 0; i < observed_count_; ++i) {
        Observation& o = observed_[i];
        o.candidate = table_.candidate(o.hash);
        const bool fresh = o.candidate == kNoFlow;
        const std::uint32_t index = fresh ? table_.upcoming(missing++) : o.candidate;
        table_.prefetch_entry(index, fresh);
        prefetch_beside(index);
    }
    if (context_.hook != nullptr && context_.live_flows > kFewFlows) [[unlikely]]
        prefetch_states();
}

template <class Key>
void FlowMeter<Key>::prefetch_states() const noexcept {
    std::uint32_t handles[kFrameVectorSize], missing = 0;
    for (std::size_t i = 0; i < observed_count_; ++i) {
        const std::uint32_t index = observed_[i].candidate;
        handles[i] = handle(index != kNoFlow ? index : table_.upcoming(missing++));
    }
    context_.hook->prefetch({handles, observed_count_});
}

template <class Key>
void FlowMeter<Key>::prefetch_beside(std::uint32_t index) const noexcept {
    if (statistics_) statistics_[index].prefetch();
    if (sequences_.enabled()) sequences_.prefetch(index);
    if (applications_) __builtin_prefetch(&applications_[index], 1);
    if (!tcp_quality_) return;
    const auto* octets = reinterpret_cast<const char*>(&tcp_quality_[index]);
    for (std::size_t i = 0; i < sizeof(FlowTcpQuality); i += 64) __builtin_prefetch(octets + i, 1);
}

// What its place beside the entry points to; the place itself has come by now.
template <class Key>
void FlowMeter<Key>::prefetch_application(const Observation& o) const noexcept {
    if (o.candidate != kNoFlow) applications_[o.candidate].prefetch();
}

template <class Key>
inline void FlowMeter<Key>::count(std::uint32_t index, const Observation& o) {
    Entry& entry = table_[index];
    const Packet& packet = *o.packet;
    const int d = o.swapped != entry.initiator_swapped;
    const std::uint16_t size = packet.sizes[context_.options.accounting_mode];
    if (measures_more_) measure_more(index, packet, d);
    if (d != entry.last_direction) {
        entry.direction_last[entry.last_direction] = entry.last;
        entry.last_direction = static_cast<std::uint8_t>(d);
    }
    if (entry.packets[d] == 0) {
        if (d == 1) {
            entry.reverse_first = packet.timestamp;
            if (entry.tunnelled) [[unlikely]]
                tunnels_[index].key[1] = packet.tunnel_key;
        }
        entry.ttl_min[d] = entry.ttl_max[d] = packet.ttl;
        entry.tos[d] = packet.tos;
        entry.icmp_type[d] = packet.icmp_type;
        entry.icmp_code[d] = packet.icmp_code;
        entry.flow_label[d] = packet.flow_label;
    } else {
        entry.ttl_min[d] = std::min(entry.ttl_min[d], packet.ttl);
        entry.ttl_max[d] = std::max(entry.ttl_max[d], packet.ttl);
    }
    entry.last = packet.timestamp;
    ++entry.packets[d];
    if (__builtin_add_overflow(entry.octets_low[d], packet.ip_octets, &entry.octets_low[d])) ++entry.octets_high[d];
    if (__builtin_add_overflow(entry.bytes_low[d], std::uint32_t{size}, &entry.bytes_low[d])) ++entry.bytes_high[d];
    entry.tcp_flags[d] |= packet.tcp_flags;
    if (context_.dissector == nullptr) return;
    if (context_.shed != ShedLevel::kNothing) [[unlikely]]
        shed_dissection(applications_[index]);
    context_.dissector->on_packet(
        applications_[index], packet.protocol, packet.ip, static_cast<std::uint16_t>(packet.ip_captured),
        static_cast<std::uint64_t>(to_ms(packet.timestamp)), entry.packets[0] + entry.packets[1]);
}

// Nothing that could end the flow before this packet: the test of nearly every packet.
template <class Key>
inline bool FlowMeter<Key>::goes_on(const Entry& entry, const Packet& packet) const noexcept {
    return context_.timeouts.within(packet.timestamp - entry.last, packet.timestamp - entry.first) &&
           entry.packets[0] + entry.packets[1] != context_.most_packets && !opens(packet) && !context_.rates_differ;
}

template <class Key>
inline std::int32_t FlowMeter<Key>::ask_hook(std::uint32_t index, const Observation& o, TimestampNs before) {
    const Entry& entry = table_[index];
    context_.is_described = false;
    const FlowView view{.handle = handle(index),
                        .forward_packets = entry.packets[0],
                        .reverse_packets = entry.packets[1],
                        .before = before,
                        .source_mac = &entry.source_mac,
                        .destination_mac = &entry.destination_mac,
                        .describer = this};
    if (view.packets() == 1) return context_.hook->on_begin(view, *o.packet);
    return context_.hook->on_packet(view, *o.packet, entry.last_direction);
}

// The packet that the flow has just counted may be its last, or the last but few.
template <class Key>
inline void FlowMeter<Key>::judge(std::uint32_t index, const Observation& o, TimestampNs before) {
    if (context_.hook != nullptr) {
        const std::int32_t verdict = ask_hook(index, o, before);
        if (verdict < 0) return drop(index, EndReason::kPlugin, verdict);
    }
    const Entry& entry = table_[index];
    if (!context_.timeouts.tcp_ends() || !(o.packet->tcp_flags & (kFinFlag | kRstFlag)) || !is_over(entry)) return;
    if (context_.timeouts.linger_ms() == 0) return drop(index, EndReason::kNatural);
    wheel_.disarm(index);
    wheel_.arm(index, due(entry));
}

template <class Key>
void FlowMeter<Key>::update() {
    if (observed_count_ == 0) return;
    wheel_.start(observed_[0].packet->timestamp);
    const bool decisive = context_.packets_end_flows();
    constexpr std::size_t kAhead = 2;
    for (std::size_t i = 0; i < observed_count_; ++i) {
        const Observation& o = observed_[i];
        std::uint32_t index = o.candidate;
        if (index == kNoFlow || !(table_[index].key == o.key)) index = table_.find(o.key, o.hash);
        if (index == kNoFlow) [[unlikely]] {
            index = create(o);
        } else if (is_remembered(table_[index])) [[unlikely]] {
            --context_.remembered;
            const TimestampNs silent_ms = to_ms(o.packet->timestamp) - to_ms(table_[index].last);
            begin(index, o, silent_ms < context_.timeouts.configured_idle_ms(o.packet->protocol));
        } else if (!goes_on(table_[index], *o.packet)) [[unlikely]] {
            EndReason reason;
            if (has_ended(table_[index], *o.packet, reason)) {
                close(index, reason);  // the packet belongs to the next flow of this key
                begin(index, o, reason == EndReason::kActive || reason == EndReason::kForced);
            }
        }
        if (i + kAhead < observed_count_ && context_.dissector != nullptr) prefetch_application(observed_[i + kAhead]);
        const TimestampNs before = table_[index].last;
        count(index, o);
        if (decisive) [[unlikely]]
            judge(index, o, before);
    }
    observed_count_ = 0;
}

template <class Key>
std::uint32_t FlowMeter<Key>::create(const Observation& o) {
    if (context_.live_flows >= context_.options.max_flows) [[unlikely]]
        make_room();
    std::uint32_t index = table_.insert(o.hash);
    if (index == kNoFlow) [[unlikely]] {  // sixteen full buckets in a row: a flow of the home bucket gives way
        drop(table_.victim(o.hash), EndReason::kLackOfResources);
        index = table_.insert(o.hash);
    }
    ++context_.live_flows;
    context_.tunnels.hold(o.key.tunnel_context());
    begin(index, o, false);
    wheel_.arm(index, due(table_[index]));
    return index;
}

// The family with more flows gives way, so that a flood in one of them does not
// push out the few flows of the other.
template <class Key>
void FlowMeter<Key>::make_room() {
    if (sibling_ != nullptr && sibling_->size() > size())
        sibling_->evict();
    else
        evict();
}

template <class Key>
void FlowMeter<Key>::begin(std::uint32_t index, const Observation& o, bool continued) {
    const Packet& packet = *o.packet;
    Entry& entry = table_[index];
    std::memset(static_cast<void*>(&entry), 0, sizeof entry);
    entry.key = o.key;
    entry.first = entry.last = packet.timestamp;
    entry.initiator_swapped = o.swapped;
    entry.interface = packet.ingress_interface;
    entry.biflow_direction = static_cast<std::uint8_t>(biflow_direction(packet, continued)) & 3;
    if (packet.source_mac != nullptr) {
        std::memcpy(entry.source_mac.data(), packet.source_mac, 6);
        std::memcpy(entry.destination_mac.data(), packet.destination_mac, 6);
    }
    entry.source = context_.interface_of[packet.source];
    entry.outgoing = context_.goes_out(packet);
    if (context_.as_nfstream0 && !continued) context_.newest_flow = (to_ms(packet.timestamp) + 1) * kNsPerMs - 1;
    if (creation_ids_ && !continued) creation_ids_[index] = context_.creation_id(packet);
    if (context_.thins()) [[unlikely]] {
        entry.thinned = true;
        ++context_.thinned_flows;
    }
    if (packet.outer_ip != nullptr && tunnels_) [[unlikely]] {
        entry.tunnelled = true;
        begin_tunnel(index, packet);
    }
    context_.counters.flows_created.add();
}

template <class Key>
void FlowMeter<Key>::begin_tunnel(std::uint32_t index, const Packet& packet) noexcept {
    const std::uint8_t* ip = packet.outer_ip;
    FlowTunnel& tunnel = tunnels_[index];
    tunnel = {};
    const bool v4 = ip[0] >> 4 == 4;
    tunnel.source_address.version = tunnel.destination_address.version = v4 ? 4 : 6;
    const std::size_t at = v4 ? 12 : 8, length = v4 ? 4 : 16;
    std::memcpy(tunnel.source_address.bytes.data(), ip + at, length);
    std::memcpy(tunnel.destination_address.bytes.data(), ip + at + length, length);
    tunnel.key[0] = packet.tunnel_key;
    tunnel.kind = packet.tunnel_id;
    tunnel.depth = packet.tunnel_depth;
}

// What lies beside the entry, which does not know the packet yet.
template <class Key>
void FlowMeter<Key>::measure_more(std::uint32_t index, const Packet& packet, int d) {
    const Entry& entry = table_[index];
    if (statistics_ || sequences_.enabled()) {
        const std::uint32_t number = entry.packets[0] + entry.packets[1];
        const std::uint16_t size = packet.sizes[context_.options.accounting_mode];
        const TimestampNs now_ms = to_ms(packet.timestamp);
        const auto gap = static_cast<std::uint64_t>(now_ms - to_ms(entry.last));
        if (statistics_) {
            const auto own_gap = static_cast<std::uint64_t>(now_ms - to_ms(entry.last_of(d)));
            const PacketInFlow of_flow{d, size, packet.tcp_flags, number, entry.packets[d], gap, own_gap};
            nfstreamd::update(statistics_[index], of_flow);
            if (running_means_) nfstreamd::update(running_means_[index], of_flow);
        }
        sequences_.record(index, number, d, size, gap);
    }
    if (tcp_quality_ && packet.tcp != nullptr && !packet.fragment)
        nfstreamd::update(tcp_quality_[index], tcp_segment(packet, d));
}

// First flows that begin, then all of them are not shown to nDPI (any more).
template <class Key>
void FlowMeter<Key>::shed_dissection(FlowApplication& application) {
    if (application.complete) return;
    const bool begun = application.state != nullptr;
    if (begun && context_.shed == ShedLevel::kNewDissections) return;
    context_.dissector->stop(application);
    (begun ? context_.counters.dissections_stopped : context_.counters.flows_not_dissected).add();
}

// ---- ends ----

// Both ends have closed the connection, or one has reset it.
template <class Key>
bool FlowMeter<Key>::is_over(const Entry& entry) noexcept {
    return (entry.tcp_flags[0] & entry.tcp_flags[1] & kFinFlag) != 0 ||
           ((entry.tcp_flags[0] | entry.tcp_flags[1]) & kRstFlag) != 0;
}

// nfstream's test on each packet, in whole milliseconds; idle wins. A connection
// that is over is not continued by one that reuses its ports.
template <class Key>
bool FlowMeter<Key>::has_ended(const Entry& entry, const Packet& packet, EndReason& reason) const noexcept {
    const TimestampNs now_ms = to_ms(packet.timestamp);
    const TimestampNs silent_ms = to_ms(context_.idle_by(packet.timestamp)) - to_ms(entry.last);
    if (silent_ms >= patience_ms(entry)) {
        reason = reason_after(entry, silent_ms);
        return true;
    }
    reason = EndReason::kForced;
    if (entry.thinned != context_.thins()) return true;
    reason = EndReason::kNatural;
    if (context_.timeouts.tcp_ends() && opens(packet) && is_over(entry)) return true;
    reason = EndReason::kActive;
    return now_ms - to_ms(context_.as_nfstream0 ? entry.last : entry.first) >= context_.timeouts.active_ms() ||
           entry.packets[0] + entry.packets[1] == context_.most_packets;
}

// So long may the flow be silent.
template <class Key>
TimestampNs FlowMeter<Key>::patience_ms(const Entry& entry) const noexcept {
    const FlowTimeouts& timeouts = context_.timeouts;
    const TimestampNs idle_ms = timeouts.idle_ms(entry.key.protocol());
    return timeouts.tcp_ends() && is_over(entry) ? std::min(idle_ms, timeouts.linger_ms()) : idle_ms;
}

// Why it ends after more than that.
template <class Key>
EndReason FlowMeter<Key>::reason_after(const Entry& entry, TimestampNs silent_ms) const noexcept {
    const FlowTimeouts& timeouts = context_.timeouts;
    const std::uint8_t protocol = entry.key.protocol();
    if (timeouts.tcp_ends() && is_over(entry) && timeouts.linger_ms() <= timeouts.idle_ms(protocol))
        return EndReason::kNatural;
    return silent_ms >= timeouts.configured_idle_ms(protocol) ? EndReason::kIdle : EndReason::kResourceConstraint;
}

// Its reasons tell a flow that was idle before from one that the end of input cuts off.
template <class Key>
EndReason FlowMeter<Key>::reason_in_nfstream0(const Entry& entry, EndReason reason) const noexcept {
    return to_ms(context_.newest_flow) - to_ms(entry.last) >= patience_ms(entry) ? EndReason::kIdle : reason;
}

template <class Key>
TimestampNs FlowMeter<Key>::idle_due(const Entry& entry) const noexcept {
    return entry.last + patience_ms(entry) * kNsPerMs;
}

// Offline the active timeout is left to the flow's next packet, as nfstream
// does: whether a flow ends as active or idle depends on whether one comes.
template <class Key>
TimestampNs FlowMeter<Key>::due(const Entry& entry) const noexcept {
    const TimestampNs idle = idle_due(entry);
    return context_.point.offline || is_remembered(entry)
               ? idle
               : std::min(idle, entry.first + context_.timeouts.active_ms() * kNsPerMs);
}

template <class Key>
const FlowRecord& FlowMeter<Key>::describe(std::uint32_t handle) {
    if (context_.is_described) return context_.described;
    const std::uint32_t index = handle >> 1;
    context_.is_described = true;
    context_.described_arena.clear();
    context_.described = {};
    FlowParts parts;
    parts.application = false;  // with what nDPI has so far, texts included
    parts.declared = false;     // after that
    describe(index, parts, context_.described, context_.described_arena);
    if (context_.dissector != nullptr)
        context_.described.application = context_.dissector->so_far(applications_[index], context_.described_arena);
    context_.hook->describe(handle, context_.described, context_.described_arena);
    return context_.described;
}

// Even for one address family, odd for the other.
template <class Key>
std::uint32_t FlowMeter<Key>::handle(std::uint32_t index) const noexcept {
    return index << 1 | std::uint32_t{std::is_same_v<Key, FlowKeyV6>};
}

template <class Key>
void FlowMeter<Key>::prefetch_flows(const std::uint32_t* indices, int n) noexcept {
    for (int i = 0; i < n; ++i) {
        table_.prefetch_entry(indices[i], true);
        prefetch_beside(indices[i]);
    }
}

// The batch that follows a full one comes while that one is looked at.
template <class Key>
void FlowMeter<Key>::prefetch_next_flows() noexcept {
    std::uint32_t next[kFrameVectorSize];
    prefetch_flows(next, wheel_.peek(next, static_cast<int>(std::size(next))));
}

// Offline the active timeout ends no flow before its next packet.
template <class Key>
void FlowMeter<Key>::timeouts_changed(bool shorter) noexcept {
    constexpr TimestampNs kPunctual = 64;  // of its timeout a flow may leave later by one part
    const bool active_ends = !context_.point.offline;
    wheel_.fit(context_.timeouts.longest_ns(active_ends), context_.timeouts.shortest_ns(active_ends) / kPunctual);
    if (shorter) wheel_.revisit_all();
}

// A flow that the wheel has given back, as some timeout of it has passed.
template <class Key>
void FlowMeter<Key>::end_or_go_on(std::uint32_t index, TimestampNs now) {
    const Entry& entry = table_[index];
    const TimestampNs idle = idle_due(entry);
    LagHistogram& lag = context_.counters.expiry_lag;
    if (idle <= now) {
        if (!is_remembered(entry)) lag.observe(now - idle);
        return remove(index, reason_after(entry, to_ms(now - entry.last)));
    }
    if (!is_remembered(entry)) {
        lag.observe(now - (entry.first + context_.timeouts.active_ms() * kNsPerMs));
        close_active(index);
    }
    // a flow that begins here from now on is not due before that
    wheel_.arm(index, std::min(idle, now + context_.timeouts.active_ms() * kNsPerMs));
}

template <class Key>
bool FlowMeter<Key>::expire(TimestampNs now, int budget) {
    if (wheel_.held() == 0) return false;
    std::uint32_t batch[kFrameVectorSize];
    while (budget > 0) {
        const int n = wheel_.take_due(now, batch, static_cast<int>(std::size(batch)));
        if (n == 0) return false;
        budget -= n;
        prefetch_flows(batch, n);
        if (n == static_cast<int>(std::size(batch))) prefetch_next_flows();
        int over = 0;  // of the batch, at its beginning
        for (int i = 0; i < n; ++i) {
            const Entry& entry = table_[batch[i]];
            if (!is_remembered(entry) && due(entry) > now) {
                wheel_.arm(batch[i], due(entry), wheel_.held_of(1) == 0 ? 0 : rank(entry));
            } else {
                batch[over++] = batch[i];
                table_.prefetch(context_.hash(entry.key));
            }
        }
        for (int i = 0; i < over; ++i) end_or_go_on(batch[i], now);
    }
    return true;
}

template <class Key>
std::uint32_t FlowMeter<Key>::expire_all(EndReason reason, std::uint32_t budget) {
    std::uint32_t batch[kFrameVectorSize], gone = 0;
    while (gone < budget) {
        const auto room = std::min<std::uint32_t>(std::size(batch), budget - gone);
        TimestampNs until;
        const int n = wheel_.take_nearest(batch, static_cast<int>(room), until);
        if (n == 0) break;
        prefetch_flows(batch, n);
        prefetch_next_flows();
        for (int i = 0; i < n; ++i) table_.prefetch(context_.hash(table_[batch[i]].key));
        for (int i = 0; i < n; ++i)
            remove(batch[i], context_.as_nfstream0 ? reason_in_nfstream0(table_[batch[i]], reason) : reason);
        gone += static_cast<std::uint32_t>(n);
    }
    return gone;
}

template <class Key>
int FlowMeter<Key>::rank(const Entry& entry) const noexcept {
    return !context_.as_nfstream0 && !is_remembered(entry) && !is_over(entry) &&
           entry.packets[0] + entry.packets[1] > kFewPackets;
}

template <class Key>
bool FlowMeter<Key>::leaves_before(const Entry& entry, const Entry& other) const noexcept {
    const int its = rank(entry), others = rank(other);
    return its != others ? its < others : due(entry) < due(other);
}

// Table full: some flows whose turn would come next leave, of few packets as long as there are enough of those: in a
// flood they are the flood. An eighth of the table is theirs nevertheless, as each flow begins as one of them. A flow
// that had packets since it was armed is spared and armed anew, unless all are such.
template <class Key>
void FlowMeter<Key>::evict() {
    constexpr int kMostLookedAt = 512;
    const int at_once = context_.as_nfstream0 ? 1 : 8;
    std::uint32_t batch[16], spared = kNoFlow;
    int closed = 0;
    for (int looked_at = 0; looked_at < kMostLookedAt && closed == 0;) {
        TimestampNs until;
        // anew each time, as those that have got longer are armed as such meanwhile
        const int of = wheel_.held_of(1) != 0 && wheel_.held_of(0) <= wheel_.held() / 8 ? 1 : 0;
        const int n = wheel_.take_nearest_of(of, batch, static_cast<int>(std::size(batch)), until);
        if (n == 0) break;
        looked_at += n;
        prefetch_flows(batch, n);
        if (context_.as_nfstream0) [[unlikely]]  // one flow leaves for another: that which was silent longest
            std::sort(batch, batch + n, [this](auto a, auto b) { return table_[a].last < table_[b].last; });
        for (int i = 0; i < n; ++i) {
            std::uint32_t index = batch[i];
            if (closed < at_once && due(table_[index]) <= until && rank(table_[index]) <= of) {
                remove(index, EndReason::kLackOfResources);
                ++closed;
                continue;
            }
            // keep the one that would be the first to leave at hand, arm the other
            if (spared == kNoFlow || leaves_before(table_[index], table_[spared])) std::swap(index, spared);
            if (index != kNoFlow) wheel_.arm(index, due(table_[index]), rank(table_[index]));
        }
    }
    if (spared == kNoFlow) return;
    if (closed == 0)
        remove(spared, EndReason::kLackOfResources);
    else
        wheel_.arm(spared, due(table_[spared]), rank(table_[spared]));
}

// The conversation goes on, as far as anyone knows: its key stays until it is
// idle, so that the next flow is not taken for one whose start was seen.
template <class Key>
void FlowMeter<Key>::close_active(std::uint32_t index) {
    close(index, EndReason::kActive);
    Entry& entry = table_[index];
    entry.last_direction = kRemembered;
    ++context_.remembered;
}

template <class Key>
void FlowMeter<Key>::remove(std::uint32_t index, EndReason reason, std::int32_t custom_expiration) {
    if (is_remembered(table_[index]))
        --context_.remembered;
    else
        close(index, reason, custom_expiration);
    context_.tunnels.release(table_[index].key.tunnel_context());
    table_.erase(context_.hash(table_[index].key), index);
    --context_.live_flows;
}

template <class Key>
void FlowMeter<Key>::drop(std::uint32_t index, EndReason reason, std::int32_t custom_expiration) {
    wheel_.disarm(index);
    remove(index, reason, custom_expiration);
}

// ---- records ----

template <class Key>
void FlowMeter<Key>::close(std::uint32_t index, EndReason reason, std::int32_t custom_expiration) {
    if (table_[index].thinned) [[unlikely]]
        --context_.thinned_flows;
    if (context_.budget != nullptr && !context_.budget->take()) [[unlikely]]
        return discard(index);
    const Entry& entry = table_[index];
    Arena& arena = context_.publisher.arena();
    FlowRecord& record = context_.publisher.add();
    record.id = context_.next_flow_id++;
    fill(record, entry, reason);
    record.custom_expiration = custom_expiration;
    if (creation_ids_) record.creation_id = creation_ids_[index];
    record.interface_name = arena.copy(context_.interfaces[entry.source].name);
    if (statistics_) {
        record.statistics = arena.make(statistics_of(index, record));
        statistics_[index] = {};
    }
    if (tcp_quality_ && record.protocol == kTcp) {
        auto* quality = arena.make<TcpQualityRecord>();
        *quality = summarise(tcp_quality_[index]);
        record.tcp_quality = quality;
        tcp_quality_[index] = {};
    }
    if (entry.tunnelled) [[unlikely]]
        record.tunnel = tunnel_record(index, arena);
    if (sequences_.enabled()) record.sequence = sequences_.build(index, record.packets(), arena);
    if (context_.dissector != nullptr) record.application = context_.dissector->finish(applications_[index], arena);
    if (context_.processes != nullptr) name_process(record, arena);
    if (context_.enricher != nullptr) record.enrichment = context_.enricher->enrich(record, arena);
    if (context_.hook != nullptr) [[unlikely]]
        context_.hook->on_expire(handle(index), record, arena);

    auto& counters = context_.counters;
    counters.records[static_cast<std::size_t>(reason)].add();
    counters.record_packets.add(record.packets());
    counters.record_octets.add(record.forward.octets + record.reverse.octets);
    if (counters.applications.enabled()) counters.applications.count(record);
    context_.publisher.commit();
}

template <class Key>
StatisticsRecord FlowMeter<Key>::statistics_of(std::uint32_t index, const FlowRecord& record) {
    const Entry& entry = table_[index];
    const auto totals = [](const DirectionRecord& d) {
        return ScopeTotals{d.packets, d.bytes, static_cast<std::uint64_t>(to_ms(d.last) - to_ms(d.first))};
    };
    const ScopeTotals flow{record.packets(), record.forward.bytes + record.reverse.bytes,
                           static_cast<std::uint64_t>(to_ms(entry.last) - to_ms(entry.first))};
    StatisticsRecord made = summarise(statistics_[index], totals(record.forward), totals(record.reverse), flow);
    if (running_means_) restate(running_means_[index], record.forward.packets, record.reverse.packets, made);
    return made;
}

// ---- looks ----

template <class Key>
bool FlowMeter<Key>::is_flow(std::uint32_t index) noexcept {
    return index < table_.places() && !table_[index].key.is_poisoned() && !is_remembered(table_[index]);
}

template <class Key>
bool FlowMeter<Key>::describe(std::uint32_t index, const FlowParts& parts, FlowRecord& record, Arena& arena) {
    if (!is_flow(index)) return false;
    const Entry& entry = table_[index];
    fill(record, entry, EndReason::kForced);
    record.interface_name = arena.copy(context_.interfaces[entry.source].name);
    if (creation_ids_) record.creation_id = creation_ids_[index];
    if (statistics_ && parts.statistics) record.statistics = arena.make(statistics_of(index, record));
    if (tcp_quality_ && parts.tcp_quality && record.protocol == kTcp)
        record.tcp_quality = arena.make(summarise(tcp_quality_[index]));
    if (entry.tunnelled && parts.tunnel) record.tunnel = tunnel_record(index, arena);
    if (sequences_.enabled() && parts.sequence) record.sequence = sequences_.build(index, record.packets(), arena);
    if (context_.dissector != nullptr && parts.application)
        record.application = context_.dissector->describe(applications_[index], arena);
    if (context_.processes != nullptr && parts.process) name_process(record, arena);
    if (context_.enricher != nullptr && parts.enrichment) record.enrichment = context_.enricher->enrich(record, arena);
    if (context_.hook != nullptr && parts.declared) [[unlikely]]
        context_.hook->describe(handle(index), record, arena);
    return true;
}

template <class Key>
bool FlowMeter<Key>::keep_looks() {
    return looks_ || looks_.allocate(context_.options.max_flows);
}

template <class Key>
bool FlowMeter<Key>::look(std::uint32_t index, FlowLook& look) {
    if (!is_flow(index)) return false;
    const Entry& entry = table_[index];
    Look& before = looks_[index];
    if (before.first != entry.first) before = {entry.first, {}, {}};  // another flow was there
    for (int d = 0; d < 2; ++d) {
        put_address(entry.key, (d == 0) == (entry.initiator_swapped != 0), look.address[d]);
        look.octets[d] = entry.octets(d) - before.octets[d];
        look.packets[d] = entry.packets[d] - before.packets[d];
        before.octets[d] = entry.octets(d);
        before.packets[d] = entry.packets[d];
    }
    if (context_.dissector != nullptr) {
        look.application = NdpiDissector::application_id(applications_[index]);
        look.application_name = context_.dissector->application_name(applications_[index]);
    }
    return true;
}

// No record may be made any more: the run has made as many as it was asked for.
template <class Key>
void FlowMeter<Key>::discard(std::uint32_t index) {
    const Entry& entry = table_[index];
    if (statistics_) statistics_[index] = {};
    if (tcp_quality_) tcp_quality_[index] = {};
    if (context_.dissector != nullptr) context_.dissector->discard(applications_[index]);
    if (context_.hook != nullptr) [[unlikely]]
        context_.hook->on_discard(handle(index));
    context_.counters.flows_discarded.add();
    context_.counters.packets_discarded.add(std::uint64_t{entry.packets[0]} + entry.packets[1]);
    context_.counters.ignored_octets.add(entry.octets(0) + entry.octets(1));
}

template <class Key>
void FlowMeter<Key>::name_process(FlowRecord& record, Arena& arena) const {
    const auto found = context_.processes->find(record.source_address, record.source_port, record.destination_address,
                                                record.destination_port, record.protocol);
    if (!found) return;
    auto* process = arena.make<ProcessRecord>();
    *process = {found->pid, arena.copy(found->name)};
    record.process = process;
}

// In place, here and below: what is put together elsewhere and copied over waits
// for every store before it, and those go to memory that is far away.
template <class Key>
void FlowMeter<Key>::fill(DirectionRecord& out, const Entry& entry, int d) const {
    out.packets = entry.packets[d];
    if (out.packets == 0) return;
    out.first = d == 0 ? entry.first : entry.reverse_first;
    out.last = entry.last_of(d);
    out.octets = entry.octets(d);
    out.bytes = entry.bytes(d);
    out.flow_label = entry.flow_label[d];
    out.tcp_flags = entry.tcp_flags[d];
    out.tos = entry.tos[d];
    out.ttl_min = entry.ttl_min[d];
    out.ttl_max = entry.ttl_max[d];
    out.icmp_type = entry.icmp_type[d];
    out.icmp_code = entry.icmp_code[d];
}

template <class Key>
const TunnelRecord* FlowMeter<Key>::tunnel_record(std::uint32_t index, Arena& arena) const {
    const FlowTunnel& tunnel = tunnels_[index];
    auto* record = arena.make<TunnelRecord>();
    record->source_address = tunnel.source_address;
    record->destination_address = tunnel.destination_address;
    record->key = tunnel.key[0];
    record->reverse_key = tunnel.key[1];
    record->kind = name(static_cast<TunnelKind>(tunnel.kind));
    record->depth = tunnel.depth;
    return record;
}

template <class Key>
void FlowMeter<Key>::fill(FlowRecord& record, const Entry& entry, EndReason reason) const {
    const bool swapped = entry.initiator_swapped != 0;
    put_address(entry.key, swapped, record.source_address);
    put_address(entry.key, !swapped, record.destination_address);
    record.source_port = entry.key.port(swapped);
    record.destination_port = entry.key.port(!swapped);
    fill(record.forward, entry, 0);
    fill(record.reverse, entry, 1);
    record.source_mac = entry.source_mac;
    record.destination_mac = entry.destination_mac;
    record.vlan_id = entry.key.vlan_id();
    record.protocol = entry.key.protocol();
    record.ip_version = record.source_address.version;
    record.tunnel_id = context_.tunnels.kind(entry.key.tunnel_context());
    record.end_reason = reason;
    record.biflow_direction = static_cast<BiflowDirection>(entry.biflow_direction);
    record.flow_direction = entry.outgoing;
    record.observation_point = context_.point.id;
    record.selector = entry.thinned ? context_.overload_selector : context_.selector;
    record.ingress_interface = record.egress_interface =
        entry.interface != 0 ? entry.interface : context_.interfaces[entry.source].index;
}

std::uint64_t expected_flow_memory(const MeteringOptions& options) {
    constexpr std::uint64_t kOctetsPerSequencePacket = 6;
    std::uint64_t octets = FlowTable<FlowKeyV4>::octets_per_flow() + TimerWheel::kOctetsPerIndex;
    if (options.statistical_analysis) octets += sizeof(FlowStatistics);
    if (options.n_dissections.any()) octets += sizeof(FlowApplication);
    if (options.nfstream3_records) octets += sizeof(std::uint64_t);
    if (options.tcp_quality) octets += sizeof(FlowTcpQuality);
    octets += kOctetsPerSequencePacket * options.splt_analysis;
    return octets * options.max_flows;
}

template class FlowMeter<FlowKeyV4>;
template class FlowMeter<FlowKeyV6>;

}  // namespace nfstreamd
