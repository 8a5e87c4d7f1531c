// SPDX-License-Identifier: Apache-2.0
#include "core/metering/metering_process.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <map>
#include <utility>

#include "core/base/random_words.hpp"
#include "core/metering/clock_watch.hpp"
#include "core/metering/flow_meter.hpp"
#include "core/metering/hook_chain.hpp"
#include "core/metering/ignored_packets.hpp"
#include "core/metering/load_shedder.hpp"
#include "core/metering/pause_watch.hpp"
#include "core/metering/table_reader.hpp"
#include "core/packet/checksum.hpp"
#include "core/packet/decode.hpp"
#include "core/packet/fragment_table.hpp"
#include "core/selection/packet_hash_filter.hpp"
#include "core/selection/packet_sampler.hpp"

namespace nfstreamd {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLongestWait{100};
// Frames that wait in a capture ring are that much older than the clock at most;
// a flow is not called idle before they have been seen.
constexpr std::chrono::milliseconds kDeliveryDelay{250};
constexpr int kExpiryPerVector = 4 * static_cast<int>(kFrameVectorSize);
// each may be the end of a dissection: some milliseconds at most
constexpr int kExpiryPerTick = 2048;
constexpr std::uint32_t kForcedPerTick = 2048;
// What is in a ring is metered before it is closed.
constexpr std::chrono::milliseconds kDrainStep{10};
constexpr std::chrono::seconds kLongestDrain{10};
// All flows leave at once when packet selection changes; the capture ring holds that long.
constexpr std::chrono::milliseconds kSelectorFlush{1000};
// Only a broken capture has later times (year 2116); sums with timeouts do not overflow.
constexpr TimestampNs kLatest = TimestampNs{1} << 62;

}  // namespace

class MeteringProcess::Implementation final : public FrameSink {
public:
    Implementation(ObservationPoint point, MeteringOptions options, std::unique_ptr<PacketSource> source,
                   std::vector<std::shared_ptr<RecordQueue>> outputs, Logger& logger, PacketSelector selector)
        : point_(std::move(point)),
          options_(options),
          logger_(logger),
          source_(std::move(source)),
          publisher_(std::move(outputs), point_.offline),
          tunnels_(random_word()),
          context_{options_, point_, counters_, publisher_, tunnels_, nullptr, FlowHash(random_words<9>())},
          fragments_(random_word()),
          shedder_(point_.name, counters_, logger),
          v4_(context_),
          v6_(context_),
          reader_(v4_, v6_) {
        context_.timeouts.configure(options_);
        const std::uint32_t number = point_.process > 0 ? point_.process : point_.id;
        context_.next_flow_id = context_.next_creation_id = std::uint64_t{number > 0 ? number - 1 : 0} << 40;
        context_.as_nfstream0 = options_.compatibility == Generation::kNfstream0 && point_.offline;
        if (picks_) {
            context_.packets = packets_.data();
            // of the first share: those of an input are numbered one after the other
            context_.first_creation_id = context_.next_creation_id - (std::uint64_t{point_.share.index} << 40);
        }
        v4_.set_sibling(v6_);
        v6_.set_sibling(v4_);
        use(std::move(selector));
    }

    Status open() {
        if (options_.n_dissections.any()) {
            auto dissector = NdpiDissector::create(
                {options_.n_dissections, options_.l7_details || options_.nfstream3_records, options_.ndpi});
            if (!dissector) return dissector.error();
            dissector_ = std::move(dissector.value());
            context_.dissector = dissector_.get();
            counters_.applications.enable();
        }
        enrich_from(options_.enrichment);
        if (auto status = make_hooks(); !status) return status;
        if (auto status = v4_.allocate(); !status) return status;
        if (auto status = v6_.allocate(); !status) return status;
        counters_.table_octets.set(v4_.octets() + v6_.octets());
        counters_.flow_octets.set(v4_.octets_per_flow());
        if (!point_.offline) prepare_memory();
        show_timeout();
        watch_ring();
        return source_->open();
    }

    void observe_processes(std::shared_ptr<const ProcessTable> processes) {
        processes_ = std::move(processes);
        context_.processes = processes_.get();
    }

    Status run(std::stop_token stop) {
        const std::stop_callback on_stop(stop, [this] { wake(); });
        Status result = ok();
        bool ended = false;
        while (!stop.stop_requested() && !ended && !budget_spent()) {
            take_changes();
            note_interface();
            auto outcome = source_->poll(*this, behind_ ? std::chrono::milliseconds(0) : kLongestWait);
            if (!outcome) {
                result = outcome.error();
                break;
            }
            ended = outcome.value() == PollOutcome::kEnd;
            tick();
        }
        if (!ended && result && !budget_spent()) {
            note_interface();
            drain();
        }
        if (!ended) source_->finish(*this);
        take_changes();
        publisher_.wait_for_room();
        const EndReason reason = ended                        ? EndReason::kEndOfInput
                                 : !result && !point_.offline ? EndReason::kInterfaceGone
                                                              : stop_reason_.load();
        expire_all(reason);
        counters_.flows_active.set(0);
        shedder_.end();
        publisher_.end();
        make_ledger(kLastLedger, std::numeric_limits<std::uint32_t>::max());
        end_inquiries();
        return result;
    }

