// SPDX-License-Identifier: Apache-2.0
#include <linux/filter.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "core/base/ip_address.hpp"
#include "core/base/wake_event.hpp"
#include "core/capture/fanout.hpp"
#include "core/capture/frame_batch.hpp"
#include "core/capture/link_type.hpp"
#include "core/capture/live_handle.hpp"
#include "core/capture/packet_source.hpp"
#include "core/capture/timestamp.hpp"

namespace nfstreamd {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kPacketsPerPoll = 64 * kFrameVectorSize;
constexpr milliseconds kFirstRetry{500}, kLastRetry{10'000};
constexpr std::chrono::seconds kStatisticsPeriod{1};

std::string available_interfaces() {
    auto interfaces = list_interfaces();
    if (!interfaces) return {};
    std::string text;
    for (const auto& interface : interfaces.value()) text += (text.empty() ? "" : ", ") + interface.name;
    return text;
}

// What the kernel tells of an interface by its name.
class LinkQuery {
public:
    explicit LinkQuery(const std::string& interface) noexcept
        : known_(interface.size() < sizeof request_.ifr_name),
          descriptor_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        if (known_) std::memcpy(request_.ifr_name, interface.data(), interface.size());
    }
    ~LinkQuery() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    LinkQuery(const LinkQuery&) = delete;
    LinkQuery& operator=(const LinkQuery&) = delete;

    MacAddress hardware_address() noexcept {
        MacAddress address{};
        if (ask(SIOCGIFHWADDR)) std::memcpy(address.data(), request_.ifr_hwaddr.sa_data, address.size());
        return address;
    }
    std::uint32_t mtu() noexcept { return ask(SIOCGIFMTU) ? static_cast<std::uint32_t>(request_.ifr_mtu) : 0; }
    bool is_down() noexcept { return ask(SIOCGIFFLAGS) && (request_.ifr_flags & IFF_UP) == 0; }

private:
    bool ask(unsigned long what) noexcept {
        return known_ && descriptor_ >= 0 && ::ioctl(descriptor_, what, &request_) == 0;
    }

    ifreq request_{};
    const bool known_;
    const int descriptor_;
};

std::string name_of(unsigned index) {
    char name[IF_NAMESIZE] = "";
    return ::if_indextoname(index, name) != nullptr ? name : std::string();
}

class LiveSource final : public PacketSource {
public:
    LiveSource(std::string interface, CaptureOptions options, Logger& logger, FanoutMember fanout)
        : interface_(std::move(interface)), options_(std::move(options)), logger_(logger), fanout_(std::move(fanout)) {
        if (!fanout_.group) fanout_.group = make_fanout_group(interface_, options_, 1);
        description_.name = interface_;
        description_.state = "closed";
    }
    ~LiveSource() override { close(); }

    Status open() override;
    Result<PollOutcome> poll(FrameSink& sink, milliseconds wait) override;
    void wake() noexcept override { wake_.signal(); }
    void finish(FrameSink&) noexcept override {
        if (live_.pcap_handle) read_statistics();
    }
    int descriptor() const noexcept override { return descriptor_; }
    unsigned fill_percent() const noexcept override;
    const CaptureCounters& counters() const noexcept override { return counters_; }
    Description describe() const override;
    MacAddress hardware_address() const noexcept override;

    Result<CaptureChange> prepare(const std::string& interface, const CaptureOptions& wanted) const override;
    void adopt(const std::string& interface, CaptureChange change) override;
    void look_at_interface() noexcept override {
        link_changed_ = true;
        wake_.signal();
    }
    void shut() noexcept override;
    bool is_empty() const noexcept override;

private:
    Status reopen();
    void use(LiveHandle handle);
    void publish_up();
    void publish_link();
    Status look_at_link();
    Result<PollOutcome> leave_ring(FrameSink& sink);
    Result<PollOutcome> empty_replaced(FrameSink& sink, milliseconds wait);

    Result<PollOutcome> capture(FrameSink& sink, milliseconds wait);
    Result<PollOutcome> wait_for_interface(FrameSink& sink, milliseconds wait);
    Result<PollOutcome> leave(const Error& reason, milliseconds wait);
    int dispatch(FrameSink& sink, LiveHandle& handle);
    int dispatch_by_libpcap();
    static void take(u_char* self, const pcap_pkthdr* header, const u_char* data) noexcept;
    void deliver() noexcept;
    void deliver(std::span<const RawFrame> frames) noexcept;
    milliseconds longest_delay() const noexcept { return 4 * options_.block_timeout; }

