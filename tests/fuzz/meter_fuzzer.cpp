// SPDX-License-Identifier: Apache-2.0
// The whole meter, from frames to records, with nDPI: a list of frames
// (packet_list.hpp) is metered as a capture file is. Each packet must be in one
// record or under one name, and the ledger must balance at any moment. Valid
// packets are mutated as packets.
#include <sys/prctl.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/metering/metering_process.hpp"
#include "core/packet/decode.hpp"
#include "core/record/template.hpp"
#include "exporters/encode/json_encoder.hpp"
#include "tests/fuzz/packet_list.hpp"
#include "tests/fuzz/packet_mutator.hpp"

namespace {

using namespace nfstreamd;
using fuzz::require;

constexpr TimestampNs kStart = 1'700'000'000'000'000'000;
// EN10MB is what the mutator knows; the others come from the corpus
constexpr int kLinkTypes[] = {1, 1, 1, 1, 12, 113, 276, 101};

MeteringOptions metering_options(const std::uint8_t* choice) {
    MeteringOptions options;
    options.accounting_mode = choice[0] & 3;
    options.fragments = (choice[0] & 4) != 0 ? FragmentMode::kAll : FragmentMode::kFirst;
    options.statistical_analysis = (choice[0] & 8) != 0;
    options.running_means = options.statistical_analysis && (choice[0] & 4) != 0;
    options.tcp_quality = (choice[0] & 16) != 0;
    options.splt_analysis = (choice[0] & 32) != 0 ? 5 : 0;
    options.decode_tunnels = (choice[0] & 64) != 0 ? TunnelSet::all() : TunnelSet(true);
    options.compatibility = (choice[0] & 128) != 0 ? Generation::kNfstream0 : Generation::kNfstream6;
    options.max_flows = 2u << (choice[1] & 7);
    if ((choice[1] & 8) != 0) {
        options.idle_timeout = std::chrono::milliseconds((choice[0] & 8) != 0 ? 50 : 5000);
        options.active_timeout = std::chrono::milliseconds(200);
        options.idle_udp = std::chrono::milliseconds(10);
    }
    if ((choice[1] & 16) != 0) options.tcp_end = std::chrono::milliseconds(5);
    if ((choice[1] & 32) != 0) options.pressure_from = 50;
    if ((choice[2] & 8) != 0 || (choice[3] & 64) != 0) options.n_dissections = DissectionLimits{0};
    if ((choice[3] & 2) != 0) options.creation_ids = options.nfstream3_records = true;
    if ((choice[3] & 8) != 0) {
        options.idle_tcp = std::chrono::milliseconds(30);
        options.idle_icmp = options.idle_other = std::chrono::milliseconds(0);
    }
    options.l7_details = true;
    return options;
}

// Told of each flow from its first packet to its end, and of no other; ends some.
class WatchingHook final : public FlowHook {
public:
    explicit WatchingHook(std::uint64_t longest) : longest_(longest) {}

    std::int32_t on_begin(const FlowView& flow, const Packet& packet) noexcept override {
        require(flow.handle >= packets_.size() || packets_[flow.handle] == 0, "a flow begins once");
        if (flow.handle >= packets_.size()) packets_.resize(flow.handle + 1);
        require(flow.packets() == 1, "a flow begins with a packet");
        return see(flow, packet);
    }
    std::int32_t on_packet(const FlowView& flow, const Packet& packet, int direction) noexcept override {
        require(is_there(flow.handle) && (direction == 0 || direction == 1), "a packet is of a flow that has begun");
        return see(flow, packet);
    }
    void describe(std::uint32_t handle, FlowRecord&, Arena&) noexcept override {
        require(is_there(handle), "a flow that is described is there");
    }
    void on_expire(std::uint32_t handle, FlowRecord& record, Arena&) noexcept override {
        require(is_there(handle) && packets_[handle] == record.packets(), "the record of a flow has its packets");
        packets_[handle] = 0;
    }
    void on_discard(std::uint32_t handle) noexcept override {
        require(is_there(handle), "a flow that is discarded was there");
        packets_[handle] = 0;
    }

private:
    bool is_there(std::uint32_t handle) const { return handle < packets_.size() && packets_[handle] != 0; }
    std::int32_t see(const FlowView& flow, const Packet& packet) {
        require(++packets_[flow.handle] == flow.packets(), "each packet of a flow is shown");
        if (packet.ip_octets % 4 == 0)
            require(flow.record().packets() == flow.packets(), "a flow is described as it is");
        return flow.packets() == longest_ ? -3 : 0;
    }