    void on_frames(const FrameVector& vector) noexcept override {
        if (!point_.offline && !vector.frames.empty()) watch_clock(vector.frames.front().timestamp);
        Tally tally;
        if (meters_all_ && vector.checksum == ChecksumMode::kOff) [[likely]]
            meter_frames<true>(vector, tally);
        else
            meter_frames<false>(vector, tally);
        meter_vector();
        v4_.expire(context_.idle_by(clock_), kExpiryPerVector);
        v6_.expire(context_.idle_by(clock_), kExpiryPerVector);
        count(tally);
        ++context_.vector;
        tunnels_.between_vectors();
        counters_.merged_segments.set(tunnels_.merged());
        counters_.flows_active.set(context_.live_flows - context_.remembered);
        if (context_.timeouts.adaptive()) [[unlikely]]
            adapt_timeouts();
    }

    // ---- any thread ----

    void adopt(MeteringChange change) {
        const std::lock_guard lock(mutex_);
        changes_.push_back(std::move(change));
        wake_locked();
    }
    void wake() {
        const std::lock_guard lock(mutex_);
        wake_locked();
    }
    void request_expire() {
        expire_requested_ = true;
        wake();
    }
    void ask(TableReader::Inquiry inquiry) {
        const std::lock_guard lock(mutex_);
        if (inquiries_end_) return std::visit([](const auto& asked) { asked->finish(false); }, inquiry);
        inquiries_.push_back(std::move(inquiry));
        wake_locked();
    }
    void request_ledger(std::uint64_t number, std::uint32_t most_entries) {
        const std::lock_guard lock(mutex_);
        ledger_wanted_.number = std::max(ledger_wanted_.number, number);
        ledger_wanted_.most_entries = std::max(ledger_wanted_.most_entries, most_entries);
        ledger_requested_ = true;
        wake_locked();
    }
    MeterLedger ledger() const {
        const std::lock_guard lock(mutex_);
        return ledger_;
    }
    Result<CaptureChange> prepare_capture(const std::string& interface, const CaptureOptions& wanted) const {
        const std::lock_guard lock(mutex_);
        return source_->prepare(interface, wanted);
    }
    void look_at_interfaces() {
        const std::lock_guard lock(mutex_);
        source_->look_at_interface();
    }
    CaptureTotals capture() const { return counts_input_ ? captured() : CaptureTotals{}; }
    CaptureTotals captured() const {  // whoever counts it
        const std::lock_guard lock(mutex_);
        CaptureTotals totals = retired_;
        add(totals, source_->counters());
        totals.up = source_->counters().up.get() != 0;
        return totals;
    }
    std::vector<Member> members() const {
        const std::lock_guard lock(mutex_);
        if (!counts_input_) return {};
        std::vector<Member> members;
        for (const auto& member : source_->members()) {
            Member& made = members.emplace_back();
            made.source = member->describe();
            if (const auto past = retired_members_.find(made.source.name); past != retired_members_.end())
                made.capture = past->second;
            add(made.capture, member->counters());
            made.capture.up = member->counters().up.get() != 0;
        }
        return members;
    }
    PacketSource::Description source_description() const {
        const std::lock_guard lock(mutex_);
        return source_->describe();
    }
    PacketSource::Progress progress() const {
        const std::lock_guard lock(mutex_);
        return source_->progress();
    }
    PacketSelector selector() const {
        const std::lock_guard lock(mutex_);
        return selector_;
    }
    ApplicationList applications() const { return dissector_ ? dissector_->applications() : ApplicationList{}; }

    void set_hook(std::unique_ptr<FlowHook> hook) {
        if (hook != nullptr) hooks_at_start().add({nullptr, std::move(hook)});
    }
    void set_budget(std::shared_ptr<FlowBudget> budget) {
        budget_ = std::move(budget);
        context_.budget = budget_.get();
    }

    const ObservationPoint point_;
    const MeteringOptions options_;
    const bool picks_ = point_.offline && point_.share.count > 1;
    const bool counts_input_ = !picks_ || point_.share.first();
    MeterCounters counters_;
    std::atomic<EndReason> stop_reason_{EndReason::kForced};
    std::atomic<std::uint64_t> adopted_{0};

private:
    struct Tally {  // of one vector
        std::uint64_t metered = 0, octets = 0, wire_octets = 0, cut = 0, sampled_out = 0, sampled_octets = 0,
                      hash_filtered = 0, other_shares = 0;
    };

