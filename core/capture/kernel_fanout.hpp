// SPDX-License-Identifier: Apache-2.0
// The sockets of one interface as a PACKET_FANOUT group: a program says for each
// packet which of them gets it. Members join, and leave, without a packet lost to
// the others, and all packets can be given to other members at one moment. Owned
// by the FanoutGroups that follow each other, one of which uses it at a time.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

struct sock_filter;

namespace nfstreamd {

// Classic BPF for PACKET_FANOUT_CBPF: the hash of the two addresses modulo the number
// of `places` chooses one of these; it is the same in both directions and for all
// fragments. What is neither IPv4 nor IPv6, also below VLAN tags, goes to the first.
// Without places, the hash itself.
std::vector<sock_filter> fanout_program(std::span<const std::uint32_t> places = {});

// Failures are those of system calls, told by errno.
class KernelFanout {
public:
    KernelFanout() = default;
    ~KernelFanout();
    KernelFanout(const KernelFanout&) = delete;
    KernelFanout& operator=(const KernelFanout&) = delete;

    // At the end of the group, which the first one makes; no packet comes to it
    // before direct_to() says so, unless it is the first one.
    bool join(int descriptor);
    // One that has been a member before this object was.
    bool rejoin(int descriptor);
    // Members that capture nothing join until there are so many.
    bool fill_up_to(std::size_t members);
    // From now on, at one moment, every packet goes to one of these.
    bool direct_to(const std::vector<int>& members);
    bool direct_back() { return direct_to(std::vector<int>(former_)); }  // to those before
    // These, and what has filled up, get no packets (any more) and are closed.
    void leave(std::vector<std::pair<int, std::function<void()>>> leaving);

    std::size_t members() const noexcept { return places_.size(); }

private:
    bool run(int descriptor, const std::vector<std::uint32_t>& values) const;
    void leave(int descriptor, const std::function<void()>& close);

    int id_ = 0;
    std::vector<int> places_;                      // descriptors, as in the kernel's array
    std::vector<int> targets_, former_, fillers_;  // targets_: by share
    std::vector<std::uint32_t> values_;            // what the program answers, by share
};

}  // namespace nfstreamd