    Status lose(const Error& reason);
    bool is_lost_to_group() const noexcept { return fanout_.group->is_lost(live_); }
    bool speaks() const noexcept { return fanout_.index == 0; }  // for all members of its group
    void close();
    void read_statistics();
    void count(LiveHandle& handle);

    struct Replaced {
        LiveHandle handle;
        std::shared_ptr<FanoutGroup> group;
        steady_clock::time_point until;  // whatever the kernel says
    };

    const std::string interface_;
    CaptureOptions options_;  // changed under handle_mutex_
    Logger& logger_;
    FanoutMember fanout_;
    CaptureCounters counters_;
    WakeEvent wake_;

    mutable std::mutex handle_mutex_;   // the metering thread changes live_ under it, others read it under it
    LiveHandle live_;                   // without a handle while waiting for the interface
    std::optional<Replaced> replaced_;  // what it holds comes first
    int descriptor_ = -1;
    bool shut_ = false;
    bool keeping_ = false, left_ = false;  // the ring is the next process's
    steady_clock::time_point empty_by_{};  // without a ring that tells: when it is shut
    FrameSink* sink_ = nullptr;            // during dispatch
    LiveHandle* from_ = nullptr;           // the same
    FrameBatch batch_;

    bool waiting_told_ = false;  // that the interface is away, in the log
    milliseconds back_off_ = kFirstRetry;
    steady_clock::time_point next_try_{}, next_statistics_{};
    std::optional<steady_clock::time_point> leaves_by_;  // lost, and its ring is being emptied
    bool overflows_ = false;                             // between the last two looks at the statistics
    std::atomic<bool> link_changed_{false};
    bool down_ = false;
    std::string other_name_;  // that the interface has been given