    // Decodes the frames and gives the packets to their flow tables. `all`: nothing
    // is to be left out, as nearly always, and nothing is asked per frame.
    template <bool all>
    void meter_frames(const FrameVector& vector, Tally& tally) noexcept {
        const DecodeOptions decoding{options_.decode_tunnels, options_.fragments};
        Packet* next = packets_.data();
        for (const RawFrame& frame : vector.frames) {
            if (!all && sampler_.on() && !sampler_.selects(frame_number_++)) {
                ++tally.sampled_out;
                tally.sampled_octets += frame.wire_length;
                continue;
            }
            Packet& packet = *next;
            DecodeResult result = decode(vector.link_type, frame, decoding, packet);
            if (!all && vector.checksum != ChecksumMode::kOff && result == DecodeResult::kOk)
                result = look_at_checksums(packet, vector.checksum);
            if (result != DecodeResult::kOk) [[unlikely]] {
                if (counts_input_)
                    count_ignored(result, frame);
                else
                    ++tally.other_shares;
                continue;
            }
            if (packet.timestamp < clock_ || packet.timestamp > latest_) [[unlikely]]
                correct_time(packet);
            const bool ours = all || !picks_ || point_.share.has(packet);
            if (packet.fragment && options_.fragments == FragmentMode::kAll && (ours || hash_filter_.on())) [[unlikely]]
                fragments_.resolve(packet);
            if (!all && hash_filter_.on() && !hash_filter_.selects(packet)) {
                ++(ours ? tally.hash_filtered : tally.other_shares);
                continue;
            }
            clock_ = packet.timestamp;
            if (!ours) {
                ++tally.other_shares;
                continue;
            }
            if (packet.tunnel_id != 0) [[unlikely]]
                packet.tunnel_context = tunnels_.number(packet);
            if (!all) context_.frames[static_cast<std::size_t>(next - packets_.data())] = place_of(vector, frame);
            ++next;
            ++tally.metered;
            tally.octets += packet.ip_octets;
            tally.wire_octets += frame.wire_length;
            tally.cut += packet.cut;
            if (packet.version == 4)
                v4_.add(packet);
            else
                v6_.add(packet);
            if (!all && context_.as_nfstream0) meter_vector();  // a flow of one family makes those of the other idle
        }
    }

    static std::uint16_t place_of(const FrameVector& vector, const RawFrame& frame) noexcept {
        return static_cast<std::uint16_t>(&frame - vector.frames.data());
    }

    void count_ignored(DecodeResult result, const RawFrame& frame) noexcept {
        counters_.ignored[static_cast<std::size_t>(result)].add();
        if (may_be_ip(result)) counters_.ignored_octets.add(frame.wire_length);
    }

    void count(const Tally& tally) noexcept {
        counters_.packets.add(tally.metered);
        counters_.octets.add(tally.octets);
        counters_.wire_octets.add(tally.wire_octets);
        if (tally.cut != 0) counters_.cut.add(tally.cut);
        if (tally.sampled_out != 0 && counts_input_) {
            (context_.thins() ? counters_.packets_shed : counters_.sampled_out).add(tally.sampled_out);
            if (context_.thins()) counters_.ignored_octets.add(tally.sampled_octets);
        }
        if (tally.hash_filtered != 0) counters_.hash_filtered.add(tally.hash_filtered);
        const auto other_shares = tally.other_shares + (counts_input_ ? 0 : tally.sampled_out);
        if (other_shares != 0) counters_.other_shares.add(other_shares);
        saw_packets_ = saw_packets_ || tally.metered != 0;
    }

    static void add(CaptureTotals& totals, const CaptureCounters& counters) {
        totals.frames += counters.frames.get();
        totals.octets += counters.octets.get();
        totals.truncated += counters.truncated.get();
        totals.filtered += counters.filtered.get();
        totals.kernel_dropped += counters.kernel_dropped.get();
        totals.unread += counters.unread.get();
        totals.interface_dropped += counters.interface_dropped.get();
        totals.opens += counters.opens.get();
        totals.failures += counters.failures.get();
        totals.late += counters.late.get();
        totals.early += counters.early.get();
        totals.duplicates += counters.duplicates.get();
        totals.held += counters.held.get();
    }

