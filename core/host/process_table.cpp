// SPDX-License-Identifier: Apache-2.0
#include "core/host/process_table.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "core/base/mixing.hpp"
#include "core/base/random_words.hpp"

namespace nfstreamd {
namespace {

// A socket that nobody seems to hold may be on its way to a process.
constexpr std::chrono::seconds kLookAgain{1};
constexpr std::size_t kMostEntries = 1'000'000;  // some 200 octets each; flows beyond stay without a name

std::vector<IpAddress> host_addresses() {
    std::vector<IpAddress> found;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return found;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr) continue;
        IpAddress address;
        if (entry->ifa_addr->sa_family == AF_INET) {
            address.version = 4;
            std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr, 4);
        } else if (entry->ifa_addr->sa_family == AF_INET6) {
            address.version = 6;
            std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr, 16);
        } else {
            continue;
        }
        found.push_back(address);
    }
    ::freeifaddrs(list);
    return found;
}

}  // namespace

ProcessTable::Hash::Hash() : secret(random_words<6>()) {}

std::size_t ProcessTable::Hash::operator()(const SocketEnds& ends) const noexcept {
    std::uint64_t words[4];
    std::memcpy(words, ends.local.bytes.data(), 16);
    std::memcpy(words + 2, ends.remote.bytes.data(), 16);
    const std::uint64_t ports =
        std::uint64_t{ends.local_port} << 24 | std::uint64_t{ends.remote_port} << 8 | ends.protocol;
    return multiply_mix(words[0] ^ secret[0], words[1] ^ secret[1]) ^
           multiply_mix(words[2] ^ secret[2], words[3] ^ secret[3]) ^ multiply_mix(ports ^ secret[4], secret[5]);
}

Status ProcessTable::poll(Clock::time_point now) {
    auto listed = list_sockets(proc_);
    if (listed) update_owners(listed.value(), now);
    change_entries(listed ? listed.value() : std::vector<HostSocket>(), now);
    return listed ? ok() : Status(listed.error());
}

// Nobody else writes, and readers look at no time: what stays as it is needs no
// lock, so that a metering thread never waits for a large table.
void ProcessTable::change_entries(const std::vector<HostSocket>& sockets, Clock::time_point now) {
    std::vector<std::pair<SocketEnds, HostProcess>> fresh;
    for (const HostSocket& socket : sockets) {
        const auto owner = owners_.find(socket.inode);
        if (owner == owners_.end() || !owner->second.process) continue;
        const auto known = entries_.find(socket.ends);
        if (known != entries_.end() && known->second.process == *owner->second.process)
            known->second.seen = now;
        else
            fresh.emplace_back(socket.ends, *owner->second.process);
    }
    std::vector<SocketEnds> gone;
    const auto lifetime = lifetime_.load();
    for (const auto& [ends, entry] : entries_)
        if (now - entry.seen > lifetime) gone.push_back(ends);
    auto addresses = host_addresses();

    const std::unique_lock lock(mutex_);
    addresses_.swap(addresses);
    for (const auto& ends : gone) entries_.erase(ends);
    for (auto& [ends, process] : fresh)
        if (entries_.size() < kMostEntries || entries_.contains(ends)) entries_[ends] = {std::move(process), now};
    counters_.entries.set(entries_.size());
}

// Going through every process costs far more than reading the tables, and is
// done only for sockets that are new.
void ProcessTable::update_owners(const std::vector<HostSocket>& sockets, Clock::time_point now) {
    std::unordered_map<std::uint64_t, Owner> present;
    std::unordered_set<std::uint64_t> wanted;
    for (const HostSocket& socket : sockets) {
        const auto known = owners_.find(socket.inode);
        const bool settled =
            known != owners_.end() && (known->second.process.has_value() || now - known->second.looked_at < kLookAgain);
        if (settled)
            present[socket.inode] = known->second;
        else
            wanted.insert(socket.inode);
    }
    if (!wanted.empty()) {
        auto found = find_owners(proc_, wanted);
        counters_.hidden.set(found.hidden);
        for (const std::uint64_t inode : wanted) {
            const auto owner = found.by_inode.find(inode);
            present[inode] = {owner == found.by_inode.end() ? std::nullopt : std::optional(owner->second), now};
        }
    }
    owners_ = std::move(present);
}

std::optional<HostProcess> ProcessTable::find(const IpAddress& source, std::uint16_t source_port,
                                              const IpAddress& destination, std::uint16_t destination_port,
                                              std::uint8_t protocol) const {
    const std::shared_lock lock(mutex_);
    if (auto found = look_up({source, destination, source_port, destination_port, protocol})) return found;
    if (auto found = look_up({destination, source, destination_port, source_port, protocol})) return found;
    if (auto found = find_end(source, source_port, protocol)) return found;
    return find_end(destination, destination_port, protocol);
}

// A socket without a peer, bound to this address or, where it is ours, to any.
std::optional<HostProcess> ProcessTable::find_end(const IpAddress& local, std::uint16_t port,
                                                  std::uint8_t protocol) const {
    if (auto found = look_up({local, {}, port, 0, protocol})) return found;
    if (std::find(addresses_.begin(), addresses_.end(), local) == addresses_.end()) return {};
    return look_up({{}, {}, port, 0, protocol});
}

std::optional<HostProcess> ProcessTable::look_up(const SocketEnds& ends) const {
    const auto entry = entries_.find(ends);
    return entry == entries_.end() ? std::nullopt : std::optional(entry->second.process);
}

}  // namespace nfstreamd
