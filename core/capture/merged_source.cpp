// SPDX-License-Identifier: Apache-2.0
#include "core/capture/merged_source.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/random_words.hpp"
#include "core/base/wake_event.hpp"
#include "core/capture/frame_merger.hpp"

namespace nfstreamd {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Steady = std::chrono::steady_clock;

constexpr TimestampNs kNever = std::numeric_limits<TimestampNs>::min();
constexpr TimestampNs kForever = std::numeric_limits<TimestampNs>::max();

std::optional<DuplicateFilter> make_filter(const MergeOptions& options, int snapshot_length) {
    constexpr int kLongestLinkHeader = 64;
    if (options.deduplicate == milliseconds(0)) return std::nullopt;
    const int octets = std::max(snapshot_length, kLeastDeduplicated) - kLongestLinkHeader;
    return DuplicateFilter(nanoseconds(options.deduplicate).count(), static_cast<std::uint32_t>(octets),
                           random_words<4>());
}

void add_text(std::string& list, const std::string& text) {
    if (list.find(text) == std::string::npos) list += (list.empty() ? "" : ", ") + text;
}

class MergedSource : public PacketSource {
public:
    MergedSource(std::vector<std::unique_ptr<PacketSource>> members, const MergeOptions& options, int snapshot_length)
        : members_(std::move(members)), merger_(members_.size(), make_filter(options, snapshot_length)) {
        publish();
    }

    Status open() override {
        for (const auto& member : members_)
            if (auto status = member->open(); !status) return status;
        publish();
        return ok();
    }
    void finish(FrameSink& sink) noexcept override {
        for (std::size_t i = 0; i < members_.size(); ++i) {
            Intake intake(merger_, i, sink);
            members_[i]->finish(intake);
        }
        merger_.release(kForever, sink);
        publish();
    }
    std::span<const std::unique_ptr<PacketSource>> members() const noexcept override { return members_; }
    std::vector<std::unique_ptr<PacketSource>> release_members() noexcept override { return std::move(members_); }
    const CaptureCounters& counters() const noexcept override { return counters_; }
    Description describe() const override;
    Progress progress() const noexcept override;

    Result<CaptureChange> prepare(const std::string& interface, const CaptureOptions& wanted) const override {
        for (const auto& member : members_)
            if (member->describe().name == interface) return member->prepare(interface, wanted);
        return CaptureChange{wanted};
    }
    void adopt(const std::string& interface, CaptureChange change) override {
        for (const auto& member : members_)
            if (member->describe().name == interface) return member->adopt(interface, std::move(change));
    }
    void look_at_interface() noexcept override {
        for (const auto& member : members_) member->look_at_interface();
        wake();
    }
    void shut() noexcept override {
        for (const auto& member : members_) member->shut();
    }
    bool is_empty() const noexcept override {
        return std::all_of(members_.begin(), members_.end(), [](const auto& member) { return member->is_empty(); });
    }

protected:
    // What a member delivers goes to the merger.
    class Intake final : public FrameSink {
    public:
        // With `in_order` the time of a member does not run back from there.
        Intake(FrameMerger& merger, std::size_t source, FrameSink& out, bool in_order = false,
               TimestampNs from = kNever)
            : newest(from),
              merger_(merger),
              source_(static_cast<std::uint8_t>(source)),
              out_(out),
              in_order_(in_order) {}
        void on_frames(const FrameVector& vector) noexcept override {
            for (RawFrame frame : vector.frames) {
                if (in_order_) frame.timestamp = std::max(frame.timestamp, newest);
                merger_.add(source_, vector, frame, out_);
                newest = std::max(newest, frame.timestamp);
                last = frame.timestamp;
            }
        }
        TimestampNs newest = kNever, last = kNever;  // time of the frames that came

    private:
        FrameMerger& merger_;
        const std::uint8_t source_;
        FrameSink& out_;
        const bool in_order_;
    };

    void publish() noexcept;

