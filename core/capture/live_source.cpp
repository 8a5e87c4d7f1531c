// SPDX-License-Identifier: Apache-2.0
#include <net/if.h>
#include <pcap/pcap.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>
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

MacAddress read_hardware_address(const std::string& interface) noexcept {
    MacAddress address{};
    ifreq request{};
    if (interface.size() >= sizeof request.ifr_name) return address;
    std::memcpy(request.ifr_name, interface.data(), interface.size());
    const int descriptor = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return address;
    if (::ioctl(descriptor, SIOCGIFHWADDR, &request) == 0) {
        std::memcpy(address.data(), request.ifr_hwaddr.sa_data, address.size());
    }
    ::close(descriptor);
    return address;
}

class LiveSource final : public PacketSource {
public:
    LiveSource(std::string interface, CaptureOptions options, Logger& logger, FanoutMember fanout)
        : interface_(std::move(interface)), options_(std::move(options)), logger_(logger), fanout_(std::move(fanout)) {
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

private:
    Status reopen();
    void publish_up();

    Result<PollOutcome> capture(FrameSink& sink, milliseconds wait);
    Result<PollOutcome> wait_for_interface(FrameSink& sink, milliseconds wait);
    int dispatch();
    int dispatch_by_libpcap();
    static void take(u_char* self, const pcap_pkthdr* header, const u_char* data) noexcept;
    void deliver() noexcept;
    void deliver(std::span<const RawFrame> frames) noexcept;

    Status lose(const Error& reason);
    bool is_lost_to_group() const noexcept { return fanout_.group && fanout_.group->is_lost(live_); }
    bool speaks() const noexcept { return fanout_.index == 0; }  // for all members of its group
    void close();
    void read_statistics();

    const std::string interface_;
    const CaptureOptions options_;
    Logger& logger_;
    const FanoutMember fanout_;
    CaptureCounters counters_;
    WakeEvent wake_;

    LiveHandle live_;  // without a handle while waiting for the interface
    int descriptor_ = -1;
    FrameSink* sink_ = nullptr;  // during dispatch
    FrameBatch batch_;

    bool waiting_told_ = false;  // that the interface is away, in the log
    milliseconds back_off_ = kFirstRetry;
    steady_clock::time_point next_try_{}, next_statistics_{};
    std::uint32_t last_dropped_ = 0, last_interface_dropped_ = 0;  // as of live_
    bool overflows_ = false;                                       // between the last two looks at the statistics

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
    auto handle =
        fanout_.group ? fanout_.group->take(fanout_.index, logger_) : open_live_handle(interface_, options_, logger_);
    if (!handle) return handle.error();
    live_ = std::move(handle.value());
    descriptor_ = pcap_get_selectable_fd(live_.pcap_handle.get());
    last_dropped_ = last_interface_dropped_ = 0;
    next_statistics_ = steady_clock::now() + kStatisticsPeriod;
    back_off_ = kFirstRetry;
    waiting_told_ = false;
    counters_.opens.add();
    counters_.up.set(1);
    publish_up();
    return ok();
}

void LiveSource::publish_up() {
    const std::string precision = live_.nanoseconds ? "nano" : "micro";
    if (speaks())
        logger_.info("capture started", {{"interface", interface_},
                                         {"link_type", link_type_name(live_.link_type)},
                                         {"snapshot_length", pcap_snapshot(live_.pcap_handle.get())},
                                         {"timestamp_type", live_.timestamp_type},
                                         {"timestamp_precision", precision}});
    const std::lock_guard lock(description_mutex_);
    description_.interface_index = ::if_nametoindex(interface_.c_str());
    description_.state = "up";
    description_.link_type = link_type_name(live_.link_type);
    description_.timestamp_type = live_.timestamp_type;
    description_.timestamp_precision = precision;
    description_.ring_octets = live_.ring ? live_.ring->octets() : 0;
    hardware_address_ = read_hardware_address(interface_);
}

// ---- capturing

Result<PollOutcome> LiveSource::poll(FrameSink& sink, milliseconds wait) {
    return live_.pcap_handle ? capture(sink, wait) : wait_for_interface(sink, wait);
}

Result<PollOutcome> LiveSource::capture(FrameSink& sink, milliseconds wait) {
    if (is_lost_to_group()) {
        sink_ = &sink;  // what its ring holds still counts, unless the group has opened anew and has it, too
        while (!fanout_.group->is_open() && dispatch() > 0) {
        }
        sink_ = nullptr;
        const Error reason{ErrorCode::kUnavailable, "another meter lost the interface", interface_};
        if (auto status = lose(reason); !status) return status.error();
        return PollOutcome::kIdle;
    }
    if (steady_clock::now() >= next_statistics_) read_statistics();
    sink_ = &sink;
    int count = dispatch();
    if (count == 0 && wait.count() > 0 && wake_.wait(descriptor_, wait)) count = dispatch();
    sink_ = nullptr;
    if (count > 0) return PollOutcome::kFrames;
    const Status link =
        count < 0    ? Error{ErrorCode::kUnavailable, libpcap_error_text(live_.pcap_handle.get(), count), interface_}
        : live_.ring ? check_link(live_, interface_)
                     : ok();
    if (link) return PollOutcome::kIdle;
    if (auto status = lose(link.error()); !status) return status.error();
    return PollOutcome::kIdle;
}

// How many frames there were, or an error of libpcap's.
int LiveSource::dispatch() {
    if (!live_.ring) return dispatch_by_libpcap();
    int count = 0;
    while (count < kPacketsPerPoll) {
        const auto frames = live_.ring->next();
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
    sink_->on_frames({frames, live_.link_type, options_.checksum});
}

// Inside, libpcap gives ring blocks back to the kernel: frames are copied out.
int LiveSource::dispatch_by_libpcap() {
    const int count =
        pcap_dispatch(live_.pcap_handle.get(), kPacketsPerPoll, &LiveSource::take, reinterpret_cast<u_char*>(this));
    if (!batch_.empty()) deliver();
    return count;
}

void LiveSource::take(u_char* self, const pcap_pkthdr* header, const u_char* data) noexcept {
    auto& source = *reinterpret_cast<LiveSource*>(self);
    const std::int64_t fraction_ns = std::int64_t{header->ts.tv_usec} * (source.live_.nanoseconds ? 1 : 1000);
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
    const bool opened_by_another = fanout_.group && fanout_.group->is_open();
    const auto left = std::chrono::ceil<milliseconds>(next_try_ - steady_clock::now());
    if (left.count() > 0 && !opened_by_another) wake_.wait(-1, std::min(wait, left));
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
    if (fanout_.group && live_.pcap_handle) fanout_.group->lose(live_);
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
    description_.state = "waiting: " + reason.message;
    return ok();
}

void LiveSource::close() {
    if (!live_.pcap_handle) return;
    read_statistics();
    if (fanout_.group) fanout_.group->give_back(std::exchange(live_, {}));
    live_ = {};
    descriptor_ = -1;
    counters_.up.set(0);
}

// 32 bits per handle, may wrap: differences modulo 2^32 are added up.
void LiveSource::read_statistics() {
    next_statistics_ = steady_clock::now() + kStatisticsPeriod;
    pcap_stat statistics{};
    if (pcap_stats(live_.pcap_handle.get(), &statistics) != 0) return;
    overflows_ = statistics.ps_drop != last_dropped_;
    counters_.kernel_dropped.add(static_cast<std::uint32_t>(statistics.ps_drop - last_dropped_));
    // the driver's are not of one member
    if (speaks())
        counters_.interface_dropped.add(static_cast<std::uint32_t>(statistics.ps_ifdrop - last_interface_dropped_));
    last_dropped_ = statistics.ps_drop;
    last_interface_dropped_ = statistics.ps_ifdrop;
}

// Of a buffer that libpcap reads only this is known: that it has been too small.
unsigned LiveSource::fill_percent() const noexcept {
    if (!live_.pcap_handle) return 0;
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

std::unique_ptr<PacketSource> make_live_source(std::string interface, CaptureOptions options, Logger& logger,
                                               FanoutMember fanout) {
    return std::make_unique<LiveSource>(std::move(interface), std::move(options), logger, std::move(fanout));
}

std::shared_ptr<FanoutGroup> make_fanout_group(std::string interface, CaptureOptions options, unsigned members) {
    return std::make_shared<FanoutGroup>(std::move(interface), std::move(options), members);
}

}  // namespace nfstreamd
