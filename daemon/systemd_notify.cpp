// SPDX-License-Identifier: Apache-2.0
#include "daemon/systemd_notify.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include <cstdint>
#include <cstdlib>

namespace nfstreamd::daemon {
namespace {

// A failure to notify leaves nothing to do: systemd notices by its own timeouts.
void notify(const std::string& state) {
    ::sd_notify(0, state.c_str());
}

}  // namespace

void notify_ready(const std::string& status) {
    notify("READY=1\nSTATUS=" + status);
}

void notify_reloading() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto microseconds = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
    notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", microseconds));
}

void notify_status(const std::string& status) {
    notify("STATUS=" + status);
}
void notify_stopping() {
    notify("STOPPING=1\nSTATUS=flushing flows and records");
}
void notify_watchdog() {
    notify("WATCHDOG=1");
}

bool keeps_descriptors() {
    const char* most = std::getenv("FDSTORE");
    return most != nullptr && std::atoi(most) > 0 && std::getenv("NOTIFY_SOCKET") != nullptr;
}

// systemd would close one whose interface is down, if it looked.
void store_descriptor(const std::string& name, int descriptor) {
    ::sd_pid_notify_with_fds(0, 0, fmt::format("FDSTORE=1\nFDPOLL=0\nFDNAME={}", name).c_str(), &descriptor, 1);
}

void forget_descriptor(const std::string& name) {
    notify(fmt::format("FDSTOREREMOVE=1\nFDNAME={}", name));
}

std::vector<std::pair<std::string, int>> stored_descriptors() {
    std::vector<std::pair<std::string, int>> found;
    char** names = nullptr;
    const int count = ::sd_listen_fds_with_names(1, &names);
    for (int i = 0; i < count; ++i) {
        found.emplace_back(names[i], SD_LISTEN_FDS_START + i);
        std::free(names[i]);
    }
    std::free(names);
    return found;
}

std::optional<std::chrono::microseconds> watchdog_period() {
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) <= 0 || microseconds == 0) return std::nullopt;
    return std::chrono::microseconds(microseconds);
}

bool stderr_is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    if (!stream || ::fstat(2, &status) != 0) return false;
    return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

const char* priority_prefix(LogLevel level) {
    if (!stderr_is_journal()) return "";
    return level == LogLevel::kError ? "<3>" : level == LogLevel::kWarning ? "<4>" : "<6>";
}

}  // namespace nfstreamd::daemon