    DecodeResult look_at_checksums(const Packet& packet, ChecksumMode mode) {
        const ChecksumVerdict verdict = check_checksums(packet, context_.goes_out(packet));
        if (verdict == ChecksumVerdict::kOffloaded && counts_input_) counters_.offloaded_checksum.add();
        if (verdict != ChecksumVerdict::kBad) return DecodeResult::kOk;
        if (mode == ChecksumMode::kIgnore) return DecodeResult::kBadChecksum;
        if (counts_input_) counters_.bad_checksum.add();
        return DecodeResult::kOk;
    }

    void wake_locked() {
        if (source_) source_->wake();
    }

    void take_inquiries() {  // under mutex_
        for (TableReader::Inquiry& inquiry : inquiries_) reader_.take(std::move(inquiry));
        inquiries_.clear();
    }
    void end_inquiries() {
        const std::lock_guard lock(mutex_);
        inquiries_end_ = true;
        take_inquiries();
        reader_.end();
    }

    // Each in turn: every source is drained, every queue that leaves gets its end.
    void take_changes() {
        std::vector<MeteringChange> changes;
        {
            const std::lock_guard lock(mutex_);
            changes.swap(changes_);
            take_inquiries();
        }
        for (MeteringChange& change : changes) {
            change_timeouts(change);
            if (change.ndpi_module && dissector_) dissector_->adopt(std::move(change.ndpi_module));
            if (change.enrichment) enrich_from(*change.enrichment);
            if (change.hooks) replace_hooks(std::move(*change.hooks));
            change_captures(change);
            if (change.selector) replace_selector(std::move(*change.selector));
            publisher_.replace_outputs(std::move(change.outputs));
            adopted_.fetch_add(1, std::memory_order_release);
        }
    }

    // They hold for the flows that are there too; those wait in the wheel for the old ones.
    void change_timeouts(const MeteringChange& change) {
        timeouts_changed(context_.timeouts.configure(change));
        show_timeout();
    }
    void adapt_timeouts() {
        if (context_.timeouts.adapt(context_.live_flows, options_.max_flows)) timeouts_changed(true);
    }
    void show_timeout() {
        counters_.idle_timeout_ms.set(static_cast<std::uint64_t>(context_.timeouts.default_idle_ms()));
    }
    void timeouts_changed(bool shorter) {
        v4_.timeouts_changed(shorter);
        v6_.timeouts_changed(shorter);
    }

    // What is cached belongs to the tables, so it goes with them.
    void enrich_from(const EnrichmentOptions& options) {
        enricher_ = options.tables ? std::make_unique<Enricher>(options, counters_.enrichment) : nullptr;
        context_.enricher = enricher_.get();
        publisher_.keep(options.tables);
        reader_.set_tables(options.tables);
    }

    HookChain& hooks_at_start() {
        if (hooks_ == nullptr) hooks_ = std::make_unique<HookChain>();
        call_hooks();
        return *hooks_;
    }
    Status make_hooks() {
        for (const auto& extension : options_.extensions) {
            auto hook = extension->make_hook(point_.name, logger_);
            if (!hook) return hook.error();
            hooks_at_start().add({extension, std::move(hook.value())});
        }
        return ok();
    }
    void replace_hooks(std::vector<HookLink> links) {
        if (hooks_ == nullptr) hooks_ = std::make_unique<HookChain>(context_.live_flows != 0);
        hooks_->replace(std::move(links));
        call_hooks();
        drop_hooks();
    }
    // So that packets cost nothing more when the last one has gone.
    void drop_hooks() {
        if (hooks_ == nullptr || !hooks_->empty()) return;
        hooks_.reset();
        call_hooks();
    }
    void call_hooks() {
        context_.hook = hooks_.get();
        publisher_.complete_by(hooks_.get());
    }

    bool budget_spent() const { return budget_ != nullptr && budget_->spent(); }

    // What has been added since the last time.
    void meter_vector() {
        v4_.probe();
        v6_.probe();
        v4_.update();
        v6_.update();
    }

    // ---- time ----

    // Live: how late packets of the next vector may be without a step of their clock.
    void watch_clock(TimestampNs first) {
        const auto now = Steady::now();
        pauses_.begin(now);
        if (clock_ == 0 || first <= clock_watch_.latest(now)) clock_watch_.note(first, now);
        latest_ = std::min(clock_watch_.latest(now), kLatest);
    }

    // Time does not run back, whatever the capture says. Live, a step of the clock
    // begins a new time, in which the flows of the old one have no place.
    void correct_time(Packet& packet) {
        const TimestampNs time = std::clamp<TimestampNs>(packet.timestamp, 0, kLatest);
        const bool stepped = time < ClockWatch::earliest(clock_) || time > latest_;
        if (stepped && !point_.offline && clock_ != 0) step_clock(time);
        packet.timestamp = std::max(time, clock_);
    }