    mutable std::mutex description_mutex_;
    Description description_;
    MacAddress hardware_address_{};
};

// ---- opening

Status LiveSource::open() {
    if (auto status = check_live_options(interface_, options_); !status) return status;
    auto status = reopen();
    if (status) return status;
    // Only an absent interface may come later; the rest is for the operator.
    if (status.error().code != ErrorCode::kUnavailable) return status;
    return lose(status.error());
}

Status LiveSource::reopen() {
    auto handle = fanout_.group->take(fanout_.index, logger_);
    if (!handle) return handle.error();
    use(std::move(handle.value()));
    return ok();
}

void LiveSource::use(LiveHandle handle) {
    {
        const std::lock_guard lock(handle_mutex_);
        live_ = std::move(handle);
    }
    descriptor_ = live_.descriptor();
    next_statistics_ = steady_clock::now() + kStatisticsPeriod;
    back_off_ = kFirstRetry;
    waiting_told_ = false;
    leaves_by_.reset();
    other_name_.clear();
    if (shut_) shut();
    counters_.opens.add();
    counters_.up.set(1);
    publish_up();
}

void LiveSource::publish_up() {
    const std::string precision = live_.nanoseconds ? "nano" : "micro";
    if (speaks())
        logger_.info("capture started", {{"interface", interface_},
                                         {"link_type", link_type_name(live_.link_type)},
                                         {"snapshot_length", pcap_snapshot(live_.pcap_handle.get())},
                                         {"timestamp_type", live_.timestamp_type},
                                         {"timestamp_precision", precision}});
    down_ = false;
    LinkQuery link(interface_);
    const std::lock_guard lock(description_mutex_);
    description_.interface_index = ::if_nametoindex(interface_.c_str());
    description_.state = "up";
    description_.mtu = link.mtu();
    description_.link_type = link_type_name(live_.link_type);
    description_.timestamp_type = live_.timestamp_type;
    description_.timestamp_precision = precision;
    description_.ring_octets = live_.ring ? live_.ring->octets() : 0;
    hardware_address_ = link.hardware_address();
}

// ---- a reload

Result<CaptureChange> LiveSource::prepare(const std::string& interface, const CaptureOptions& wanted) const {
    CaptureChange change{wanted};
    if (interface != interface_) return change;
    if (auto status = check_live_options(interface_, wanted); !status) return status.error();
    const std::lock_guard lock(handle_mutex_);
    if (!live_ || wanted.bpf_filter == options_.bpf_filter) return change;
    change.needs_ring = true;
    if (!live_.ring) return change;
    auto program = compile_live_filter(live_, options_, wanted, interface_);
    if (!program) return program.error();
    if (program.value().empty()) return change;
    change.needs_ring = false;
    change.filter = std::make_shared<const FilterProgram>(std::move(program.value()));
    return change;
}

void LiveSource::adopt(const std::string& interface, CaptureChange change) {
    if (interface != interface_) return;
    {
        const std::lock_guard lock(handle_mutex_);
        options_ = std::move(change.options);
    }
    if (!change.successor.group) {
        fanout_.group->set_filter(options_.bpf_filter, options_.required);
        if (!live_ || !change.filter) return;
        if (auto attached = attach_filter(live_, *change.filter, interface_); !attached)
            logger_.error("filter not changed", {{"interface", interface_}, {"error", attached.error().message}});
        return;
    }
    if (live_) {
        const std::lock_guard lock(handle_mutex_);
        replaced_.emplace(Replaced{std::move(live_), fanout_.group, steady_clock::now() + longest_delay()});
        live_ = {};
    }
    if (speaks()) counters_.unread.add(fanout_.group->take_missed());
    fanout_ = std::move(change.successor);
    next_try_ = {};
    counters_.up.set(replaced_ ? 1 : 0);
    if (!fanout_.group->is_open()) return;                                         // as soon as the interface is there
    if (auto status = reopen(); !status) static_cast<void>(lose(status.error()));  // of a required one poll() tells
}

// Packets that came before the switch, which its group has made: they come before those of live_.
Result<PollOutcome> LiveSource::empty_replaced(FrameSink& sink, milliseconds wait) {
    LiveHandle& old = replaced_->handle;
    if (dispatch(sink, old) > 0) {
        replaced_->until = steady_clock::now() + longest_delay();
        return PollOutcome::kFrames;
    }
    count(old);
    const bool known = old.ring != nullptr;
    if ((!known || old.unread() > 0) && steady_clock::now() < replaced_->until) {
        if (wait.count() > 0) wake_.wait(old.descriptor(), std::min(wait, milliseconds(10)));
        return PollOutcome::kIdle;
    }
    counters_.unread.add(old.unread());
    replaced_->group->give_back(std::move(old));
    replaced_.reset();
    return PollOutcome::kIdle;
}

bool LiveSource::is_empty() const noexcept {
    if (replaced_) return false;
    if (keeping_) return left_;
    return !shut_ || !live_ || (live_.ring ? live_.unread() == 0 : steady_clock::now() >= empty_by_);
}

void LiveSource::shut() noexcept {
    shut_ = true;
    if (live_ && live_.ring && fanout_.group->keeps()) {
        keeping_ = true;
        return;
    }
    empty_by_ = steady_clock::now() + longest_delay() / 2;
    if (!live_) return;
    if (auto closed = close_filter(live_, interface_); !closed)
        logger_.warning("capture not closed", {{"interface", interface_}, {"error", closed.error().message}});
    count(live_);
}

// What comes after the block that is being read is for the process that follows.
Result<PollOutcome> LiveSource::leave_ring(FrameSink& sink) {
    if (left_) return PollOutcome::kIdle;
    sink_ = &sink;
    from_ = &live_;
    for (auto frames = live_.ring->next_of_block(); !frames.empty(); frames = live_.ring->next_of_block())
        deliver(frames);
    read_statistics();
    fanout_.group->leave(fanout_.index, live_);
    left_ = true;
    return PollOutcome::kIdle;
}

// ---- capturing

Result<PollOutcome> LiveSource::poll(FrameSink& sink, milliseconds wait) {
    if (replaced_) return empty_replaced(sink, wait);
    if (keeping_) return leave_ring(sink);
    return live_ ? capture(sink, wait) : wait_for_interface(sink, wait);
}

Result<PollOutcome> LiveSource::capture(FrameSink& sink, milliseconds wait) {
    if (is_lost_to_group()) {
        // what its ring holds still counts, unless the group has opened anew and has it, too
        while (!fanout_.group->is_open() && dispatch(sink, live_) > 0) {
        }
        const Error reason{ErrorCode::kUnavailable, "another meter lost the interface", interface_};
        if (auto status = lose(reason); !status) return status.error();
        return PollOutcome::kIdle;
    }
    Status link = ok();
    if (steady_clock::now() >= next_statistics_) {
        read_statistics();
        link = look_at_link();
    } else if (link_changed_.exchange(false)) {
        link = look_at_link();
    }
    int count = dispatch(sink, live_);
    if (count == 0 && link && wait.count() > 0 && wake_.wait(descriptor_, wait)) count = dispatch(sink, live_);
    if (count > 0) return PollOutcome::kFrames;
    if (count < 0)
        link = Error{ErrorCode::kUnavailable, libpcap_error_text(live_.pcap_handle.get(), count), interface_};
    else if (link && live_.ring)
        link = check_link(live_, interface_);
    if (link) {
        if (shut_) read_statistics();
        return PollOutcome::kIdle;
    }
    return leave(link.error(), wait);
}

// The last packets are in a block that the kernel has not handed over yet.
Result<PollOutcome> LiveSource::leave(const Error& reason, milliseconds wait) {
    const auto now = steady_clock::now();
    if (!leaves_by_) leaves_by_ = now + longest_delay();
    read_statistics();
    if (live_.unread() > 0 && now < *leaves_by_) {
        wake_.wait(-1, std::min(wait, milliseconds(5)));
        link_changed_ = true;
        return PollOutcome::kIdle;
    }
    if (auto status = lose(reason); !status) return status.error();
    return PollOutcome::kIdle;
}

// How many frames there were, or an error of libpcap's.
int LiveSource::dispatch(FrameSink& sink, LiveHandle& handle) {
    sink_ = &sink;
    from_ = &handle;
    if (!handle.ring) return dispatch_by_libpcap();
    int count = 0;
    while (count < kPacketsPerPoll) {
        const auto frames = handle.ring->next();
        if (frames.empty()) break;
        count += static_cast<int>(frames.size());
        deliver(frames);
    }
    return count;
}

void LiveSource::deliver(std::span<const RawFrame> frames) noexcept {
    std::uint64_t octets = 0, truncated = 0;
    for (const RawFrame& frame : frames) {
        octets += frame.wire_length;
        truncated += frame.captured_length < frame.wire_length;
    }
    counters_.frames.add(frames.size());
    counters_.octets.add(octets);
    counters_.truncated.add(truncated);
    sink_->on_frames({frames, from_->link_type, options_.checksum});
}

// Inside, libpcap gives ring blocks back to the kernel: frames are copied out.
int LiveSource::dispatch_by_libpcap() {
    const int count =
        pcap_dispatch(from_->pcap_handle.get(), kPacketsPerPoll, &LiveSource::take, reinterpret_cast<u_char*>(this));
    if (!batch_.empty()) deliver();
    return count;
}

void LiveSource::take(u_char* self, const pcap_pkthdr* header, const u_char* data) noexcept {
    auto& source = *reinterpret_cast<LiveSource*>(self);
    const std::int64_t fraction_ns = std::int64_t{header->ts.tv_usec} * (source.from_->nanoseconds ? 1 : 1000);
    const TimestampNs timestamp = to_timestamp(header->ts.tv_sec, fraction_ns);
    const RawFrame frame{timestamp, data, header->caplen, header->len};
    if (!source.batch_.add(frame)) {
        source.deliver();
        source.batch_.add(frame);
    }
}

void LiveSource::deliver() noexcept {
    deliver(batch_.frames());
    batch_.clear();
}

// ---- loss and return

Result<PollOutcome> LiveSource::wait_for_interface(FrameSink& sink, milliseconds wait) {
    const bool opened_by_another = fanout_.group->is_open();
    const auto look = [this] {
        if (!link_changed_.exchange(false)) return;
        next_try_ = {};
        back_off_ = kFirstRetry;
    };
    look();
    const auto left = std::chrono::ceil<milliseconds>(next_try_ - steady_clock::now());
    if (left.count() > 0 && !opened_by_another) {
        wake_.wait(-1, std::min(wait, left));
        look();
    }
    if (steady_clock::now() < next_try_ && !opened_by_another) return PollOutcome::kIdle;
    auto status = reopen();
    if (status) return capture(sink, milliseconds(0));
    if (status.error().code == ErrorCode::kPermission) return status.error();
    if (auto lost = lose(status.error()); !lost) return lost.error();
    return PollOutcome::kIdle;
}

// The interface is away: an error when it is required, else the next try is set.
Status LiveSource::lose(const Error& reason) {
    counters_.failures.add();
    if (live_) fanout_.group->lose(live_);
    close();
    if (options_.required) {
        return Error{
            ErrorCode::kUnavailable,
            "required interface is not available: " + reason.message + " (available: " + available_interfaces() + ")",
            interface_};
    }
    if (!std::exchange(waiting_told_, true) && speaks()) {
        logger_.warning("interface not available, trying again until it is",
                        {{"interface", interface_}, {"error", reason.message}});
    }
    next_try_ = steady_clock::now() + back_off_;
    back_off_ = std::min(back_off_ * 2, kLastRetry);
    const std::lock_guard lock(description_mutex_);
    description_.state =
        other_name_.empty() ? "waiting: " + reason.message : "waiting: The interface is called " + other_name_ + " now";
    return ok();
}

void LiveSource::close() {
    if (replaced_) {
        count(replaced_->handle);
        counters_.unread.add(replaced_->handle.unread());
        replaced_->group->give_back(std::move(replaced_->handle));
        replaced_.reset();
    }
    if (!live_) return;
    read_statistics();
    if (!left_) counters_.unread.add(live_.unread());
    const std::lock_guard lock(handle_mutex_);
    fanout_.group->give_back(std::exchange(live_, {}));
    live_ = {};
    descriptor_ = -1;
    counters_.up.set(0);
}

void LiveSource::read_statistics() {
    if (left_) return;  // the kernel counts from one look to the next, and the next one is the following process's
    next_statistics_ = steady_clock::now() + kStatisticsPeriod;
    const auto dropped = counters_.kernel_dropped.get();
    count(live_);
    overflows_ = counters_.kernel_dropped.get() != dropped;
}

void LiveSource::count(LiveHandle& handle) {
    const LiveStatistics added = look_at_statistics(handle);
    counters_.kernel_dropped.add(added.dropped);
    if (!speaks()) return;
    // these are not of one member
    counters_.interface_dropped.add(added.interface_dropped);
    counters_.unread.add(fanout_.group->take_missed());
}

// ---- what becomes of the interface

// kUnavailable: its name is another one's, or nobody's, by now.
Status LiveSource::look_at_link() {
    link_changed_ = false;
    if (interface_ == "any") return ok();
    const auto known = [this] {
        const std::lock_guard lock(description_mutex_);
        return description_.interface_index;
    }();
    const auto index = ::if_nametoindex(interface_.c_str());
    if (index == known || known == 0) {
        publish_link();
        return ok();
    }
    const auto present = name_of(known);
    if (present.empty() || present == interface_)
        return Error{ErrorCode::kUnavailable, "The interface disappeared", interface_};
    other_name_ = present;
    return Error{ErrorCode::kUnavailable, "The interface is called " + present + " now", interface_};
}

// Each change is told once; its ring stays.
void LiveSource::publish_link() {
    LinkQuery link(interface_);
    const bool down = link.is_down();
    const auto mtu = link.mtu();
    const auto mtu_before = [&] {
        const std::lock_guard lock(description_mutex_);
        description_.state = down ? "down" : "up";
        return std::exchange(description_.mtu, mtu);
    }();
    if (std::exchange(down_, down) != down && speaks())
        down ? logger_.warning("interface is down", {{"interface", interface_}})
             : logger_.info("interface is up again", {{"interface", interface_}});
    if (mtu != mtu_before && speaks())
        logger_.info("MTU of the interface changed", {{"interface", interface_}, {"mtu", mtu}, {"before", mtu_before}});
}

// Of a buffer that libpcap reads only this is known: that it has been too small.
unsigned LiveSource::fill_percent() const noexcept {
    if (!live_) return 0;
    if (live_.ring) return live_.ring->fill_percent();
    return overflows_ ? 100 : 0;
}

PacketSource::Description LiveSource::describe() const {
    const std::lock_guard lock(description_mutex_);
    return description_;
}

MacAddress LiveSource::hardware_address() const noexcept {
    const std::lock_guard lock(description_mutex_);
    return hardware_address_;
}

}  // namespace

bool same_ring(const CaptureOptions& a, const CaptureOptions& b) {
    CaptureOptions other = b;
    other.bpf_filter = a.bpf_filter;
    other.checksum = a.checksum;
    other.required = a.required;
    return a == other;
}

std::unique_ptr<PacketSource> make_live_source(std::string interface, CaptureOptions options, Logger& logger,
                                               FanoutMember fanout) {
    return std::make_unique<LiveSource>(std::move(interface), std::move(options), logger, std::move(fanout));
}

std::shared_ptr<FanoutGroup> make_fanout_group(std::string interface, CaptureOptions options, unsigned members) {
    return std::make_shared<FanoutGroup>(std::move(interface), std::move(options), members);
}

}  // namespace nfstreamd
