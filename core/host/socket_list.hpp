// SPDX-License-Identifier: Apache-2.0
// The kernel's tables of TCP and UDP sockets, and the processes that hold them,
// as proc(5) shows them. Reads files, which may block for milliseconds; any
// thread but one that meters.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/ip_address.hpp"
#include "core/base/result.hpp"

namespace nfstreamd {

struct SocketEnds {
    IpAddress local, remote;  // version 0: any address (not bound, not connected)
    std::uint16_t local_port = 0, remote_port = 0;
    std::uint8_t protocol = 0;  // 6 or 17

    friend bool operator==(const SocketEnds&, const SocketEnds&) = default;
};

struct HostSocket {
    SocketEnds ends;
    std::uint64_t inode = 0;
};

struct HostProcess {
    std::int32_t pid = -1;
    std::string name;
    friend bool operator==(const HostProcess&, const HostProcess&) = default;
};

// Sockets of this network namespace. An IPv4 address in an IPv6 socket comes as
// IPv4. `proc` is where procfs is mounted.
Result<std::vector<HostSocket>> list_sockets(const std::string& proc);

struct SocketOwners {
    std::unordered_map<std::uint64_t, HostProcess> by_inode;
    std::size_t hidden = 0;  // processes whose sockets we may not see
};
// Looks through every process for the holders of these.
SocketOwners find_owners(const std::string& proc, const std::unordered_set<std::uint64_t>& inodes);

}  // namespace nfstreamd