    void step_clock(TimestampNs time) {
        const auto now = Steady::now();
        meter_vector();
        const std::uint32_t flows = context_.live_flows - context_.remembered;
        expire_all(EndReason::kClockStep);
        v4_.restart(time);
        v6_.restart(time);
        counters_.clock_steps.add();
        if (steps_.admit(now) >= 0)
            logger_.warning("clock of the capture stepped, all flows leave",
                            {{"meter", point_.name}, {"by_ms", to_ms(time - clock_)}, {"flows", flows}});
        clock_ = time;
        to_expire_ = 0;
        clock_watch_.reset();
        clock_watch_.note(time, now);
        latest_ = std::min(clock_watch_.latest(now), kLatest);
    }

    // What came to a ring before it was replaced is metered first.
    void change_captures(MeteringChange& change) {
        for (auto& [interface, capture] : change.captures) source_->adopt(interface, std::move(capture));
        if (change.regrouping) regroup(*change.regrouping);
        if (!source_->is_empty()) empty_source();
    }

    void regroup(Regrouping& wanted) {
        const auto stays = [&](const PacketSource& member) {
            return std::find(wanted.interfaces.begin(), wanted.interfaces.end(), member.describe().name) !=
                   wanted.interfaces.end();
        };
        bool all_stay = true;
        for (const auto& member : source_->members())
            if (!stays(*member)) {
                member->shut();
                all_stay = false;
            }
        if (!all_stay) empty_source();
        source_->finish(*this);
        const std::lock_guard lock(mutex_);
        auto former = source_->release_members();
        std::vector<std::unique_ptr<PacketSource>> members;
        for (const auto& interface : wanted.interfaces)
            for (auto* from : {&former, &wanted.added})
                for (auto& one : *from)
                    if (one && one->describe().name == interface) members.push_back(std::move(one));
        for (const auto& gone : former) {
            if (!gone) continue;
            add(retired_, gone->counters());
            add(retired_members_[gone->describe().name], gone->counters());
        }
        // of the order of packets only: the rest is in the members
        retired_.late += source_->counters().late.get();
        retired_.early += source_->counters().early.get();
        retired_.duplicates += source_->counters().duplicates.get();
        source_ = make_merged_links(std::move(members), wanted.merge, wanted.snapshot_length);
        opens_noted_ = 0;
    }

    // No record mixes packets of two rates.
    void replace_selector(PacketSelector next) {
        publisher_.wait_for_room(kSelectorFlush);
        expire_all(EndReason::kForced);
        use(std::move(next));
    }

    void use(PacketSelector selector) {
        hash_filter_ = PacketHashFilter(selector.options.hash);
        context_.selector = selector.id;
        context_.overload_selector = selector.overload_id;
        {
            const std::lock_guard lock(mutex_);
            selector_ = std::move(selector);
        }
        use_sampling();
        watch_ring();
    }
    void use_sampling() {
        sampler_ = PacketSampler(context_.thins() ? overloaded(selector_.options) : selector_.options.sampling);
        meters_all_ = !picks_ && !context_.as_nfstream0 && !sampler_.on() && !hash_filter_.on();
        frame_number_ = 0;
    }

    // ---- memory ----

    // Of the IPv6 family the entries of a quarter: both families share max_flows,
    // and what is touched later comes in order, a huge page for thousands of flows.
    void prepare_memory() {
        constexpr std::size_t kPartOfV6 = 4;
        if (options_.prefault) {
            v4_.prefault(prefault_, options_.max_flows);
            v6_.prefault(prefault_, options_.max_flows / kPartOfV6);
        }
        counters_.prefaulted_octets.set(prefault_.octets());
        counters_.huge_page_octets.set(prefault_.huge_octets());
        logger_.info("flow cache ready", {{"meter", point_.name},
                                          {"max_flows", options_.max_flows},
                                          {"octets_per_flow", counters_.flow_octets.get()},
                                          {"octets", counters_.table_octets.get()},
                                          {"prefaulted", prefault_.octets()},
                                          {"huge_pages", counters_.huge_page_octets.get()}});
        if (!prefault_.complete())
            logger_.warning("flow cache is not prefaulted as a whole: it may take a quarter of the memory at most",
                            {{"meter", point_.name}, {"limit", prefault_limit()}});
    }

    // ---- overload ----

    void watch_ring() {
        if (point_.offline) return;
        shedder_.end();
        const ShedLevel dissection = dissector_ ? ShedLevel::kDissection : ShedLevel::kNothing;
        shedder_.configure({options_.overload_from, selector_.overload_id != 0 ? ShedLevel::kPackets : dissection});
        shed(ShedLevel::kNothing);
    }
    void shed(ShedLevel level) {
        const bool thinned = context_.thins();
        context_.shed = level;
        context_.rates_differ = context_.thins() || context_.thinned_flows != 0;
        if (context_.thins() != thinned) use_sampling();
    }

