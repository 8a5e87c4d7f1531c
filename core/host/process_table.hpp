// SPDX-License-Identifier: Apache-2.0
// The process of a local flow: polled from the kernel's socket tables and kept
// for a while after a socket is gone, as flows are exported later than their
// sockets close. A flow is found by its whole addresses and ports in either
// direction; else by the bound end of a socket without a peer (UDP servers,
// connections too short to be seen). poll() belongs to one thread, find() to any.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "core/base/counter.hpp"
#include "core/host/socket_list.hpp"

namespace nfstreamd {

class ProcessTable {
public:
    using Clock = std::chrono::steady_clock;

    // Entries live for `lifetime` after their socket was last seen.
    explicit ProcessTable(std::chrono::milliseconds lifetime, std::string proc = "/proc")
        : lifetime_(lifetime), proc_(std::move(proc)) {}
    void set_lifetime(std::chrono::milliseconds lifetime) noexcept { lifetime_ = lifetime; }  // any thread

    Status poll(Clock::time_point now);

    // `source` began the flow: between two local ends it is the one that counts.
    std::optional<HostProcess> find(const IpAddress& source, std::uint16_t source_port, const IpAddress& destination,
                                    std::uint16_t destination_port, std::uint8_t protocol) const;

    struct Counters {     // gauges, written by the polling thread
        Counter entries;  // sockets that are known, or were a while ago
        Counter hidden;   // processes whose sockets we may not see
    };
    const Counters& counters() const noexcept { return counters_; }

private:
    struct Hash {  // keyed, as remote ends are chosen by others
        Hash();
        std::size_t operator()(const SocketEnds& ends) const noexcept;
        std::array<std::uint64_t, 6> secret;
    };
    struct Entry {
        HostProcess process;
        Clock::time_point seen;
    };
    struct Owner {
        std::optional<HostProcess> process;  // none was found
        Clock::time_point looked_at;
    };

    void change_entries(const std::vector<HostSocket>& sockets, Clock::time_point now);
    void update_owners(const std::vector<HostSocket>& sockets, Clock::time_point now);
    std::optional<HostProcess> find_end(const IpAddress& local, std::uint16_t port, std::uint8_t protocol) const;
    std::optional<HostProcess> look_up(const SocketEnds& ends) const;

    std::atomic<std::chrono::milliseconds> lifetime_;
    const std::string proc_;
    Counters counters_;
    std::unordered_map<std::uint64_t, Owner> owners_;  // by inode; the polling thread's

    mutable std::shared_mutex mutex_;  // guards the next two
    std::unordered_map<SocketEnds, Entry, Hash> entries_;
    std::vector<IpAddress> addresses_;  // of this host
};

}  // namespace nfstreamd
