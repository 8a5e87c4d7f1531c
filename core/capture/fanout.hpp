// SPDX-License-Identifier: Apache-2.0
// Live captures of one interface that share its packets, often only one: the
// kernel runs a program over each packet's two addresses and gives it to one
// member, so that both directions of a flow and all fragments meet. The members
// open as one: none takes a packet before all of them have joined, and none leaves
// before all do. A reload makes a group that follows another: it opens beside it,
// and gets all packets from one moment on. Shared by the sources of the members;
// any thread, what is of a reload by the control thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/capture/kernel_fanout.hpp"
#include "core/capture/live_handle.hpp"

namespace nfstreamd {

class FanoutGroup {
public:
    FanoutGroup(std::string interface, CaptureOptions options, unsigned members)
        : interface_(std::move(interface)), members_(members), options_(std::move(options)) {}
    ~FanoutGroup();

    // The capture of one member. Whoever comes first opens those of all.
    Result<LiveHandle> take(unsigned member, Logger& logger);
    // Of the handles that are given back, none is closed before all are there: the
    // kernel would divide the packets anew among the rest.
    void give_back(LiveHandle handle);
    // One member has lost its capture: those of the others are of no use.
    void lose(const LiveHandle& handle);
    bool is_lost(const LiveHandle& handle) const noexcept {
        return present_.load(std::memory_order_acquire) != handle.opening;
    }
    bool is_open() const noexcept { return present_.load(std::memory_order_acquire) != 0; }
    unsigned members() const noexcept { return members_; }

    // ---- over a restart, by a service manager that holds the sockets meanwhile

    struct Left {
        unsigned member = 0;
        int descriptor = -1;
        std::uint64_t unread = 0;  // packets in its ring
    };
    // Before the members stop: they read no further than the block that they are at, and tell what they leave.
    void keep_over_restart() { keeps_ = true; }
    bool keeps() const noexcept { return keeps_; }
    void leave(unsigned member, const LiveHandle& handle);
    std::vector<Left> left();  // those of all members, or none
    // Before the first take(): they are opened by what has been left, which is closed when that cannot be.
    void use_left(std::vector<Left> left);
    // Which options the rings of members were made for; the same text: they serve these.
    std::string ring_name() const;

    // ---- a reload, step by step

    // Opens the captures of all members, to which no packet comes yet; nothing when
    // `before` has none.
    Status open_beside(std::shared_ptr<FanoutGroup> before, Logger& logger);
    // Each packet that comes later is ours, each that came earlier is in a ring of
    // the group before. False: as if it had not been called.
    bool switch_over();
    // What has come to ours meanwhile is lost: the group before has missed it.
    void switch_back();
    // Packets that it has missed and has not told of; whoever asks counts them.
    std::uint64_t take_missed() noexcept { return missed_.exchange(0, std::memory_order_relaxed); }
    // False: members of the group before have not yet given back all of their captures.
    bool close_replaced();
    // Of a group that stays: for captures that are opened again.
    void set_filter(const std::string& filter, bool required);

private:
    Status open(std::shared_ptr<KernelFanout> kernel, Logger& logger);
    bool open_left(Logger& logger);

    const std::string interface_;
    const unsigned members_;

    std::atomic<std::uint64_t> present_{0};  // which opening is in use; 0: none. Changed under mutex_
    std::mutex mutex_;                       // guards the rest
    CaptureOptions options_;
    std::uint64_t openings_ = 0;
    std::shared_ptr<KernelFanout> kernel_;  // null: a capture that is alone on an old kernel
    std::vector<int> descriptors_;          // of all members, as opened
    std::vector<LiveHandle> waiting_;       // opened, by member, and not taken yet
    std::vector<LiveHandle> returned_;      // kept until all of them are
    unsigned taken_ = 0;                    // and not given back
    std::shared_ptr<FanoutGroup> before_;
    std::atomic<bool> keeps_{false};
    std::atomic<std::uint64_t> missed_{0};
    std::vector<Left> left_;    // by this process, or by the one before
    bool is_replaced_ = false;  // by a group that follows
};

}  // namespace nfstreamd