    // What waits in the capture ring is metered before the capture ends. What
    // is left of files is not.
    void drain() {
        if (point_.offline) return;
        source_->shut();
        empty_source();
    }

    void empty_source() {
        const auto deadline = Steady::now() + kLongestDrain;
        while (Steady::now() < deadline) {
            const auto outcome = source_->poll(*this, kDrainStep);
            if (!outcome || outcome.value() == PollOutcome::kEnd) return;
            if (outcome.value() == PollOutcome::kIdle && source_->is_empty()) return;
        }
    }

    // Of a group, flows go on while an interface is left that may see them.
    bool sees_packets() const noexcept {
        const auto members = source_->members();
        const auto is_up = [](const auto& source) { return source->counters().up.get() != 0; };
        return members.empty() ? is_up(source_) : std::any_of(members.begin(), members.end(), is_up);
    }

    // The interface may have come, or come back as another one, or be lost.
    void note_interface() {
        if (const bool up = sees_packets(); up != std::exchange(was_up_, up) && !up && !point_.offline)
            begin_flush(EndReason::kInterfaceGone);
        const std::uint64_t opens = source_->counters().opens.get();
        if (opens == opens_noted_) return;
        opens_noted_ = opens;
        if (point_.offline) {  // files have no interface of their own
            context_.interfaces[0].hardware_address = source_->hardware_address();
            return;
        }
        const auto members = source_->members();
        context_.interface_of.fill(0);
        if (members.empty()) note_interface(0, *source_);
        for (std::size_t i = 0; i < members.size(); ++i) note_interface(i, *members[i]);
    }

    // A flow keeps the place of its interface, so an interface keeps its place
    // while those of a group come and go.
    void note_interface(std::size_t source, const PacketSource& capture) {
        const auto description = capture.describe();
        auto& known = context_.interfaces;
        const auto free_place = [&](const auto& one) { return one.name == description.name || one.name.empty(); };
        auto place = std::find_if(known.begin(), known.end(), free_place);
        if (place == known.end() && known.size() < context_.interface_of.size()) place = known.emplace(known.end());
        if (place == known.end()) --place;  // so many have been that the last ones share one
        *place = {description.interface_index, description.name, capture.hardware_address()};
        context_.interface_of[source] = static_cast<std::uint8_t>(place - known.begin());
    }

    void expire_all(EndReason reason) {
        v4_.expire_all(reason);
        v6_.expire_all(reason);
    }

    // Every flow that is there now leaves, some with each turn.
    void begin_flush(EndReason reason) {
        to_expire_ = context_.live_flows;
        flush_reason_ = reason;
    }

    // Work that does not hang on packets: the clock, the timeouts of a silent
    // link, an operator's command, batches that wait.
    void tick() {
        const auto now = Steady::now();
        pauses_.begin(now);
        const bool busy = std::exchange(saw_packets_, false);
        if (busy) last_packets_ = now;
        behind_ = !point_.offline && clock_ != 0 && expire_by_the_clock(now);
        if (expire_requested_.exchange(false)) begin_flush(EndReason::kForced);
        if (to_expire_ != 0) {
            const std::uint32_t gone = v4_.expire_all(flush_reason_, std::min(to_expire_, kForcedPerTick));
            const std::uint32_t rest = std::min(to_expire_ - gone, kForcedPerTick - gone);
            const std::uint32_t total = gone + v6_.expire_all(flush_reason_, rest);
            to_expire_ = total == 0 ? 0 : to_expire_ - total;
            if (picks_ && to_expire_ == 0) publisher_.publish();
            behind_ = behind_ || to_expire_ != 0;
        }
        behind_ = reader_.step(now, busy) || behind_;
        if (context_.timeouts.adaptive()) adapt_timeouts();
        if (ledger_requested_.load(std::memory_order_relaxed)) answer_ledger();
        drop_hooks();
        show_timeout();
        counters_.flows_active.set(context_.live_flows - context_.remembered);
        counters_.now_ns.set(static_cast<std::uint64_t>(clock_));
        counters_.polls.add();
        if (!picks_) publisher_.publish_if_old(now);  // else no batch depends on how fast the other shares are
        if (!point_.offline) shed(shedder_.update(source_->fill_percent(), now));
        warn_when_full(now);
        tell_pressure(now);
        pauses_.end(Steady::now());
        counters_.longest_pause_ns.set(pauses_.longest_ns());
    }

    // ---- the ledger ----

