// SPDX-License-Identifier: Apache-2.0
// The flows of one address family in a metering process: takes decoded packets a
// vector at a time, keeps the flow table and its side arrays, and makes a record
// of each flow that ends. One metering thread.
#pragma once
#include <array>
#include <cassert>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/application/ndpi_dissector.hpp"
#include "core/enrichment/enricher.hpp"
#include "core/features/flow_sequences.hpp"
#include "core/features/flow_statistics.hpp"
#include "core/features/running_means.hpp"
#include "core/features/tcp_quality.hpp"
#include "core/flow/flow_table.hpp"
#include "core/flow/timer_wheel.hpp"
#include "core/host/process_table.hpp"
#include "core/metering/flow_budget.hpp"
#include "core/metering/flow_timeouts.hpp"
#include "core/metering/hook_chain.hpp"
#include "core/metering/metering_process.hpp"
#include "core/metering/overload.hpp"
#include "core/metering/record_publisher.hpp"
#include "core/metering/tunnel_contexts.hpp"

namespace nfstreamd {

// What the two address families of a metering process share.
struct MeterContext {
    const MeteringOptions& options;
    const ObservationPoint& point;
    MeterCounters& counters;
    RecordPublisher& publisher;
    TunnelContexts& tunnels;
    NdpiDissector* dissector;  // null: off
    FlowHash hash;
    FlowTimeouts timeouts{};
    HookChain* hook = nullptr;  // null: none
    FlowRecord described{};     // what the hook has been told of a flow, and in which call
    Arena described_arena{};
    bool is_described = false;
    FlowBudget* budget = nullptr;  // null: no limit
    std::uint64_t next_flow_id = 0, next_creation_id = 0;
    // Where several processes read the same files, numbers of creation tell the order among all of them: `frames` has
    // the place in its vector of each of `packets`, which is null otherwise.
    const Packet* packets = nullptr;
    std::array<std::uint16_t, kFrameVectorSize> frames{};
    std::uint64_t vector = 0;  // number of the vector
    std::uint64_t first_creation_id = 0;
    std::uint64_t creation_id(const Packet& packet) noexcept {
        if (packets == nullptr) [[likely]]
            return next_creation_id++;
        const unsigned family = packet.version == 4 ? 0 : 1;  // of a vector those of IPv4 are metered first
        return first_creation_id + (vector * 2 + family) * kFrameVectorSize +
               frames[static_cast<std::size_t>(&packet - packets)];
    }
    std::uint32_t live_flows = 0;  // entries of both families
    std::uint32_t remembered = 0;  // of these, closed by the active timeout and not heard of since
    std::uint32_t selector = 0;
    ShedLevel shed = ShedLevel::kNothing;
    // Under overload packets are sampled; a flow that has known another rate ends with
    // its next packet, so that no record mixes two.
    std::uint32_t overload_selector = 0;
    std::uint32_t thinned_flows = 0;  // that began then
    bool thins() const noexcept { return shed == ShedLevel::kPackets; }
    bool rates_differ = false;
    const ProcessTable* processes = nullptr;                                 // null: off
    Enricher* enricher = nullptr;                                            // null: off
    std::uint32_t most_packets = std::numeric_limits<std::uint32_t>::max();  // that one flow can count
    // Where flows were seen, by FlowEntry::source, and the place there of each RawFrame::source.
    struct Interface {
        std::uint32_t index = 0;
        std::string name{};
        MacAddress hardware_address{};
    };
    std::vector<Interface> interfaces{1};
    std::array<std::uint8_t, 256> interface_of{};

    // A MAC address, in registers: what is put together in memory waits for every store before it.
    static std::uint64_t as_number(const std::uint8_t* address) noexcept {
        std::uint32_t low;
        std::uint16_t high;
        std::memcpy(&low, address, sizeof low);
        std::memcpy(&high, address + sizeof low, sizeof high);
        return low | std::uint64_t{high} << 32;
    }
    // The link says so, or it has the address of the interface that saw it.
    bool goes_out(const Packet& packet) const noexcept {
        if (packet.outgoing || packet.source_mac == nullptr) return packet.outgoing;
        const std::uint64_t own = as_number(interfaces[interface_of[packet.source]].hardware_address.data());
        return own != 0 && own == as_number(packet.source_mac);
    }