    const std::uint64_t longest_;
    std::vector<std::uint64_t> packets_;  // by handle
};

// A scan of VXLAN segments, the same frame in each: more of them than there are numbers for.
std::vector<std::vector<std::uint8_t>> scan_of_segments(const std::vector<std::uint8_t>& frame) {
    std::vector<std::vector<std::uint8_t>> frames;
    std::vector<std::uint8_t> outer{0,    1, 2,    3,    4, 5,  6,  7, 8, 9,   10, 11, 8, 0,   0x45, 0, 0,
                                    0,    0, 0,    0,    0, 64, 17, 0, 0, 192, 0,  2,  1, 192, 0,    2, 2,
                                    0xc0, 0, 0x12, 0xb5, 0, 0,  0,  0, 8, 0,   0,  0,  0, 0,   0,    0};
    const std::size_t octets = outer.size() - 14 + frame.size();
    outer[17] = static_cast<std::uint8_t>(octets);
    outer[39] = static_cast<std::uint8_t>(octets - 20);
    outer.insert(outer.end(), frame.begin(), frame.end());
    for (unsigned segment = 1; segment < 4300; ++segment) {
        outer[47] = static_cast<std::uint8_t>(segment >> 8);
        outer[48] = static_cast<std::uint8_t>(segment);
        frames.push_back(outer);
    }
    return frames;
}

class ListSource final : public PacketSource {
public:
    ListSource(const fuzz::PacketList& list, int link_type, ChecksumMode checksum)
        : link_type_(link_type), checksum_(checksum) {
        TimestampNs time = kStart;
        if ((list.options[3] & 64) != 0 && list.frames.front().octets.size() <= 200)
            for (const auto& octets : scan_of_segments(list.frames.front().octets)) {
                blocks_.emplace_back(octets);
                const auto length = static_cast<std::uint32_t>(octets.size());
                frames_.push_back({time, blocks_.back().octets().data(), length, length});
                ends_vector_.push_back(false);
            }
        counters_.up.set(1);
        for (const fuzz::ListedFrame& frame : list.frames) {
            time = frame.after(time);
            blocks_.emplace_back(frame.octets);
            const auto octets = blocks_.back().octets();
            const auto length = static_cast<std::uint32_t>(octets.size());
            frames_.push_back(
                {time, octets.data(), length, length + ((frame.flags & fuzz::ListedFrame::kCut) != 0 ? 100u : 0u)});
            ends_vector_.push_back((frame.flags & fuzz::ListedFrame::kNewVector) != 0);
        }
    }
    // Of a process that is to be asked for its ledger, and for its flows, too.
    void ask(MeteringProcess& process, bool for_flows, bool for_activity) {
        process_ = &process;
        for_flows_ = for_flows;
        for_activity_ = for_activity;
    }
    // With other timeouts, for the second half.
    void reload(std::shared_ptr<RecordQueue> queue) { reload_ = std::move(queue); }