    void answer_ledger() {
        LedgerRequest wanted;
        {
            const std::lock_guard lock(mutex_);
            wanted = std::exchange(ledger_wanted_, {});
            ledger_requested_ = false;
        }
        make_ledger(wanted.number, wanted.most_entries);
    }

    // Only where no packet is on its way through on_frames().
    void make_ledger(std::uint64_t number, std::uint32_t most_entries) {
        MeterLedger ledger;
        ledger.number = number;
        const CaptureTotals capture = captured();
        ledger.frames = capture.frames;
        ledger.filtered = capture.filtered;
        ledger.kernel_dropped = capture.kernel_dropped;
        ledger.interface_dropped = capture.interface_dropped;
        ledger.duplicates = capture.duplicates;
        ledger.held = capture.held;
        ledger.unread = capture.unread;
        ledger.sampled_out = counters_.sampled_out.get();
        ledger.packets_shed = counters_.packets_shed.get();
        ledger.hash_filtered = counters_.hash_filtered.get();
        ledger.other_shares = counters_.other_shares.get();
        for (std::size_t i = 0; i < ledger.ignored.size(); ++i) ledger.ignored[i] = counters_.ignored[i].get();
        ledger.metered = counters_.packets.get();
        ledger.in_records = counters_.record_packets.get();
        ledger.discarded = counters_.packets_discarded.get();
        ledger.flows = context_.live_flows - context_.remembered;
        ledger.summed = std::uint64_t{v4_.entries()} + v6_.entries() <= most_entries;
        if (ledger.summed) ledger.in_table = v4_.packets() + v6_.packets();
        for (const auto& records : counters_.records) ledger.made += records.get();
        ledger.published = publisher_.published();
        ledger.in_batch = publisher_.in_batch();
        const auto handed = publisher_.handed();
        ledger.offered = handed.offered;
        ledger.pushed = handed.pushed;
        ledger.queue_full = handed.dropped;
        const std::lock_guard lock(mutex_);
        ledger_ = ledger;
    }

    // Once when timeouts begin to shrink, and once when they are as configured again.
    void tell_pressure(Steady::time_point now) {
        const bool pressed = context_.timeouts.under_pressure();
        if (pressed == pressure_told_ || pressure_.admit(now) < 0) return;
        pressure_told_ = pressed;
        const std::uint32_t percent =
            static_cast<std::uint32_t>(std::uint64_t{100} * context_.live_flows / options_.max_flows);
        const auto timeout = context_.timeouts.default_idle_ms();
        if (pressed)
            logger_.warning("flow table filling, idle timeouts shrink",
                            {{"meter", point_.name}, {"fill_percent", percent}, {"idle_timeout_ms", timeout}});
        else
            logger_.info("flow table has room again, idle timeouts as configured",
                         {{"meter", point_.name}, {"fill_percent", percent}, {"idle_timeout_ms", timeout}});
    }

    void warn_when_full(Steady::time_point now) {
        const std::uint64_t evicted = counters_.records[static_cast<std::size_t>(EndReason::kLackOfResources)].get();
        if (evicted == evicted_noted_ || full_.admit(now) < 0) return;
        logger_.warning(
            "flow table full, flows leave before their timeout",
            {{"meter", point_.name}, {"max_flows", options_.max_flows}, {"flows", evicted - evicted_noted_}});
        evicted_noted_ = evicted;
    }

    // True: the budget was spent, more flows may be due.
    bool expire_by_the_clock(Steady::time_point now) {
        const auto silent = std::max(now - last_packets_ - kDeliveryDelay, Steady::duration::zero());
        const TimestampNs present = clock_ + std::chrono::duration_cast<std::chrono::nanoseconds>(silent).count();
        const bool more_v4 = v4_.expire(present, kExpiryPerTick), more_v6 = v6_.expire(present, kExpiryPerTick);
        return more_v4 || more_v6;
    }

    Logger& logger_;
    // guards changes_, inquiries_, the pointer source_, selector_, ledgers and what is retired
    mutable std::mutex mutex_;
    std::vector<MeteringChange> changes_;
    std::vector<TableReader::Inquiry> inquiries_;
    bool inquiries_end_ = false;
    std::unique_ptr<PacketSource> source_;  // replaced by the metering thread under mutex_; it reads it freely
    CaptureTotals retired_;
    std::map<std::string, CaptureTotals> retired_members_;
    PacketSelector selector_;
    struct LedgerRequest {
        std::uint64_t number = 0;
        std::uint32_t most_entries = 0;
    };
    LedgerRequest ledger_wanted_;
    MeterLedger ledger_;
    std::atomic<bool> ledger_requested_{false};
    std::atomic<bool> expire_requested_{false};