    // Some packets decide about the flow that counted them.
    bool packets_end_flows() const noexcept { return hook != nullptr || timeouts.tcp_ends(); }

    // As nfstream 0.x does over files: flows become idle at the moments when a
    // flow begins, and active is one that a packet finds silent for so long.
    bool as_nfstream0 = false;
    TimestampNs newest_flow = 0;  // last nanosecond of the millisecond when it began; kept for nfstream 0.x alone
    TimestampNs idle_by(TimestampNs now) const noexcept { return as_nfstream0 ? newest_flow : now; }
};

// Of a flow whose first packet came in a tunnel; others never touch theirs.
struct FlowTunnel {
    IpAddress source_address, destination_address;
    std::uint32_t key[2];  // by direction
    std::uint8_t kind, depth;
};

// Which blocks beside a flow's own values a record of it gets.
struct FlowParts {
    bool statistics = true, sequence = true, application = true, tunnel = true, tcp_quality = true, process = true,
         enrichment = true, declared = true;
    static constexpr FlowParts all() noexcept { return {}; }
    static constexpr FlowParts none() noexcept { return {false, false, false, false, false, false, false, false}; }
};

// What a flow has had since it was looked at before.
struct FlowLook {
    IpAddress address[2];                           // of the initiator, of the responder
    std::uint64_t octets[2] = {}, packets[2] = {};  // that they sent
    std::uint64_t application = 0;                  // tells them apart
    std::string_view application_name;              // empty: not dissected; until the next flow is looked at
};

// An address family that can make room for the other one.
class FlowEvictor {
public:
    virtual void evict() = 0;
    virtual std::uint32_t size() const noexcept = 0;

protected:
    ~FlowEvictor() = default;
};

template <class Key>
class FlowMeter final : public FlowEvictor, private FlowDescriber {
public:
    explicit FlowMeter(MeterContext& context) : context_(context) {}

    Status allocate();
    void prefault(Prefault& prefault, std::size_t flows);
    void set_sibling(FlowEvictor& sibling) noexcept { sibling_ = &sibling; }
    std::size_t octets() const noexcept;
    std::size_t octets_per_flow() const noexcept;

    // The steps of a vector, in this order. Packets must stay until update().
    void add(const Packet& packet) noexcept {
        assert(observed_count_ < observed_.size());
        Observation& o = observed_[observed_count_++];
        o.packet = &packet;
        o.swapped = make_key(packet, o.key);
        o.hash = context_.hash(o.key);
        table_.prefetch(o.hash);
    }
    void probe() noexcept;
    void update();
    // Flows whose timeout has passed at `now`; looks at about `budget` flows.
    // True: the budget is spent, more may wait.
    bool expire(TimestampNs now, int budget);
    void timeouts_changed(bool shorter) noexcept;
    void restart(TimestampNs now) noexcept { wheel_.restart(now); }  // when no flow is left

    // Up to `budget` flows leave now, the nearest to their timeout first. Returns how many did.
    std::uint32_t expire_all(EndReason reason, std::uint32_t budget = std::numeric_limits<std::uint32_t>::max());
    void evict() override;
    std::uint32_t size() const noexcept override { return table_.size(); }

    std::uint64_t packets() const noexcept { return table_.packets(); }  // of flows that are there
    std::uint32_t entries() const noexcept { return table_.used(); }     // that packets() looks at

    // ---- for who looks at the flows, between two vectors ----
    std::uint32_t places() const noexcept { return table_.places(); }
    // The record that the flow would be if it ended now, into one that is fresh; it goes
    // on as it was. What nDPI has found so far is told without a guess. False: no flow is there.
    bool describe(std::uint32_t index, const FlowParts& parts, FlowRecord& record, Arena& arena);
    // False: no flow is there.
    bool look(std::uint32_t index, FlowLook& look);
    bool keep_looks();  // before look(): memory for what was seen; false: there is none
    void forget_looks() noexcept { looks_ = {}; }

private:
    using Entry = FlowEntry<Key>;
    struct Look {  // a flow as it was seen
        TimestampNs first;
        std::uint64_t octets[2];
        std::uint32_t packets[2];
    };
    struct Observation {
        Key key;
        std::uint64_t hash;
        const Packet* packet;
        std::uint32_t candidate;
        bool swapped;
    };

