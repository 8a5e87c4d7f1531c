// SPDX-License-Identifier: Apache-2.0
#include "core/flow/prefault.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <limits>
#include <string>

namespace nfstreamd {
namespace {

constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE, Linux 5.14
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

std::size_t number_in(const std::string& path) {
    std::ifstream file(path);
    std::size_t number = 0;
    return file >> number ? number : kNoLimit;  // "max" is none
}

// Each group's limit holds for what is below it.
std::size_t lowest_limit(const std::string& mount, std::string group, const char* file) {
    std::size_t limit = number_in(mount + "/" + file);
    while (!group.empty() && group != "/") {
        limit = std::min(limit, number_in(mount + group + "/" + file));
        group.erase(group.rfind('/'));
    }
    return limit;
}

// Of the lines "0::/group" and "4:memory:/group", versions 2 and 1.
std::size_t group_limit() {
    std::ifstream groups("/proc/self/cgroup");
    std::size_t limit = kNoLimit;
    for (std::string line; std::getline(groups, line);) {
        const auto colon = line.find(':'), second = line.find(':', colon + 1);
        if (second == std::string::npos) continue;
        const std::string controller = line.substr(colon + 1, second - colon - 1), group = line.substr(second + 1);
        if (controller.empty())
            limit = std::min(limit, lowest_limit("/sys/fs/cgroup", group, "memory.max"));
        else if (controller == "memory")
            limit = std::min(limit, lowest_limit("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
    }
    return limit;
}

// A page is ours once it has been written to.
void touch(char* address, std::size_t octets) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    for (std::size_t i = 0; i < octets; i += page) {
        volatile char& first = address[i];
        first = first;
    }
}

std::atomic<std::size_t> taken_by_all{0};

}  // namespace

std::size_t prefault_limit() {
    const auto memory =
        static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return std::min(memory, group_limit()) / 4;
}

Prefault::Prefault() : left_(prefault_limit()) {
    left_ -= std::min(left_, taken_by_all.load());
}

Prefault::~Prefault() {
    taken_by_all -= octets_;
}

void Prefault::take(void* address, std::size_t octets) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t some = std::min(octets, left_ / page * page);
    complete_ = complete_ && some == octets;
    if (some == 0) return;
    if (::madvise(address, some, kPopulateWrite) != 0) {
        if (errno != EINVAL) {  // no memory
            complete_ = false;
            left_ = 0;
            return;
        }
        touch(static_cast<char*>(address), some);
    }
    left_ -= some;
    octets_ += some;
    taken_by_all += some;
    const auto begin = reinterpret_cast<std::uintptr_t>(address);
    ranges_.push_back({begin, begin + some});
}

// The system tells it by mapping, and makes one of neighbours.
std::size_t Prefault::huge_octets() const {
    std::ifstream mappings("/proc/self/smaps");
    std::size_t total = 0, ours = 0;
    for (std::string line; std::getline(mappings, line);) {
        unsigned long begin = 0, end = 0, kib = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
            ours = 0;
            for (const Range& range : ranges_) {
                const auto from = std::max<std::uintptr_t>(range.begin, begin),
                           to = std::min<std::uintptr_t>(range.end, end);
                if (from < to) ours += to - from;
            }
        } else if (ours != 0 && std::sscanf(line.c_str(), "AnonHugePages: %lu kB", &kib) == 1) {
            total += std::min<std::size_t>(ours, std::size_t{kib} * 1024);
        }
    }
    return total;
}

}  // namespace nfstreamd