    // the metering thread only
    std::shared_ptr<const ProcessTable> processes_;
    RecordPublisher publisher_;
    std::unique_ptr<NdpiDissector> dissector_;
    std::unique_ptr<Enricher> enricher_;  // null: off
    TunnelContexts tunnels_;
    MeterContext context_;
    FragmentTable fragments_;
    LoadShedder shedder_;
    PauseWatch pauses_;
    Prefault prefault_;
    FlowMeter<FlowKeyV4> v4_;
    FlowMeter<FlowKeyV6> v6_;
    TableReader reader_;
    std::array<Packet, kFrameVectorSize> packets_;
    PacketSampler sampler_;
    PacketHashFilter hash_filter_;
    bool meters_all_ = true;          // no frame is left out by choice
    std::uint64_t frame_number_ = 0;  // of the next frame, as the sampler counts
    TimestampNs clock_ = 0;           // of the last packet
    TimestampNs latest_ = kLatest;    // that a packet's time may be; live, later is a step of its clock
    ClockWatch clock_watch_;
    std::uint64_t opens_noted_ = 0;
    bool was_up_ = false;
    Steady::time_point last_packets_ = Steady::now();
    bool saw_packets_ = false;
    bool behind_ = false;  // flows are left to expire: the next poll does not wait
    std::uint32_t to_expire_ = 0;
    EndReason flush_reason_ = EndReason::kForced;
    std::unique_ptr<HookChain> hooks_;  // null: none
    std::shared_ptr<FlowBudget> budget_;
    RateLimit full_, steps_, pressure_;
    bool pressure_told_ = false;
    std::uint64_t evicted_noted_ = 0;
};

MeteringProcess::MeteringProcess(ObservationPoint point, MeteringOptions options, std::unique_ptr<PacketSource> source,
                                 std::vector<std::shared_ptr<RecordQueue>> outputs, Logger& logger,
                                 PacketSelector selector)
    : implementation_(std::make_unique<Implementation>(std::move(point), options, std::move(source), std::move(outputs),
                                                       logger, std::move(selector))) {}
MeteringProcess::~MeteringProcess() = default;

Status MeteringProcess::open() {
    return implementation_->open();
}
void MeteringProcess::observe_processes(std::shared_ptr<const ProcessTable> processes) {
    implementation_->observe_processes(std::move(processes));
}
Status MeteringProcess::run(std::stop_token stop) {
    return implementation_->run(std::move(stop));
}
void MeteringProcess::set_flow_hook(std::unique_ptr<FlowHook> hook) {
    implementation_->set_hook(std::move(hook));
}
void MeteringProcess::set_flow_budget(std::shared_ptr<FlowBudget> budget) {
    implementation_->set_budget(std::move(budget));
}
void MeteringProcess::adopt(MeteringChange change) {
    implementation_->adopt(std::move(change));
}
std::uint64_t MeteringProcess::adopted() const noexcept {
    return implementation_->adopted_.load(std::memory_order_acquire);
}
void MeteringProcess::request_expire() {
    implementation_->request_expire();
}
Result<CaptureChange> MeteringProcess::prepare_capture(const std::string& interface,
                                                       const CaptureOptions& wanted) const {
    return implementation_->prepare_capture(interface, wanted);
}
void MeteringProcess::look_at_interfaces() {
    implementation_->look_at_interfaces();
}
void MeteringProcess::request_ledger(std::uint64_t number, std::uint32_t most_entries) {
    implementation_->request_ledger(number, most_entries);
}
MeterLedger MeteringProcess::ledger() const {
    return implementation_->ledger();
}
void MeteringProcess::ask(std::shared_ptr<FlowListing> listing) {
    implementation_->ask(std::move(listing));
}
void MeteringProcess::ask(std::shared_ptr<FlowActivity> activity) {
    implementation_->ask(std::move(activity));
}
void MeteringProcess::set_stop_reason(EndReason reason) noexcept {
    implementation_->stop_reason_ = reason;
}
const ObservationPoint& MeteringProcess::point() const noexcept {
    return implementation_->point_;
}
const MeteringOptions& MeteringProcess::options() const noexcept {
    return implementation_->options_;
}
const MeterCounters& MeteringProcess::counters() const noexcept {
    return implementation_->counters_;
}
PacketSelector MeteringProcess::selector() const {
    return implementation_->selector();
}
ApplicationList MeteringProcess::applications() const {
    return implementation_->applications();
}
MeteringProcess::CaptureTotals MeteringProcess::capture() const {
    return implementation_->capture();
}
std::vector<MeteringProcess::Member> MeteringProcess::members() const {
    return implementation_->members();
}
PacketSource::Description MeteringProcess::source_description() const {
    return implementation_->source_description();
}
PacketSource::Progress MeteringProcess::progress() const {
    return implementation_->progress();
}

}  // namespace nfstreamd