    Status open() override { return ok(); }
    Result<PollOutcome> poll(FrameSink& sink, std::chrono::milliseconds) override {
        if (next_ != 0) process_->request_ledger(next_, 100'000);
        if (for_flows_) {
            auto listing = std::make_shared<FlowListing>();
            listing->limit = 5;
            if (for_activity_)
                process_->ask(std::make_shared<FlowActivity>());
            else
                process_->ask(std::move(listing));
            if (next_ % 8 == 7) process_->request_expire();
        }
        if (reload_ && next_ >= frames_.size() / 2) {
            MeteringChange change;
            change.idle_timeout = std::chrono::milliseconds(20);
            change.active_timeout = std::chrono::milliseconds(100);
            change.outputs = {std::exchange(reload_, nullptr)};
            if (process_->options().n_dissections.any()) {
                auto module = NdpiModule::create({});
                require(module.has_value(), "nDPI gives a module");
                change.ndpi_module = std::move(module.value());
            }
            process_->adopt(std::move(change));
        }
        if (next_ == frames_.size()) return PollOutcome::kEnd;
        std::vector<RawFrame> vector;
        do {
            counters_.frames.add();
            counters_.octets.add(frames_[next_].wire_length);
            vector.push_back(frames_[next_++]);
        } while (next_ < frames_.size() && !ends_vector_[next_] && vector.size() < kFrameVectorSize);
        sink.on_frames({vector, link_type_, checksum_});
        check_balance(process_->ledger());
        return PollOutcome::kFrames;
    }
    // Of a live one: now and then it is more than the meter takes.
    unsigned fill_percent() const noexcept override { return next_ % 64 < 32 ? 95 : 0; }
    void wake() noexcept override {}
    const CaptureCounters& counters() const noexcept override { return counters_; }
    Description describe() const override { return {}; }
    const std::vector<RawFrame>& frames() const { return frames_; }

    static void check_balance(const MeterLedger& ledger) {
        std::uint64_t frames = ledger.metered + ledger.sampled_out + ledger.packets_shed + ledger.hash_filtered;
        for (const auto ignored : ledger.ignored) frames += ignored;
        require(ledger.frames == frames, "each frame is metered or counted under one name");
        require(ledger.metered == ledger.in_records + ledger.in_table + ledger.discarded,
                "each packet is in a record or in the table");
        require(ledger.made == ledger.published + ledger.in_batch, "each record is handed on");
        require(ledger.offered == ledger.pushed + ledger.queue_full, "each record is queued or counted");
    }

private:
    const int link_type_;
    const ChecksumMode checksum_;
    std::vector<fuzz::HeapBlock> blocks_;
    std::vector<RawFrame> frames_;
    std::vector<bool> ends_vector_;
    std::size_t next_ = 0;
    MeteringProcess* process_ = nullptr;
    bool for_flows_ = false, for_activity_ = false;
    std::shared_ptr<RecordQueue> reload_;
    CaptureCounters counters_;
};

// Told of the same frames without a flow table: how many packets there are, and their octets.
struct Expected {
    std::uint64_t packets = 0, octets = 0;

    Expected(const std::vector<RawFrame>& frames, int link_type, const MeteringOptions& options) {
        const DecodeOptions decoding{options.decode_tunnels, options.fragments};
        Packet packet;
        for (const RawFrame& frame : frames) {
            if (decode(link_type, frame, decoding, packet) != DecodeResult::kOk) continue;
            ++packets;
            octets += packet.ip_octets;
        }
    }
};

void check_records(RecordQueue& queue, const MeteringProcess& process, const MeteringOptions& options) {
    static const FieldGroups kGroups{.statistics = true, .splt = true, .l7_details = true, .tcp_quality = true};
    static const exporters::JsonEncoder kEncoder(nfstream_fields(kGroups));
    std::uint64_t records = 0, packets = 0, octets = 0;
    std::string line;
    while (const auto batch = queue.try_pop()) {
        for (const FlowRecord& record : batch->records) {
            ++records;
            packets += record.packets();
            octets += record.forward.octets + record.reverse.octets;
            require(record.packets() > 0, "a record has a packet");
            require(record.first() <= record.last(), "a flow begins before it ends");
            require(record.application == nullptr || options.n_dissections.any(),
                    "an application is told where packets are dissected");
            line.clear();
            kEncoder.encode(record, line);
            require(!line.empty() && line.back() == '\n' &&
                        fuzz::is_json_object(std::string_view(line).substr(0, line.size() - 1)),
                    "a record is a line of JSON");
        }
    }
    const MeterCounters& counters = process.counters();
    const std::uint64_t discarded = counters.packets_discarded.get();
    require(packets + discarded == counters.packets.get(), "each packet is in one record");
    require(discarded != 0 || octets == counters.octets.get(), "each octet is in one record");
    require(records + counters.flows_discarded.get() == counters.flows_created.get(), "each flow is a record");
    require(counters.flows_active.get() == 0, "no flow is left");
}

}  // namespace

// A small flow table in huge pages takes longer to clear than to fill.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
    ::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    const auto list = fuzz::PacketList::read({input, size});
    if (list.frames.empty()) return 0;
    const MeteringOptions options = metering_options(list.options);
    const int link_type = kLinkTypes[list.options[2] & 7];
    constexpr ChecksumMode kChecksum[] = {ChecksumMode::kOff, ChecksumMode::kOff, ChecksumMode::kCount,
                                          ChecksumMode::kIgnore};
    const ChecksumMode checksum = kChecksum[list.options[2] >> 4 & 3];
    PacketSelector selector;
    selector.id = 1;
    if ((list.options[2] & 64) != 0) selector.options.sampling.rate = 2;
    if ((list.options[2] & 128) != 0) selector.options.hash = {{"src_ip", "dst_ip"}, 0.5, 7};

