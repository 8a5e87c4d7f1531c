// SPDX-License-Identifier: Apache-2.0
// What the process takes from its host, as the kernel tells. Any thread.
#pragma once
#include <cstdint>

namespace nfstreamd::daemon {

struct ProcessUsage {
    double cpu_seconds = 0;  // of all threads, user and system
    std::uint64_t resident_octets = 0, virtual_octets = 0;
    std::uint64_t open_files = 0, max_files = 0;  // descriptors
    std::uint64_t threads = 0;
};

ProcessUsage process_usage();

}  // namespace nfstreamd::daemon
