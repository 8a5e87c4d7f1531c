// SPDX-License-Identifier: Apache-2.0
#include "core/capture/fanout.hpp"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace nfstreamd {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLongestEmptying{300};

// What came before the filter was closed is no share of the member. In a ring that
// we read it is passed over; libpcap shows it when the kernel hands over a block,
// up to two periods later.
Status empty(LiveHandle& capture, const std::string& interface, steady_clock::time_point deadline) {
    look_at_statistics(capture);
    const std::uint64_t waiting = capture.statistics.received - capture.statistics.dropped;
    if (capture.ring) {
        capture.ring->skip(waiting);
        return ok();
    }
    pcap* const handle = capture.pcap_handle.get();
    for (std::uint64_t seen = 0;;) {
        const int count = pcap_dispatch(
            handle, -1, [](u_char*, const pcap_pkthdr*, const u_char*) {}, nullptr);
        if (count < 0) return Error{ErrorCode::kUnavailable, libpcap_error_text(handle, count), interface};
        seen += static_cast<std::uint64_t>(count);
        if (count > 0) continue;
        // on `lo` libpcap leaves out half of what it counts: there the deadline ends it
        if (seen >= waiting || steady_clock::now() >= deadline) return ok();
        pollfd ready{pcap_get_selectable_fd(handle), POLLIN, 0};
        ::poll(&ready, 1, 10);
    }
}

std::vector<int> descriptors_of(const std::vector<LiveHandle>& handles) {
    std::vector<int> descriptors;
    for (const auto& handle : handles) descriptors.push_back(handle.descriptor());
    return descriptors;
}

// None of them gets packets (any more).
void close_all(KernelFanout& kernel, std::vector<LiveHandle>& handles) {
    std::vector<std::pair<int, std::function<void()>>> leaving;
    for (auto& handle : handles)
        if (handle) leaving.emplace_back(handle.descriptor(), [&handle] { handle = {}; });
    kernel.leave(std::move(leaving));
}

}  // namespace

FanoutGroup::~FanoutGroup() {
    if (before_ && kernel_) close_all(*kernel_, waiting_);
}

Result<LiveHandle> FanoutGroup::take(unsigned member, Logger& logger) {
    const std::lock_guard lock(mutex_);
    if (is_replaced_) return Error{ErrorCode::kUnavailable, "its capture has been replaced", interface_};
    if (!is_open() || !waiting_[member]) {
        present_.store(0, std::memory_order_release);
        if (open_left(logger)) {
            ++taken_;
            return std::move(waiting_[member]);
        }
        if (auto status = open(std::make_shared<KernelFanout>(), logger); !status) return status.error();
    }
    ++taken_;
    return std::move(waiting_[member]);
}

// Each is closed to packets until all have joined, by its filter or, beside others, by their program.
Status FanoutGroup::open(std::shared_ptr<KernelFanout> kernel, Logger& logger) {
    waiting_.clear();
    returned_.clear();
    taken_ = 0;
    const bool beside_others = kernel->members() > 0;
    CaptureOptions unfiltered = options_;
    unfiltered.bpf_filter.clear();
    std::vector<LiveHandle> handles;
    for (unsigned i = 0; i < members_; ++i) {
        auto handle = open_live_handle(interface_, unfiltered, logger);
        if (!handle) return handle.error();
        handles.push_back(std::move(handle.value()));
        handles.back().opening = openings_ + 1;
        if (auto status = close_filter(handles.back(), interface_); !status) return status;
    }
    const auto deadline = steady_clock::now() + kLongestEmptying;
    for (auto& handle : handles)
        if (auto status = empty(handle, interface_, deadline); !status) return status;
    bool joined = !beside_others || kernel->fill_up_to(members_);
    for (const auto& handle : handles) joined = joined && kernel->join(handle.descriptor());
    if (joined && !beside_others) joined = kernel->direct_to(descriptors_of(handles));
    if (!joined) {
        const auto error = system_error("share the packets between captures", interface_);
        if (beside_others) close_all(*kernel, handles);
        if (members_ > 1 || beside_others || error.code != ErrorCode::kUnavailable ||
            (interface_ != "any" && ::if_nametoindex(interface_.c_str()) == 0))
            return error;
        kernel = nullptr;  // an old kernel: alone it captures all the same
    }
    for (auto& handle : handles) {
        auto status = open_filter(handle, options_, interface_);
        if (status) continue;
        if (beside_others) close_all(*kernel, handles);
        return status;
    }
    descriptors_ = descriptors_of(handles);
    waiting_ = std::move(handles);
    kernel_ = std::move(kernel);
    present_.store(++openings_, std::memory_order_release);
    return ok();
}