    // live, the clock may step, and load is shed: packets, too, of a selector that says how
    const bool is_live = (list.options[3] & 128) != 0;
    if (is_live && (list.options[2] & 64) != 0) {
        selector.options.overload_rate = 3;
        selector.overload_id = 2;
    }

    static Logger quiet(LogLevel::kError, LogFormat::kText, -1);
    auto owned = std::make_unique<ListSource>(list, link_type, checksum);
    ListSource& source = *owned;
    const auto queue = std::make_shared<RecordQueue>("fuzz", 4096, std::make_shared<WakeEvent>());
    MeteringProcess process({1, "eth0", !is_live}, options, std::move(owned), {queue}, quiet, selector);
    source.ask(process, (list.options[1] & 64) != 0, (list.options[3] & 32) != 0);
    if ((list.options[3] & 4) != 0) source.reload(queue);
    if ((list.options[3] & 1) != 0)
        process.set_flow_hook(std::make_unique<WatchingHook>((list.options[3] & 16) != 0 ? 3 : 0));
    const bool has_budget = (list.options[1] & 128) != 0;
    if (has_budget) process.set_flow_budget(std::make_shared<FlowBudget>(3));
    require(process.open().has_value(), "a meter opens");
    const Expected expected(source.frames(), link_type, options);
    require(process.run({}).has_value(), "a run ends well");

    const MeterLedger ledger = process.ledger();
    require(ledger.number == kLastLedger && ledger.summed, "there is a last ledger");
    require(ledger.frames == source.frames().size() || has_budget, "each frame is counted");
    require(ledger.in_table + ledger.in_batch + ledger.flows == 0, "nothing is left");
    ListSource::check_balance(ledger);
    if (checksum == ChecksumMode::kOff && selector.options == PacketSelectionOptions{} && !has_budget) {
        require(process.counters().packets.get() == expected.packets, "what decodes is metered");
        require(process.counters().octets.get() == expected.octets, "what decodes is metered as it is");
    }
    check_records(*queue, process, options);
    return 0;
}

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    if (seed % 16 == 0) return LLVMFuzzerMutate(data, size, max_size);
    auto list = fuzz::PacketList::read({data, size});
    fuzz::PacketMutator(seed).mutate(list);
    return list.write({data, max_size});
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* first, std::size_t first_size,
                                                 const std::uint8_t* second, std::size_t second_size, std::uint8_t* out,
                                                 std::size_t max_size, unsigned seed) {
    const auto list = fuzz::PacketMutator(seed).cross(fuzz::PacketList::read({first, first_size}),
                                                      fuzz::PacketList::read({second, second_size}));
    return list.write({out, max_size});
}