    std::vector<std::unique_ptr<PacketSource>> members_;
    FrameMerger merger_;

private:
    CaptureCounters counters_;
};

// The sum over its members, so that it is counted as any source.
void MergedSource::publish() noexcept {
    std::uint64_t up = 1;
    const auto sum = [this](Counter CaptureCounters::*counter) {
        std::uint64_t total = 0;
        for (const auto& member : members_) total += (member->counters().*counter).get();
        (counters_.*counter).set(total);
    };
    for (auto counter : {&CaptureCounters::frames, &CaptureCounters::octets, &CaptureCounters::truncated,
                         &CaptureCounters::filtered, &CaptureCounters::kernel_dropped, &CaptureCounters::unread,
                         &CaptureCounters::interface_dropped, &CaptureCounters::opens, &CaptureCounters::failures})
        sum(counter);
    for (const auto& member : members_) up &= member->counters().up.get();
    counters_.up.set(up);
    counters_.late.set(merger_.counts().late);
    counters_.early.set(merger_.counts().early);
    counters_.duplicates.set(merger_.counts().duplicates);
    counters_.held.set(merger_.held());
}

// Without a name: it has none of its own.
PacketSource::Description MergedSource::describe() const {
    Description all;
    std::string waiting;
    for (const auto& member : members_) {
        const auto one = member->describe();
        if (one.state == "up" || one.state == "reading" || one.state == "finished")
            all.state = all.state.empty() || all.state == "finished" ? one.state : all.state;
        else
            add_text(waiting, one.name + ": " + one.state);
        add_text(all.link_type, one.link_type);
        add_text(all.timestamp_type, one.timestamp_type);
        add_text(all.timestamp_precision, one.timestamp_precision);
    }
    if (!waiting.empty()) all.state = waiting;
    return all;
}

PacketSource::Progress MergedSource::progress() const noexcept {
    Progress sum;
    for (const auto& member : members_) {
        const auto one = member->progress();
        sum.done += one.done;
        sum.total += one.total;
    }
    return sum;
}

// ---- interfaces: a frame leaves when every interface has had the time to deliver what is older

class MergedLinks final : public MergedSource {
public:
    MergedLinks(std::vector<std::unique_ptr<PacketSource>> members, const MergeOptions& options, int snapshot_length)
        : MergedSource(std::move(members), options, snapshot_length),
          window_(options.reorder_window),
          newest_of_(members_.size(), kNever),
          descriptors_(members_.size(), -1) {}

    Result<PollOutcome> poll(FrameSink& sink, milliseconds wait) override {
        auto some = turn(sink);
        if (some && !some.value() && wait.count() > 0) {
            wait_for_frames(wait);
            some = turn(sink);
        }
        if (!some) return some.error();
        return some.value() ? PollOutcome::kFrames : PollOutcome::kIdle;
    }
    void wake() noexcept override { wake_.signal(); }
    unsigned fill_percent() const noexcept override {
        unsigned most = 0;
        for (const auto& member : members_) most = std::max(most, member->fill_percent());
        return most;
    }

private:
    Result<bool> turn(FrameSink& sink);
    void note_time(TimestampNs newest, FrameSink& sink) noexcept;
    TimestampNs present() const noexcept;
    void wait_for_frames(milliseconds wait) noexcept;

    static constexpr int kPollsPerTurn = 4;
    static constexpr nanoseconds kClockStep{1'000'000'000};

    const milliseconds window_;
    WakeEvent wake_;
    TimestampNs newest_ = kNever;  // time stamp
    Steady::time_point newest_came_{};
    std::vector<TimestampNs> newest_of_;
    std::vector<int> descriptors_;
};

// True: frames came or left. What a member has not delivered by its turn was
// captured after the turn began, or is in a block that the kernel has not closed
// yet, which is less than the window old. So all that is older than the window
// was at the beginning is there when the turn ends, and can leave in order.
Result<bool> MergedLinks::turn(FrameSink& sink) {
    const TimestampNs now = present();
    TimestampNs until = now == kNever ? kNever : now - nanoseconds(window_).count(), newest = kNever;
    bool some = false;
    Status failure = ok();
    for (std::size_t i = 0; i < members_.size() && failure; ++i) {
        Intake intake(merger_, i, sink);
        int polls = 0;
        for (bool more = true; more && failure;) {
            auto outcome = members_[i]->poll(intake, milliseconds(0));
            if (!outcome) failure = outcome.error();
            more = outcome && outcome.value() == PollOutcome::kFrames;
            some = some || more;
            if (more && ++polls == kPollsPerTurn) break;
        }
        newest_of_[i] = std::max(newest_of_[i], intake.newest);
        newest = std::max(newest, intake.newest);
        if (polls == kPollsPerTurn) until = std::min(until, newest_of_[i]);  // there is more, younger than this
    }
    some = merger_.release(until, sink) > 0 || some;
    note_time(newest, sink);
    publish();
    if (!failure) return failure.error();
    return some;
}

void MergedLinks::note_time(TimestampNs newest, FrameSink& sink) noexcept {
    if (newest == kNever) return;
    // The clock that stamps packets was set back: what was captured before that is older, whatever it says.
    TimestampNs back = 0;
    if (newest_ != kNever && (__builtin_sub_overflow(newest_, newest, &back) || back > kClockStep.count())) {
        merger_.release(kForever, sink);
        merger_.restart();
        std::fill(newest_of_.begin(), newest_of_.end(), newest);
        newest_ = kNever;
    }
    if (newest <= newest_) return;
    newest_ = newest;
    newest_came_ = Steady::now();
}

// A packet that is captured now has this time stamp or a later one.
TimestampNs MergedLinks::present() const noexcept {
    if (newest_ == kNever) return kNever;
    TimestampNs sum = 0;
    const TimestampNs since = nanoseconds(Steady::now() - newest_came_).count();
    return __builtin_add_overflow(newest_, since, &sum) ? kForever : sum;
}

// Until an interface has frames, or the oldest that is held may leave.
void MergedLinks::wait_for_frames(milliseconds wait) noexcept {
    if (!merger_.empty()) {
        TimestampNs ahead = 0;  // of the present, by its time stamp
        if (__builtin_sub_overflow(merger_.oldest(), present(), &ahead)) ahead = 0;
        const auto left = std::chrono::ceil<milliseconds>(nanoseconds(std::min(ahead, kClockStep.count()))) + window_;
        wait = std::clamp(left, milliseconds(0), wait);
    }
    for (std::size_t i = 0; i < members_.size(); ++i) descriptors_[i] = members_[i]->descriptor();
    wake_.wait(descriptors_, wait);
}

// ---- files: a frame leaves when every file has been read up to its time

class MergedFiles final : public MergedSource {
public:
    MergedFiles(std::vector<std::unique_ptr<PacketSource>> members, const MergeOptions& options, int snapshot_length)
        : MergedSource(std::move(members), options, snapshot_length),
          lookahead_(nanoseconds(options.deduplicate).count()),
          read_to_(members_.size(), kNever),
          newest_(members_.size(), kNever) {}

