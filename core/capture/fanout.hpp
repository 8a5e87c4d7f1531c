// SPDX-License-Identifier: Apache-2.0
// Live captures of one interface that share its packets: the kernel runs a
// program over each packet's two addresses and gives it to one member, so that
// both directions of a flow and all fragments meet. The members open as one: none
// takes a packet before all of them have joined, and none leaves before all do.
// Shared by the sources of the members; any thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/capture/live_handle.hpp"

struct sock_filter;

namespace nfstreamd {

// Classic BPF for PACKET_FANOUT_CBPF: its result modulo the number of members is
// the member. What is neither IPv4 nor IPv6, also below VLAN tags, goes to the first.
std::vector<sock_filter> fanout_program();

class FanoutGroup {
public:
    FanoutGroup(std::string interface, CaptureOptions options, unsigned members)
        : interface_(std::move(interface)), options_(std::move(options)), members_(members) {}

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

private:
    Status open(Logger& logger);

    const std::string interface_;
    const CaptureOptions options_;
    const unsigned members_;

    std::atomic<std::uint64_t> present_{0};  // which opening is in use; 0: none. Changed under mutex_
    std::mutex mutex_;                       // guards the rest
    std::uint64_t openings_ = 0;
    std::vector<LiveHandle> waiting_;   // opened, by member, and not taken yet
    std::vector<LiveHandle> returned_;  // kept until all of them are
    unsigned taken_ = 0;                // and not given back
};

}  // namespace nfstreamd