    std::uint32_t create(const Observation& observation);
    void make_room();
    void begin(std::uint32_t index, const Observation& observation, bool continued);
    [[gnu::always_inline]] void count(std::uint32_t index, const Observation& observation);
    void measure_more(std::uint32_t index, const Packet& packet, int d);
    [[gnu::always_inline]] bool goes_on(const Entry& entry, const Packet& packet) const noexcept;
    bool has_ended(const Entry& entry, const Packet& packet, EndReason& reason) const noexcept;
    void shed_dissection(FlowApplication& application);
    [[gnu::always_inline]] void judge(std::uint32_t index, const Observation& observation, TimestampNs before);
    [[gnu::always_inline]] std::int32_t ask_hook(std::uint32_t index, const Observation& observation,
                                                 TimestampNs before);
    const FlowRecord& describe(std::uint32_t handle) override;
    void forget() noexcept override { context_.is_described = false; }
    std::uint32_t handle(std::uint32_t index) const noexcept;
    TimestampNs patience_ms(const Entry& entry) const noexcept;
    EndReason reason_after(const Entry& entry, TimestampNs silent_ms) const noexcept;
    TimestampNs idle_due(const Entry& entry) const noexcept;
    EndReason reason_in_nfstream0(const Entry& entry, EndReason reason) const noexcept;
    TimestampNs due(const Entry& entry) const noexcept;
    // Of the wheel: what a flood is made of, and what is more than that.
    static constexpr std::uint32_t kFewPackets = 2;
    int rank(const Entry& entry) const noexcept;
    bool leaves_before(const Entry& entry, const Entry& other) const noexcept;
    static constexpr std::uint8_t kRemembered = 2;  // in last_direction
    static bool is_remembered(const Entry& entry) noexcept { return entry.last_direction == kRemembered; }
    static bool is_over(const Entry& entry) noexcept;
    void close(std::uint32_t index, EndReason reason, std::int32_t custom_expiration = -1);
    void close_active(std::uint32_t index);
    void end_or_go_on(std::uint32_t index, TimestampNs now);
    // A flow that the wheel does not hold leaves; and one that it does.
    void remove(std::uint32_t index, EndReason reason, std::int32_t custom_expiration = -1);
    void drop(std::uint32_t index, EndReason reason, std::int32_t custom_expiration = -1);
    void discard(std::uint32_t index);
    bool is_flow(std::uint32_t index) noexcept;
    StatisticsRecord statistics_of(std::uint32_t index, const FlowRecord& record);
    void name_process(FlowRecord& record, Arena& arena) const;
    void fill(FlowRecord& record, const Entry& entry, EndReason reason) const;
    void fill(DirectionRecord& out, const Entry& entry, int direction) const;
    void prefetch_beside(std::uint32_t index) const noexcept;
    void prefetch_application(const Observation& observation) const noexcept;
    void begin_tunnel(std::uint32_t index, const Packet& packet) noexcept;
    const TunnelRecord* tunnel_record(std::uint32_t index, Arena& arena) const;
    void prefetch_states() const noexcept;
    void prefetch_flows(const std::uint32_t* indices, int n) noexcept;
    void prefetch_next_flows() noexcept;

    MeterContext& context_;
    FlowEvictor* sibling_ = nullptr;
    FlowTable<Key> table_;
    TimerWheel wheel_;
    Region<FlowStatistics> statistics_;
    Region<RunningMeans> running_means_;
    Region<FlowApplication> applications_;
    Region<std::uint64_t> creation_ids_;
    Region<FlowTcpQuality> tcp_quality_;
    Region<FlowTunnel> tunnels_;
    FlowSequences sequences_;
    Region<Look> looks_;          // empty: nobody looks
    bool measures_more_ = false;  // statistics, sequence or TCP quality
    std::array<Observation, kFrameVectorSize> observed_;
    std::size_t observed_count_ = 0;
};

// Octets of `max_flows` IPv4 flows, what nDPI keeps aside.
std::uint64_t expected_flow_memory(const MeteringOptions& options);

extern template class FlowMeter<FlowKeyV4>;
extern template class FlowMeter<FlowKeyV6>;

}  // namespace nfstreamd