    Result<PollOutcome> poll(FrameSink& sink, milliseconds wait) override {
        auto outcome = read(sink, wait);
        publish();
        return outcome;
    }
    void wake() noexcept override {
        for (const auto& member : members_) member->wake();
    }

private:
    Result<PollOutcome> read(FrameSink& sink, milliseconds wait);

    static constexpr int kReadsPerPoll = 64;

    const TimestampNs lookahead_;       // copies of a frame are awaited so long
    std::vector<TimestampNs> read_to_;  // kForever at the end of a file
    std::vector<TimestampNs> newest_;   // time of each file
};

Result<PollOutcome> MergedFiles::read(FrameSink& sink, milliseconds wait) {
    bool some = false;
    for (int reads = 0; reads < kReadsPerPoll; ++reads) {
        // the file that the others wait for
        const auto behind = std::min_element(read_to_.begin(), read_to_.end());
        if (*behind == kForever) {
            some = merger_.release(kForever, sink) > 0 || some;
            return some ? PollOutcome::kFrames : PollOutcome::kEnd;
        }
        const auto index = static_cast<std::size_t>(behind - read_to_.begin());
        // as where one file is read alone: its frames keep their order, whatever their times are
        Intake intake(merger_, index, sink, true, newest_[index]);
        auto outcome = members_[index]->poll(intake, some ? milliseconds(0) : wait);
        if (!outcome) return outcome.error();
        if (outcome.value() == PollOutcome::kIdle) return some ? PollOutcome::kFrames : PollOutcome::kIdle;
        if (outcome.value() == PollOutcome::kEnd) *behind = kForever;
        newest_[index] = intake.newest;
        if (intake.last != kNever) *behind = std::min(intake.last, kForever - 1);
        some = true;
        const TimestampNs read_to = *std::min_element(read_to_.begin(), read_to_.end());
        TimestampNs until = 0;
        if (__builtin_sub_overflow(read_to, read_to == kForever ? 0 : lookahead_, &until)) continue;
        merger_.release(until, sink);
    }
    return PollOutcome::kFrames;
}

}  // namespace

// The kernel looks at its clock now and then only, in ticks of up to 10 ms.
milliseconds block_timeout(const MergeOptions& options) {
    return std::clamp(options.reorder_window / 4, milliseconds(1), CaptureOptions{}.block_timeout);
}

std::unique_ptr<PacketSource> make_merged_links(std::vector<std::unique_ptr<PacketSource>> members,
                                                const MergeOptions& options, int snapshot_length) {
    return std::make_unique<MergedLinks>(std::move(members), options, snapshot_length);
}

std::unique_ptr<PacketSource> make_merged_files(std::vector<std::unique_ptr<PacketSource>> members,
                                                const MergeOptions& options, int snapshot_length) {
    return std::make_unique<MergedFiles>(std::move(members), options, snapshot_length);
}

}  // namespace nfstreamd