// They are a group already, of the process before; its program is set anew, and the filters of these options.
bool FanoutGroup::open_left(Logger& logger) {
    auto left = std::exchange(left_, {});
    if (keeps_ || left.empty()) return false;
    std::vector<LiveHandle> handles;
    auto kernel = std::make_shared<KernelFanout>();
    std::uint64_t unread = 0;
    for (auto one = left.begin(); one != left.end(); ++one) {
        auto handle = use_left_handle(one->descriptor, one->unread, interface_, options_);
        const auto program = handle ? compile_live_filter(handle.value(), options_, options_, interface_)
                                    : Result<FilterProgram>(handle.error());
        if (!program || program.value().empty() || !attach_filter(handle.value(), program.value(), interface_) ||
            !kernel->rejoin(one->descriptor)) {
            for (auto rest = one + 1; rest != left.end(); ++rest) ::close(rest->descriptor);
            logger.warning("capture of the process before is of no use", {{"interface", interface_}});
            return false;
        }
        handle.value().opening = openings_ + 1;
        unread += one->unread;
        handles.push_back(std::move(handle.value()));
    }
    if (!kernel->direct_to(descriptors_of(handles))) return false;
    logger.info("capture goes on where the process before has left it",
                {{"interface", interface_}, {"unread", unread}});
    descriptors_ = descriptors_of(handles);
    waiting_ = std::move(handles);
    kernel_ = std::move(kernel);
    present_.store(++openings_, std::memory_order_release);
    return true;
}

void FanoutGroup::leave(unsigned member, const LiveHandle& handle) {
    const std::lock_guard lock(mutex_);
    left_.push_back({member, handle.descriptor(), handle.unread()});
}

std::vector<FanoutGroup::Left> FanoutGroup::left() {
    const std::lock_guard lock(mutex_);
    return left_.size() == members_ ? left_ : std::vector<Left>();
}

void FanoutGroup::use_left(std::vector<Left> left) {
    const std::lock_guard lock(mutex_);
    std::sort(left.begin(), left.end(), [](const Left& a, const Left& b) { return a.member < b.member; });
    bool complete = left.size() == members_;
    for (unsigned i = 0; complete && i < members_; ++i) complete = left[i].member == i;
    if (complete) {
        left_ = std::move(left);
    } else {
        for (const auto& one : left) ::close(one.descriptor);
    }
}

std::string FanoutGroup::ring_name() const {
    return interface_ + '/' + std::to_string(members_) + '/' + std::to_string(ring_octets(options_)) + '/' +
           std::to_string(options_.snapshot_length) + '/' + std::to_string(options_.block_timeout.count()) + '/' +
           (options_.timestamp_precision == TimestampPrecision::kNano ? 'n' : 'u') +
           (options_.promiscuous_mode ? 'p' : '-') + options_.timestamp_type;
}

Status FanoutGroup::open_beside(std::shared_ptr<FanoutGroup> before, Logger& logger) {
    std::shared_ptr<KernelFanout> kernel;
    {
        const std::lock_guard lock(before->mutex_);
        if (before->is_open()) kernel = before->kernel_;
    }
    const std::lock_guard lock(mutex_);
    before_ = std::move(before);
    if (!kernel) return ok();
    auto status = open(std::move(kernel), logger);
    if (status || options_.required || status.error().code != ErrorCode::kUnavailable) return status;
    return ok();  // it is down just now
}

bool FanoutGroup::switch_over() {
    const std::lock_guard lock(mutex_);
    if (!before_) return true;
    const bool done = !is_open() || (kernel_ && kernel_->direct_to(descriptors_));
    if (done) {
        const std::lock_guard lock_before(before_->mutex_);
        before_->is_replaced_ = true;
    }
    return done;
}

void FanoutGroup::switch_back() {
    const std::lock_guard lock(mutex_);
    if (!before_) return;
    if (kernel_ && is_open()) {
        kernel_->direct_back();
        for (auto& handle : waiting_)
            before_->missed_.fetch_add(look_at_statistics(handle).received, std::memory_order_relaxed);
    }
    const std::lock_guard lock_before(before_->mutex_);
    before_->is_replaced_ = false;
}

bool FanoutGroup::close_replaced() {
    const std::lock_guard lock(mutex_);
    if (!before_) return true;
    {
        const std::lock_guard lock_before(before_->mutex_);
        if (before_->is_open() && before_->taken_ > 0) return false;
        auto& handles = before_->returned_;
        for (auto& handle : before_->waiting_)
            if (handle) handles.push_back(std::move(handle));
        if (before_->kernel_) close_all(*before_->kernel_, handles);
        handles.clear();
        before_->waiting_.clear();
        before_->present_.store(0, std::memory_order_release);
    }
    before_ = nullptr;
    return true;
}

void FanoutGroup::give_back(LiveHandle handle) {
    const std::lock_guard lock(mutex_);
    if (is_lost(handle)) return;
    returned_.push_back(std::move(handle));
    if (--taken_ > 0 || is_replaced_) return;
    present_.store(0, std::memory_order_release);
    if (before_ && kernel_) close_all(*kernel_, returned_);  // others are beside it
    returned_.clear();
    waiting_.clear();
}

void FanoutGroup::lose(const LiveHandle& handle) {
    const std::lock_guard lock(mutex_);
    if (is_lost(handle)) return;
    present_.store(0, std::memory_order_release);
    returned_.clear();
    waiting_.clear();
}

void FanoutGroup::set_filter(const std::string& filter, bool required) {
    const std::lock_guard lock(mutex_);
    options_.bpf_filter = filter;
    options_.required = required;
}

}  // namespace nfstreamd
