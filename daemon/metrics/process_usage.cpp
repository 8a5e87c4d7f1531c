// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics/process_usage.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace nfstreamd::daemon {
namespace {

std::uint64_t entries_of(const char* folder) {
    std::error_code error;
    const std::filesystem::directory_iterator begin(folder, error);
    if (error) return 0;
    std::uint64_t entries = 0;
    for (auto at = begin; !error && at != std::filesystem::directory_iterator(); at.increment(error)) ++entries;
    return entries;
}

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

ProcessUsage process_usage() {
    ProcessUsage usage;
    rusage used{};
    if (::getrusage(RUSAGE_SELF, &used) == 0) usage.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) usage.max_files = files.rlim_cur;
    std::uint64_t total = 0, resident = 0;  // pages
    if (std::ifstream pages("/proc/self/statm"); pages >> total >> resident) {
        const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        usage.virtual_octets = total * page;
        usage.resident_octets = resident * page;
    }
    const auto files_open = entries_of("/proc/self/fd");
    usage.open_files = files_open > 0 ? files_open - 1 : 0;  // without the one that looked
    usage.threads = entries_of("/proc/self/task");
    return usage;
}

}  // namespace nfstreamd::daemon
